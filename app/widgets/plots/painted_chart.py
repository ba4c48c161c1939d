"""A chart that is painted, whose marks are reached by mouse and keyboard: what the plots of an evaluation share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.theme.theme import Theme
from app.widgets.labels import plain_tip
from app.widgets.plots.ticks import linear_ticks, tick_text

_BACK = (Qt.Key.Key_Left, Qt.Key.Key_Up)
_ON = (Qt.Key.Key_Right, Qt.Key.Key_Down)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
_REACH_PX = 4
"""How far beside a mark a press still means it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A mark that can be opened: where it is, what opening it tells, and its values in words."""

    area: QRectF
    key: object
    words: str


class PaintedChart(QWidget):
    """Base of the charts. The arrow keys go from mark to mark, Enter or a click opens one.

    Signals:
        opened(object): the key of the mark that was opened.
    """

    opened = Signal(object)

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self.theme = theme
        self.spots: list[Spot] = []
        self._current = -1
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self._rescale)

    def _rescale(self) -> None:
        self.updateGeometry()
        self.update()

    def paint(self, painter: QPainter) -> None:
        """Draw everything and set ``spots`` anew; the subclass does it."""
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw, and a ring around the mark that the keyboard is on."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.spots = []
        self.paint(painter)
        if self.hasFocus() and 0 <= self._current < len(self.spots):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.pen("focus", 2))
            painter.drawRoundedRect(self.spots[self._current].area.adjusted(-3, -3, 3, 3), 4, 4)

    # What the subclasses draw with

    def pen(self, token: str, width: float = 1, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """Return a pen in a token's colour."""
        return QPen(self.theme.tokens.colour(token), width, style)

    def colour(self, token: str, share: float = 1.0) -> QColor:
        """Return a token's colour, or a part of it."""
        return self.theme.tokens.colour(token, share)

    def write(self, painter: QPainter, room: QRectF, text: str, token: str, flags: Qt.AlignmentFlag) -> None:
        """Write a line of text."""
        painter.setPen(self.colour(token))
        painter.drawText(room, int(flags | Qt.AlignmentFlag.AlignVCenter), text)

    def x_axis(self, painter: QPainter, area: QRectF, low: float, high: float, title: str, *, digits: int = 0) -> None:
        """Draw ticks and title below an area; a tick may have ``digits`` decimals."""
        metrics = QFontMetricsF(painter.font())
        widest = max(metrics.horizontalAdvance(f"{end:.{digits}f}") for end in (low, high)) + 18
        spacing, ticks = linear_ticks(low, high, max(2, int(area.width() / widest)))
        for tick in ticks:
            x = area.left() + (tick - low) / (high - low) * area.width()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            room = QRectF(x - widest / 2, area.bottom() + 2, widest, metrics.height())
            self.write(painter, room, tick_text(tick, spacing), "text2", Qt.AlignmentFlag.AlignHCenter)
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        room = QRectF(0, area.bottom() + 2 + metrics.height(), self.width() - 4, metrics.height() + 2)
        self.write(painter, room, title, "text3", Qt.AlignmentFlag.AlignRight)

    def y_axis(self, painter: QPainter, area: QRectF, low: float, high: float, title: str) -> None:
        """Draw ticks at the left of an area, and the title above it."""
        self.y_ticks(painter, area, low, high)
        room = QRectF(0, 0, self.width(), QFontMetricsF(painter.font()).height() + 2)
        self.write(painter, room, title, "text3", Qt.AlignmentFlag.AlignLeft)

    def y_ticks(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        """Draw the round values between the ends at the left of an area, each with its grid line."""
        metrics = QFontMetricsF(painter.font())
        spacing, ticks = linear_ticks(low, high, max(2, int(area.height() / (2 * metrics.height()))))
        for tick in ticks:
            y = area.bottom() - (tick - low) / (high - low) * area.height()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 4, metrics.height())
            self.write(painter, room, tick_text(tick, spacing), "text2", Qt.AlignmentFlag.AlignRight)

    # Mouse and keyboard

    def spot_at(self, position: QPointF) -> int:
        """Return the place of the mark at a point, -1 where there is none."""
        reach = _REACH_PX
        found = [
            (abs(spot.area.center().x() - position.x()) + abs(spot.area.center().y() - position.y()), place)
            for place, spot in enumerate(self.spots)
            if spot.area.adjusted(-reach, -reach, reach, reach).contains(position)
        ]
        return min(found)[1] if found else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a hand where a press opens something."""
        there = self.spot_at(event.position()) >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if there else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the mark under the mouse."""
        place = self.spot_at(event.position())
        if place >= 0:
            self._go(place)
            self.opened.emit(self.spots[place].key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from mark to mark, or open one."""
        if not self.spots:
            self.grab()  # paints: a key may come before the first painting, which places the marks
        key, count = Qt.Key(event.key()), len(self.spots)
        if count and key in (*_BACK, *_ON):
            self._go((self._current + (1 if key in _ON else -1)) % count if self._current >= 0 else 0)
        elif key in _ENTER and 0 <= self._current < count:
            self.opened.emit(self.spots[self._current].key)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say the values of the mark under the mouse; keep the arrows and Enter from the page's shortcuts."""
        if isinstance(event, QHelpEvent):
            place = self.spot_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain_tip(self.spots[place].words) if place >= 0 else "", self)
            return True
        is_asked = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_asked and Qt.Key(event.key()) in (*_BACK, *_ON, *_ENTER):  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)

    def _go(self, place: int) -> None:
        self._current = place
        self.setAccessibleDescription(self.spots[place].words)
        self.update()


def bounds(values: Sequence[float], *, least: float, share: float = 0.08) -> tuple[float, float]:
    """Return a range that holds the finite values with some room, and is at least ``least`` wide.

    Where no value is negative the range ends at 0, because what cannot be negative has no room below it.

    >>> bounds([0.0, 10.0], least=2.0, share=0.1)
    (0.0, 11.0)
    """
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    missing = max(0.0, least - (high - low)) / 2
    room = share * max(high - low, least)
    start = low - missing - room
    return max(0.0, start) if low >= 0 else start, high + missing + room
