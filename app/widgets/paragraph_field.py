"""A field for a paragraph: as high as some of its lines, at every text size."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QPlainTextEdit

_ROOM_PX = 4
"""Pixels beyond the lines, so that the last one is not cut by the frame."""


class ParagraphField(QPlainTextEdit):
    """Plain text in which Tab goes on to the next field; a longer text scrolls.

    Args:
        name: accessible name.
        rows: lines that are seen at once.
        hint: what stands in it while it is empty.
        text: what stands in it at first.
    """

    def __init__(self, name: str, rows: int, *, hint: str = "", text: str = "") -> None:
        super().__init__(text)
        self._rows = rows
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setTabChangesFocus(True)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Take the height of the lines at another text size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height of the lines: the font of the style sheet is known now."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        edges = self.contentsMargins().top() + self.contentsMargins().bottom() + 2 * self.document().documentMargin()
        self.setFixedHeight(round(self._rows * self.fontMetrics().lineSpacing() + edges) + _ROOM_PX)
