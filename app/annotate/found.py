"""What was found on a pair: its flags and the marked stretches, each with a cross to take it back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.annotate.answer import Stretch
from app.annotate.answer_pane import GOOD
from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import clear_layout
from app.widgets.labels import Chip, ChipTone, ElideLabel
from core.domain.judgement import FLAGS, SPAN_TAGS

EXCERPT = 80


class FoundList(QWidget):
    """Signals: ``flag_dropped(str)`` and ``mark_dropped(Stretch)`` when a cross was pressed."""

    flag_dropped = Signal(str)
    mark_dropped = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self._shown: tuple[object, ...] = ()

    def show_found(self, flags: Sequence[str], stretches: Sequence[Stretch], texts: dict[str, str]) -> None:
        """Show flags and marks; ``texts`` are the answers by side."""
        wanted = (tuple(flags), tuple(stretches), tuple(texts.values()))
        if wanted == self._shown:
            return
        self._shown = wanted
        clear_layout(self._rows)
        for flag in flags:
            self._add(FLAGS.get(flag, flag), "warn", "", lambda _=False, flag=flag: self.flag_dropped.emit(flag))
        for stretch in stretches:
            words = " ".join(texts.get(stretch.side, "")[stretch.start : stretch.end][:EXCERPT].split())
            self._add(
                SPAN_TAGS.get(stretch.tag, stretch.tag),
                "ok" if stretch.tag == GOOD else "bad",
                f"{stretch.side}: {words}",
                lambda _=False, stretch=stretch: self.mark_dropped.emit(stretch),
            )
        self.setVisible(bool(flags or stretches))

    def _add(self, name: str, tone: ChipTone, words: str, drop: object) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(Chip(name, tone))
        row.addWidget(ElideLabel(words, kind="caption"), 1)
        cross = icon_button(self._theme, "close", f"Take back: {name} {words}".strip(), size=12)
        cross.clicked.connect(drop)  # type: ignore[arg-type]
        row.addWidget(cross)
        self._rows.addLayout(row)
