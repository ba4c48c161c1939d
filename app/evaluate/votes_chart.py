"""The win rate while votes arrive: estimate and its anytime-valid interval against decisive items in their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot

X_TITLE = "decisive items, in the order of votes →"
_TICKS = (0, 25, 50, 75, 100)
_ROOM = 1.05


@dataclass(frozen=True, slots=True)
class VoteMark:
    """The win rate after one decisive item, in per cent; ``key`` is what opening it tells."""

    n: int
    value: float
    low: float
    high: float
    key: object
    words: str


class VotesChart(PaintedChart):
    """A band around a line, a line at one half, and where the planned number lies."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Win rate while votes arrive")
        self.marks: tuple[VoteMark, ...] = ()
        self._planned, self._arm = 0, ""

    def show_marks(self, marks: Sequence[VoteMark], *, planned: int, arm: str) -> None:
        """Show the win rate of an arm after each decisive item."""
        self.marks, self._planned, self._arm = tuple(marks), planned, arm
        last = f"{self.marks[-1].words}. " if self.marks else ""
        self.setAccessibleDescription(f"{last}Planned: {planned:,} decisive items.")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the band can be read."""
        return QSize(self.theme.px(420), self.theme.px(240))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which axes and titles can be read."""
        return QSize(self.theme.px(200), self.theme.px(200))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, one half, the planned number, band, line and marks."""
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        area = QRectF(metrics.horizontalAdvance("100") + 10, 2 * line + 8, 0, 0)
        area.setRight(self.width() - 10)
        area.setBottom(self.height() - 2 * line - 8)
        most = max(self._planned, len(self.marks), 1) * _ROOM
        self.x_axis(painter, area, 0, most, X_TITLE)
        self._y_axis(painter, area, metrics)
        self._lines(painter, area, most, metrics)
        if self.marks:
            self._curve(painter, area, most)

    def _y_axis(self, painter: QPainter, area: QRectF, metrics: QFontMetricsF) -> None:
        for tick in _TICKS:
            y = _y(area, tick)
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 4, metrics.height())
            self.write(painter, room, f"{tick}", "text2", Qt.AlignmentFlag.AlignRight)
        title = metrics.elidedText(f"↑ win rate of {self._arm}, %", Qt.TextElideMode.ElideMiddle, self.width() - 4)
        room = QRectF(0, 0, self.width(), metrics.height() + 2)
        self.write(painter, room, title, "text3", Qt.AlignmentFlag.AlignLeft)

    def _lines(self, painter: QPainter, area: QRectF, most: float, metrics: QFontMetricsF) -> None:
        """Draw one half, and the planned number with its name."""
        half = _y(area, 50)
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), half), QPointF(area.right(), half))
        x = area.left() + self._planned / most * area.width()
        painter.setPen(self.pen("accent", 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        room = QRectF(0, area.top() - metrics.height() - 2, min(x + 2, self.width() - 4), metrics.height())
        self.write(painter, room, f"planned {self._planned:,}", "accent", Qt.AlignmentFlag.AlignRight)

    def _curve(self, painter: QPainter, area: QRectF, most: float) -> None:
        known = [mark for mark in self.marks if math.isfinite(mark.value)]
        place = lambda n, value: QPointF(area.left() + n / most * area.width(), _y(area, value))  # noqa: E731
        upper = [place(mark.n, mark.high) for mark in known]
        lower = [place(mark.n, mark.low) for mark in reversed(known)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour("plot_chosen", 0.18))
        painter.drawPolygon(QPolygonF([*upper, *lower]))
        painter.setPen(self.pen("plot_chosen", 1))
        painter.drawPolyline(QPolygonF(upper))
        painter.drawPolyline(QPolygonF(lower))
        painter.setPen(self.pen("plot_chosen", 2))
        painter.drawPolyline(QPolygonF([place(mark.n, mark.value) for mark in known]))
        radius = float(self.theme.px(3))
        shown = known if area.width() / most > 2.5 * radius else known[-1:]
        painter.setBrush(self.colour("plot_chosen"))
        for mark in shown:
            painter.drawEllipse(place(mark.n, mark.value), radius, radius)
        for mark in known:
            at = place(mark.n, mark.value)
            box = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
            self.spots.append(Spot(box, mark.key, mark.words))


def _y(area: QRectF, share: float) -> float:
    return area.bottom() - share / 100 * area.height()
