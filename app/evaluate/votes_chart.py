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
    """A band around a line, a line at one half, and where the planned number lies.

    Args:
        theme: colours and fonts.
        height: design pixels that it asks for.
    """

    def __init__(self, theme: Theme, height: int = 240) -> None:
        super().__init__(theme, "Win rate while votes arrive")
        self.marks: tuple[VoteMark, ...] = ()
        self._planned, self._arm, self._height = 0, "", height
        self._ahead: tuple[tuple[float, float, float], ...] = ()
        self._decides: int | None = None

    def show_marks(
        self,
        marks: Sequence[VoteMark],
        *,
        planned: int,
        arm: str,
        ahead: Sequence[tuple[float, float, float]] = (),
        decides: int | None = None,
    ) -> None:
        """Show the win rate of an arm after each decisive item.

        Args:
            marks: one for each decisive item.
            planned: decisive items that are planned.
            arm: whose rate it is.
            ahead: (n, low, high) in per cent as the interval would go on if the rate stays what it is.
            decides: the n at which it leaves one half then; None where that is not known.
        """
        self.marks, self._planned, self._arm = tuple(marks), planned, arm
        self._ahead, self._decides = tuple(ahead), decides
        last = f"{self.marks[-1].words}. " if self.marks else ""
        then = f" At this rate about {decides:,} decide it." if decides else ""
        self.setAccessibleDescription(f"{last}Planned: {planned:,} decisive items.{then}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the band can be read."""
        return QSize(self.theme.px(420), self.theme.px(self._height))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which axes and titles can be read."""
        return QSize(self.theme.px(200), self.theme.px(min(200, self._height)))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, one half, the planned number, band, line and marks."""
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        area = QRectF(metrics.horizontalAdvance("100") + 10, 2 * line + 8, 0, 0)
        area.setRight(self.width() - 10)
        area.setBottom(self.height() - 2 * line - 8)
        known = [mark.n for mark in self.marks[-1:]] + [n for n, _, _ in self._ahead[-1:]]
        most = max(self._planned, *known, 1) * _ROOM
        self.x_axis(painter, area, 0, most, X_TITLE)
        self._y_axis(painter, area, metrics)
        self._lines(painter, area, most, metrics)
        self._outlook(painter, area, most, metrics)
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

    def _outlook(self, painter: QPainter, area: QRectF, most: float, metrics: QFontMetricsF) -> None:
        """Draw how the interval would go on at this rate, and where it leaves one half."""
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for end in (1, 2):
            points = [QPointF(area.left() + row[0] / most * area.width(), _y(area, row[end])) for row in self._ahead]
            painter.drawPolyline(QPolygonF(points))
        if not self._decides or not self._ahead or self._decides > self._ahead[-1][0]:
            return
        at = QPointF(area.left() + self._decides / most * area.width(), _y(area, 50))
        painter.setPen(self.pen("warn", 1, Qt.PenStyle.DotLine))
        painter.drawLine(at, QPointF(at.x(), area.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour("warn"))
        side = float(self.theme.px(4))
        painter.drawEllipse(at, side, side)
        words = f"decides at ≈ {self._decides:,}"
        width = metrics.horizontalAdvance(words) + 2
        left = at.x() + 2 * side if at.x() + 2 * side + width <= area.right() else at.x() - 2 * side - width
        room = QRectF(max(0.0, left), at.y() + 3, width, metrics.height())
        self.write(painter, room, words, "warn", Qt.AlignmentFlag.AlignLeft)

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
