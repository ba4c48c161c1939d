"""The detection error trade-off of a threshold: FPR to the right, FNR upwards, both on probit axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds

X_TITLE, Y_TITLE = "false positives (%), probit →", "↑ false negatives (%), probit"
_TICKS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)
_LEAST = 0.002
"""Shares nearer to 0 or 1 are drawn here: the probit of 0 is at infinity."""
_SAMPLES = 80
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class DetSpot:
    """One threshold of the curve.

    Attributes:
        fpr, fnr: value, low and high end of each rate.
        words: threshold and both rates with interval and n.
    """

    value: float
    fpr: tuple[float, float, float]
    fnr: tuple[float, float, float]
    words: str


class DetChart(PaintedChart):
    """The curve, the chosen threshold with the box of its intervals, and the line of equal cost through it.

    ``opened(int)`` fires with the place of a point that is clicked, or that Enter is pressed on.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Error rates along all thresholds")
        self.points: tuple[DetSpot, ...] = ()
        self.chosen = -1
        self._weights = (0.5, 0.5)

    def show_points(self, points: Sequence[DetSpot], chosen: int, weights: tuple[float, float]) -> None:
        """Show a curve; ``weights`` are the costs of FPR and FNR, c_FP (1 - pi) and c_FN pi."""
        self.points, self.chosen, self._weights = tuple(points), chosen, weights
        self.setAccessibleDescription(points[chosen].words if 0 <= chosen < len(points) else "No curve")
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that holds curve and labels."""
        return QSize(self.theme.px(360), self.theme.px(250))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the labels can be read."""
        return QSize(self.theme.px(220), self.theme.px(190))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, cost line, curve, box and handle."""
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        area = QRectF(metrics.horizontalAdvance("99.9") + 8, line + 6, 0, 0)
        area.setRight(self.width() - 10)
        area.setBottom(self.height() - 2 * line - 8)
        if not self.points:
            return
        xs = bounds([probit(share) for point in self.points for share in point.fpr[:1]], least=1.5)
        ys = bounds([probit(share) for point in self.points for share in point.fnr[:1]], least=1.5)
        self._axes(painter, area, xs, ys, metrics)

        def place(fpr: float, fnr: float) -> QPointF:
            return QPointF(
                area.left() + (probit(fpr) - xs[0]) / (xs[1] - xs[0]) * area.width(),
                area.bottom() - (probit(fnr) - ys[0]) / (ys[1] - ys[0]) * area.height(),
            )

        places = [place(point.fpr[0], point.fnr[0]) for point in self.points]
        painter.save()
        painter.setClipRect(area.adjusted(-4, -4, 4, 4))
        if 0 <= self.chosen < len(self.points):
            self._box(painter, self.points[self.chosen], place)
            self._equal_cost(painter, self.points[self.chosen], place)
        painter.setPen(self.pen("plot_chosen", 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(places))
        painter.restore()
        self._handles(painter, places)

    def _axes(
        self,
        painter: QPainter,
        area: QRectF,
        xs: tuple[float, float],
        ys: tuple[float, float],
        metrics: QFontMetricsF,
    ) -> None:
        line, last = metrics.height(), -math.inf
        for tick in _TICKS:
            text, at = f"{100 * tick:g}", probit(tick)
            width = metrics.horizontalAdvance(text) + 8
            x = area.left() + (at - xs[0]) / (xs[1] - xs[0]) * area.width()
            if area.left() <= x <= area.right():
                painter.setPen(self.pen("grid"))
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
                if x - last > width:
                    last = x
                    room = QRectF(x - width / 2, area.bottom() + 2, width, line)
                    self.write(painter, room, text, "text2", Qt.AlignmentFlag.AlignHCenter)
        last = math.inf
        for tick in _TICKS:
            y = area.bottom() - (probit(tick) - ys[0]) / (ys[1] - ys[0]) * area.height()
            if area.top() <= y <= area.bottom():
                painter.setPen(self.pen("grid"))
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
                if last - y > line:
                    last = y
                    room = QRectF(0, y - line / 2, area.left() - 4, line)
                    self.write(painter, room, f"{100 * tick:g}", "text2", Qt.AlignmentFlag.AlignRight)
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        below = QRectF(0, area.bottom() + 2 + line, self.width() - 4, line + 2)
        self.write(painter, below, X_TITLE, "text3", Qt.AlignmentFlag.AlignRight)
        self.write(painter, QRectF(0, 0, self.width(), line + 2), Y_TITLE, "text3", Qt.AlignmentFlag.AlignLeft)

    def _box(self, painter: QPainter, point: DetSpot, place: object) -> None:
        """Draw the box of both 95 % intervals."""
        low, high = place(point.fpr[1], point.fnr[1]), place(point.fpr[2], point.fnr[2])  # type: ignore[operator]
        painter.setPen(self.pen("plot_accuracy", 1))
        painter.setBrush(self.colour("plot_accuracy", 0.12))
        painter.drawRect(QRectF(low, high).normalized())

    def _equal_cost(self, painter: QPainter, point: DetSpot, place: object) -> None:
        """Draw all pairs of rates that cost as much as the chosen threshold."""
        first, second = self._weights
        if first <= 0 or second <= 0:
            return
        cost = first * point.fpr[0] + second * point.fnr[0]
        shares = [_LEAST + (1 - 2 * _LEAST) * step / _SAMPLES for step in range(_SAMPLES + 1)]
        shares = [*(_LEAST * 1.3**step for step in range(20)), *shares]
        ends = [(share, (cost - first * share) / second) for share in sorted(shares)]
        inside = [place(fpr, fnr) for fpr, fnr in ends if 0 < fnr < 1]  # type: ignore[operator]
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        for start, end in pairwise(inside):
            painter.drawLine(start, end)

    def _handles(self, painter: QPainter, places: Sequence[QPointF]) -> None:
        half, dot = float(self.theme.px(6)), float(self.theme.px(2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour("plot_chosen"))
        for at in places:
            painter.drawEllipse(at, dot, dot)
        for number, (point, at) in enumerate(zip(self.points, places, strict=True)):
            area = QRectF(at.x() - half / 2, at.y() - half / 2, half, half)
            self.spots.append(Spot(area, number, point.words))
        if 0 <= self.chosen < len(places):
            painter.setPen(self.pen("surface", 1))
            painter.setBrush(self.colour("accent"))
            painter.drawEllipse(places[self.chosen], half, half)


def probit(share: float) -> float:
    """Return the quantile of the normal distribution at a share; shares near 0 and 1 are drawn at the edge.

    >>> round(probit(0.5), 3), round(probit(0.975), 2), probit(0.0) == probit(0.001)
    (0.0, 1.96, True)
    """
    return _NORMAL.inv_cdf(min(1 - _LEAST, max(_LEAST, share)))
