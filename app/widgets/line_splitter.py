"""A splitter whose handle is a thin line, painted here, so that it looks the same with and without a style sheet."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

_WIDTH = 7
"""Pixels of a handle: a line with room beside it to take hold of."""


class LineHandle(QSplitterHandle):
    """Paints a line; under the mouse it has the accent colour."""

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Paint the line in the middle between two parts beside each other, at the top between one above the other."""
        roles = QPalette.ColorRole
        colour = self.palette().color(roles.Highlight if self.underMouse() else roles.Mid)
        beside = self.orientation() == Qt.Orientation.Horizontal
        painter = QPainter(self)
        painter.fillRect(
            QRect(self.width() // 2, 0, 1, self.height()) if beside else QRect(0, 0, self.width(), 1), colour
        )


class LineSplitter(QSplitter):
    """A splitter with such handles; no part of it can be folded away by the mouse."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget | None = None) -> None:
        super().__init__(orientation, parent)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(_WIDTH)

    def createHandle(self) -> QSplitterHandle:
        """Return a handle, which Qt owns."""
        handle = LineHandle(self.orientation(), self)
        handle.setAttribute(Qt.WidgetAttribute.WA_Hover)
        return handle
