"""The win rate over the difference of lengths: fitted curve with its band, observed rates, and every item as a tick."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds

X_TITLE = "longer by, tokens →"
Place = Callable[[float, float], QPointF]
"""From tokens and per cent to a point of the chart."""
_TICKS = (0, 25, 50, 75, 100)
_LEAST_WIDTH = 10.0
"""Tokens that the axis is wide at least."""


@dataclass(frozen=True, slots=True)
class LengthMark:
    """A rate at one difference of lengths, in tokens and per cent; ends are NaN where none are shown."""

    tokens: float
    value: float
    low: float
    high: float
    words: str


@dataclass(frozen=True, slots=True)
class LengthItem:
    """One item: its difference of lengths, its outcome in per cent, and what opening it tells."""

    tokens: float
    outcome: float
    key: object
    words: str


@dataclass(frozen=True, slots=True)
class LengthPicture:
    """What the chart shows.

    Attributes:
        arm: whose rate it is. curve: fitted, shortest difference first. bins: observed.
        raw, controlled: rates in per cent, NaN where they are not known.
    """

    arm: str = ""
    curve: Sequence[LengthMark] = ()
    bins: Sequence[LengthMark] = ()
    items: Sequence[LengthItem] = field(default=())
    raw: float = math.nan
    controlled: float = math.nan


class LengthChart(PaintedChart):
    """Curve, band and observed rates; a tick at the top is an item that was won, at the bottom one that was lost.

    A tick opens its item.
    """

    def __init__(self, theme: Theme, height: int = 240) -> None:
        super().__init__(theme, "Win rate by length")
        self.shown = LengthPicture()
        self._height = height

    def show_picture(self, shown: LengthPicture) -> None:
        """Draw another one."""
        self.shown = shown
        words = [mark.words for mark in shown.bins]
        self.setAccessibleDescription(". ".join(words[:1] + words[-1:]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the band can be read."""
        return QSize(self.theme.px(420), self.theme.px(self._height))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which axes and titles can be read."""
        return QSize(self.theme.px(200), self.theme.px(min(200, self._height)))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, lines, band, curve, observed rates and items."""
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        area = QRectF(metrics.horizontalAdvance("100") + 10, line + 12, 0, 0)
        area.setRight(self.width() - 10)
        area.setBottom(self.height() - 2 * line - 8)
        known = [one.tokens for one in (*self.shown.curve, *self.shown.items)]
        low, high = bounds([*known, -1.0], least=_LEAST_WIDTH)  # below 0 the range keeps its room
        place = lambda tokens, rate: QPointF(  # noqa: E731
            area.left() + (tokens - low) / (high - low) * area.width(), area.bottom() - rate / 100 * area.height()
        )
        title = f"{self.shown.arm or 'the first arm'} {X_TITLE}"
        self.x_axis(painter, area, low, high, title)
        self._y_axis(painter, area, metrics)
        self._even(painter, place(0.0, 0.0), place(0.0, 100.0), area)
        self._curve(painter, place)
        self._rates(painter, place)
        self._both_rates(painter, area, metrics, title)
        self._items(painter, place)

    def _y_axis(self, painter: QPainter, area: QRectF, metrics: QFontMetricsF) -> None:
        for tick in _TICKS:
            y = area.bottom() - tick / 100 * area.height()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 4, metrics.height())
            self.write(painter, room, f"{tick}", "text2", Qt.AlignmentFlag.AlignRight)
        title = metrics.elidedText(f"↑ win rate of {self.shown.arm}, %", Qt.TextElideMode.ElideMiddle, self.width() - 4)
        self.write(
            painter, QRectF(0, 0, self.width(), metrics.height() + 2), title, "text3", Qt.AlignmentFlag.AlignLeft
        )

    def _even(self, painter: QPainter, bottom: QPointF, top: QPointF, area: QRectF) -> None:
        """Draw where both answers are equally long, and where both arms win alike."""
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(bottom, top)
        painter.drawLine(QPointF(area.left(), area.center().y()), QPointF(area.right(), area.center().y()))

    def _curve(self, painter: QPainter, place: Place) -> None:
        curve = self.shown.curve
        if not curve:
            return
        if all(one.low <= one.high for one in curve):  # NaN where no interval is shown yet
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour("plot_chosen", 0.18))
            upper = [place(one.tokens, one.high) for one in curve]
            painter.drawPolygon(QPolygonF([*upper, *(place(one.tokens, one.low) for one in reversed(curve))]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self.pen("plot_chosen", 2))
        painter.drawPolyline(QPolygonF([place(one.tokens, one.value) for one in curve]))

    def _rates(self, painter: QPainter, place: Place) -> None:
        """Draw the observed rates, and the rate where answers are equally long."""
        side = float(self.theme.px(3))
        for one in self.shown.bins:
            painter.setPen(self.pen("text2", 1))
            if one.low <= one.high:
                painter.drawLine(place(one.tokens, one.low), place(one.tokens, one.high))
            painter.setBrush(self.colour("text2"))
            at = place(one.tokens, one.value)
            painter.drawRect(QRectF(at.x() - side, at.y() - side, 2 * side, 2 * side))
        if math.isfinite(self.shown.controlled):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour("plot_chosen"))
            painter.drawEllipse(place(0.0, self.shown.controlled), 1.6 * side, 1.6 * side)

    def _both_rates(self, painter: QPainter, area: QRectF, metrics: QFontMetricsF, title: str) -> None:
        """Write both rates of the whole beside the title of the axis, where they have room."""
        if not math.isfinite(self.shown.controlled):
            return
        words = f"● {self.shown.controlled:.0f} % at equal length, {self.shown.raw:.0f} % raw"
        free = self.width() - metrics.horizontalAdvance(title) - 16
        if metrics.horizontalAdvance(words) <= free:
            room = QRectF(4, area.bottom() + 2 + metrics.height(), free, metrics.height() + 2)
            self.write(painter, room, words, "text2", Qt.AlignmentFlag.AlignLeft)

    def _items(self, painter: QPainter, place: Place) -> None:
        painter.setPen(self.pen("plot_chosen", 1))
        high, wide = float(self.theme.px(5)), float(self.theme.px(2))
        for one in self.shown.items:
            at = place(one.tokens, one.outcome)
            painter.drawLine(QPointF(at.x(), at.y() - high), QPointF(at.x(), at.y() + high))
            self.spots.append(Spot(QRectF(at.x() - wide, at.y() - high, 2 * wide, 2 * high), one.key, one.words))
