"""The detector's error rates while people label: two lines with their bands over the number of labelled answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.plots.ticks import linear_ticks, tick_text

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.estimate import Estimate
    from core.services.refusals.views import CurvePoint

HEIGHT_PX, TEXT_PX = 132, 11
_RATES: tuple[tuple[str, str], ...] = (("FPR", "plot_chosen"), ("FNR", "plot_rejected"))
Place = Callable[[float, float], QPointF]


class AuditCurve(PaintedChart):
    """Rates in per cent; the arrow keys say the values of each point."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Estimate while labelling")
        self.points: tuple[CurvePoint, ...] = ()
        self._total = 1

    def show_points(self, points: Sequence[CurvePoint], total: int) -> None:
        """Show other points; ``total`` answers were drawn."""
        self.points, self._total = tuple(points), max(1, total)
        self.setAccessibleDescription(point_words(self.points[-1]) if self.points else "")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a fixed height."""
        return QSize(self.theme.px(280), self.theme.px(HEIGHT_PX))

    def minimumSizeHint(self) -> QSize:
        """Return the same height."""
        return QSize(self.theme.px(150), self.theme.px(HEIGHT_PX))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, bands, lines and the names of the rates at their ends."""
        painter.setFont(self.theme.font(TEXT_PX))
        metrics = QFontMetricsF(painter.font())
        left = metrics.horizontalAdvance("100 ") + 4
        area = QRectF(left, 6, self.width() - left - metrics.horizontalAdvance(" FNR") - 6, 0)
        area.setHeight(max(20.0, self.height() - 12 - 2.4 * metrics.height()))
        top = self._top()
        self.x_axis(painter, area, 0.0, float(self._total), "rate (%) by answers labelled →")
        self._rates_axis(painter, area, top, metrics)

        def place(labelled: float, rate: float) -> QPointF:
            share = min(1.0, max(0.0, 100 * rate / top))
            return QPointF(area.left() + labelled / self._total * area.width(), area.bottom() - share * area.height())

        for name, token in _RATES:
            self._band(painter, name, token, place)
        ends = [self._line(painter, name, token, place) for name, token in _RATES]
        self._names(painter, ends, metrics)
        for point in self.points:
            x = place(point.labelled, 0).x()
            self.spots.append(Spot(QRectF(x - 3, area.top(), 6, area.height()), point, point_words(point)))

    def _top(self) -> float:
        """Return the highest rate of the axis, in per cent; intervals of the first few labels may go beyond it."""
        later = [point for point in self.points if point.labelled >= 0.1 * self._total] or list(self.points[-1:])
        highs = [100 * rate.high for point in later for rate in (point.fpr, point.fnr) if math.isfinite(rate.high)]
        return min(100.0, max([20.0, *highs]))

    def _rates_axis(self, painter: QPainter, area: QRectF, top: float, metrics: QFontMetricsF) -> None:
        spacing, ticks = linear_ticks(0.0, top, 4)
        for tick in ticks:
            y = area.bottom() - tick / top * area.height()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 4, metrics.height())
            self.write(painter, room, tick_text(tick, spacing), "text2", Qt.AlignmentFlag.AlignRight)

    def _known(self, name: str) -> list[tuple[int, Estimate]]:
        rates = [(point.labelled, point.fpr if name == "FPR" else point.fnr) for point in self.points]
        return [(labelled, rate) for labelled, rate in rates if rate.has_interval]

    def _band(self, painter: QPainter, name: str, token: str, place: Place) -> None:
        known = self._known(name)
        edge = [place(n, rate.high) for n, rate in known] + [place(n, rate.low) for n, rate in reversed(known)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour(token, 0.16))
        painter.drawPolygon(QPolygonF(edge))

    def _line(self, painter: QPainter, name: str, token: str, place: Place) -> tuple[str, str, QPointF] | None:
        known = self._known(name)
        if not known:
            return None
        line = [place(n, rate.value) for n, rate in known]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self.pen(token, 2))
        painter.drawPolyline(QPolygonF(line))
        painter.setBrush(self.colour(token))
        half = self.theme.px(3)
        end = line[-1]
        if name == "FPR":
            painter.drawEllipse(end, half, half)
        else:
            painter.drawRect(QRectF(end.x() - half, end.y() - half, 2 * half, 2 * half))
        return name, token, end

    def _names(
        self, painter: QPainter, ends: Sequence[tuple[str, str, QPointF] | None], metrics: QFontMetricsF
    ) -> None:
        """Write the names beside the ends of the lines, one above the other where these are close."""
        free, high = -math.inf, metrics.height()
        for name, _, end in sorted((one for one in ends if one), key=lambda one: one[2].y()):
            y = max(end.y() - high / 2, free)
            free = y + high * 0.9
            room = QRectF(end.x() + 6, y, metrics.horizontalAdvance(name) + 4, high)
            self.write(painter, room, name, "text", Qt.AlignmentFlag.AlignLeft)


def point_words(point: CurvePoint) -> str:
    """Return the rates of a point in words."""
    parts = [
        f"{name} {100 * rate.value:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"
        for name, rate in (("FPR", point.fpr), ("FNR", point.fnr))
        if rate.has_interval
    ]
    return f"{point.labelled} labelled: {'; '.join(parts) or 'nothing is known yet'}"
