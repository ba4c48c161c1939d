"""The checks of a changeset, one line each: what is right, of how many, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import clear_layout
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel

if TYPE_CHECKING:
    from core.services.feedback.changeset_review import ReviewCheck


class ChangesetChecks(QWidget):
    """Lists the checks, and how many changes were opened."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.lines: list[str] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)

    def show_checks(self, checks: Sequence[ReviewCheck], total: int, opened: int) -> None:
        """Show the checks of what enters, and the last one: opened one by one."""
        self.lines = []
        clear_layout(self._column)
        for check in checks:
            tone = "ok" if check.passed else "bad" if check.needed else "warn"
            self._add(tone, f"{check.words}: {check.done:,} of {check.total:,}", check.told)
        self._add("ok" if opened == total else "warn", f"Opened one by one: {opened:,} of {total:,}", "")

    def _add(self, tone: str, words: str, told: str) -> None:
        self.lines.append(f"{words}. {told}".strip())
        line = QWidget()
        row = FlowLayout(line, row_spacing=0)
        row.addWidget(IconLabel(self._theme, "check_circle" if tone == "ok" else "warn", tone, 16))
        row.addWidget(text_label(words, ""))
        self._column.addWidget(line)
        if told:
            self._column.addWidget(text_label(told, "caption", wrap=True))
