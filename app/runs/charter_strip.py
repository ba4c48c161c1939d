"""The charter atop a run: what was meant in one line, and the five answers with their lock when it is opened."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import Collapsible, clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import Chip, ElideLabel, text_label
from core.domain.run_record import UNSTARTED_STATES, RunRecord

ANSWER_EMS = 16.0
"""The least width of an answer, in heights of a line."""


class CharterStrip(Collapsible):
    """Shows the charter of a run; folded it is one line."""

    def __init__(self, theme: Theme) -> None:
        self._rows = QVBoxLayout()
        inside = QWidget()
        inside.setLayout(self._rows)
        self._rows.setContentsMargins(0, 0, 0, 4)
        self._rows.setSpacing(2)
        self._shown: tuple[RunRecord, str] | None = None
        super().__init__("Charter", inside, theme=theme, open_=False)
        self.target, self.lock = ElideLabel("", kind="muted", outside=True), Chip("")
        self.head.insertWidget(1, self.target, 100)
        self.head.addWidget(self.lock)

    def show_record(self, record: RunRecord, state: str) -> None:
        """Show the charter of a run in a state; the same one stays as it is."""
        if self._shown == (record, state):
            return
        self._shown = (record, state)
        charter = record.charter
        self.target.setText(charter.target_behaviour or "no target behaviour was written down")
        words, tone = lock_chip(record, state)
        self.lock.set_chip(words, tone)  # type: ignore[arg-type]
        clear_layout(self._rows)
        loss = f"loss {record.config.loss}, beta {record.config.beta:g}"
        for name, answer in charter.lines(loss):
            row = FlowLayout(row_spacing=0, middle=True)
            row.addWidget(text_label(f"{name.capitalize()}:", "muted"))
            row.add(text_label(answer, "", wrap=True, selectable=True), least=ANSWER_EMS)
            self._rows.addLayout(row)
        for gap in charter.gaps():
            self._rows.addWidget(text_label(f"Open: {gap}", "caption", wrap=True))


def lock_chip(record: RunRecord, state: str) -> tuple[str, str]:
    """Return whether the charter can still change, and whether it is the one that was locked, as words and a tone."""
    if not record.charter_sha256:
        return "never locked", "neutral"
    if not record.charter_holds:
        return "altered after it was locked", "bad"
    if state in UNSTARTED_STATES:
        return "locked at Start", "neutral"
    return f"locked with {record.fingerprint[:12]}", "ok"
