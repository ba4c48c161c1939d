"""A list of reasons with a bar and a count each; a press on one opens its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import clear_layout
from app.widgets.labels import plain_tip

ROW_PX, BAR_PX, BAR_SHARE, EDGE = 26, 9, 0.34, 6


class BarButton(QAbstractButton):
    """One row: words, a bar, a count."""

    def __init__(self, theme: Theme, words: str, count: int, share: float, *, opens: str) -> None:
        super().__init__()
        self._theme, self._share = theme, share
        self._number = f"{count:,}"
        theme.changed.connect(self.update)
        self.setText(words)
        self.setAccessibleName(f"{words}: {self._number}. {opens}")
        self.setToolTip(plain_tip(f"{words}: {self._number}. {opens}"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return room for the words, a bar and the count."""
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(round(words / (1 - BAR_SHARE)) + self._number_width() + 4 * EDGE, self._height())

    def minimumSizeHint(self) -> QSize:
        """Return room for some of the words and the count; the tooltip has them whole."""
        words = min(self.fontMetrics().horizontalAdvance(self.text()), self.fontMetrics().height() * 14)
        return QSize(words + self._number_width() + 8 * EDGE, self._height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw the row; focus and mouse give it the accent's surface."""
        painter, tokens = QPainter(self), self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        marked = self.underMouse() or self.hasFocus()
        if marked:
            painter.setBrush(tokens.colour("accent_soft"))
            painter.drawRoundedRect(self.rect(), 4, 4)
        room = self.rect().adjusted(EDGE, 0, -EDGE, 0)
        number, high = self._number_width(), self._theme.px(BAR_PX)
        bar = round(room.width() * BAR_SHARE)
        left = room.right() - number - EDGE - bar
        painter.setBrush(tokens.colour("accent" if marked else "text3"))
        painter.drawRoundedRect(
            QRectF(left, (self.height() - high) / 2, max(3.0, bar * self._share), high), high / 3, high / 3
        )
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.setPen(tokens.colour("text"))
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, left - room.left() - EDGE)
        painter.drawText(room, int(flags | Qt.AlignmentFlag.AlignLeft), shown)
        painter.setPen(tokens.colour("accent"))
        painter.drawText(room, int(flags | Qt.AlignmentFlag.AlignRight), self._number)

    def _number_width(self) -> int:
        """Return one width for all rows, so that their bars have one scale."""
        return self.fontMetrics().horizontalAdvance(max(self._number, "0,000", key=len))

    def _height(self) -> int:
        return max(self._theme.px(ROW_PX), self.fontMetrics().height() + 6)


class BarList(QWidget):
    """Bars of (words, count, value); ``opened(value)`` fires for the one pressed."""

    opened = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)

    def set_bars(self, bars: Sequence[tuple[str, int, Any]], opens: str = "Open the pairs") -> None:
        """Show other bars; the longest takes all its room."""
        clear_layout(self._column)
        most = max((count for _, count, _ in bars), default=1) or 1
        for words, count, value in bars:
            button = BarButton(self._theme, words, count, count / most, opens=opens)
            button.clicked.connect(lambda _=False, value=value: self.opened.emit(value))
            self._column.addWidget(button)
        self._column.addStretch(1)
