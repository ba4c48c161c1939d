"""What n decides a check: how the end of its interval moves with n, and where it passes the limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds
from app.widgets.plots.ticks import linear_ticks, tick_text
from core.domain.number_text import format_value

if TYPE_CHECKING:  # it loads the model exports, which the window does not wait for
    from core.services.releases.draft import DecisionCurve

_SEEN = 3.0
"""How many times the limit's distance the axis reaches at most: the start of the curve is steep."""


class DecisionChart(PaintedChart):
    """The end of an interval against n: solid if the number stays, dashed if the true number is 0."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        self.curve: DecisionCurve | None = None

    def show_curve(self, curve: DecisionCurve | None) -> None:
        """Show another check."""
        self.curve = curve
        self.setAccessibleDescription(curve_words(curve) if curve is not None else "")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of a small plot beside the table."""
        return QSize(self.theme.px(260), self.theme.px(150))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the marks can be read."""
        return QSize(self.theme.px(170), self.theme.px(140))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, the forbidden side, both curves, and the marks."""
        curve = self.curve
        if curve is None:
            return
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        scale = 1.0 if curve.now.unit else 100.0
        low, high = _range(curve, scale)
        spacing, ticks = linear_ticks(low, high, max(2, int(self.height() / (3.2 * metrics.height()))))
        texts = [tick_text(tick, spacing) for tick in ticks]
        left = max(metrics.horizontalAdvance(text) for text in texts) + 8
        area = QRectF(left, metrics.height() + 2, self.width() - left - 10, 0)
        area.setBottom(self.height() - 2 * metrics.height() - 8)
        place = _Place(area, curve.last_n, low, high, scale)
        self._bad_side(painter, place, curve)
        self.x_axis(painter, area, 0.0, float(curve.last_n), "n →")
        for tick, text in zip(ticks, texts, strict=True):
            y = place.at(0, tick / scale).y()
            room = QRectF(0, y - metrics.height() / 2, left - 4, metrics.height())
            self.write(painter, room, text, "text2", Qt.AlignmentFlag.AlignRight)
        title = f"{'lower' if curve.bound.above else 'upper'} end{f', {curve.now.unit}' if curve.now.unit else ', %'}"
        self.write(painter, QRectF(0, 0, self.width(), metrics.height()), title, "text3", Qt.AlignmentFlag.AlignLeft)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -1, 1, 1))
        self._line(painter, place, curve.no_change, Qt.PenStyle.DashLine, "text3")
        self._line(painter, place, curve.stays, Qt.PenStyle.SolidLine, "plot_chosen")
        painter.restore()
        self._marks(painter, place, curve, metrics)

    def _bad_side(self, painter: QPainter, place: _Place, curve: DecisionCurve) -> None:
        area, y = place.area, place.at(0, curve.bound.limit).y()
        side = QRectF(area.left(), area.top(), area.width(), y - area.top())
        if curve.bound.above:
            side = QRectF(area.left(), y, area.width(), area.bottom() - y)
        painter.fillRect(side, self.colour("bad", 0.10))
        painter.setPen(self.pen("bad", 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))

    def _line(
        self,
        painter: QPainter,
        place: _Place,
        points: Sequence[tuple[float, float]],
        style: Qt.PenStyle,
        token: str,
    ) -> None:
        if points:
            painter.setPen(self.pen(token, 2 if style == Qt.PenStyle.SolidLine else 1, style))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([place.at(n, end) for n, end in points]))

    def _marks(self, painter: QPainter, place: _Place, curve: DecisionCurve, metrics: QFontMetricsF) -> None:
        """Draw what is measured, and the n at which each curve passes the limit."""
        marks = [(float(curve.now.n), curve.end, "warn", f"now, n {curve.now.n:,}")]
        for n, token, words in (
            (curve.needed, "plot_chosen", "if the number stays"),
            (curve.needed_no_change, "text3", "if it is 0"),
        ):
            if n is not None and n <= curve.last_n:
                marks.append((float(n), curve.bound.limit, token, f"≈ {n:,} {words}"))
        side = self.theme.px(4)
        for n, end, token, words in marks:
            at = place.inside(n, end)
            painter.setPen(self.pen(token, 1, Qt.PenStyle.DotLine))
            painter.drawLine(at, QPointF(at.x(), place.area.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour(token))
            painter.drawEllipse(at, side, side)
            self._word(painter, place.area, at, words, token, metrics)
            area = QRectF(at.x() - side, at.y() - side, 2 * side, 2 * side)
            self.spots.append(Spot(area, curve.check, f"{words}: {curve.name}"))

    def _word(
        self, painter: QPainter, area: QRectF, at: QPointF, words: str, token: str, metrics: QFontMetricsF
    ) -> None:
        """Write beside a mark, on the side that has room; a mark below another one takes the line under it."""
        width = metrics.horizontalAdvance(words) + 4
        x = at.x() + 8 if at.x() + 8 + width <= area.right() else max(area.left(), at.x() - 8 - width)
        y = at.y() - metrics.height() - 2 if token != "text3" else at.y() + 3
        room = QRectF(x, min(max(area.top() - 2, y), area.bottom() - metrics.height()), width, metrics.height())
        self.write(painter, room, words, "text" if token == "warn" else "text2", Qt.AlignmentFlag.AlignLeft)


class _Place:
    """Where a value lies on the chart."""

    def __init__(self, area: QRectF, last: float, low: float, high: float, scale: float) -> None:
        self.area, self._last, self._low, self._high, self._scale = area, last, low, high, scale

    def at(self, n: float, end: float) -> QPointF:
        """Return the point of an end of an interval at n."""
        share = (self._scale * end - self._low) / (self._high - self._low)
        return QPointF(
            self.area.left() + n / self._last * self.area.width(), self.area.bottom() - share * self.area.height()
        )

    def inside(self, n: float, end: float) -> QPointF:
        """Return the same point, or the nearest one of the area."""
        found = self.at(n, end)
        return QPointF(found.x(), min(max(found.y(), self.area.top()), self.area.bottom()))


def _range(curve: DecisionCurve, scale: float) -> tuple[float, float]:
    """Return the axis: the limit, what is measured, and the ends of both curves."""
    zero = curve.bound.limit if curve.bound.above and not curve.no_change else 0.0
    known = [curve.bound.limit, curve.end, zero, curve.stays[-1][1]]
    known += [curve.no_change[-1][1]] if curve.no_change else []
    return bounds([scale * value for value in known], least=scale * 0.02 if not curve.now.unit else 0.5)


def curve_words(curve: DecisionCurve) -> str:
    """Return what the curve says, as a sentence."""
    scale, unit = (1.0, f" {curve.now.unit}") if curve.now.unit else (100.0, " %")
    which = "lower" if curve.bound.above else "upper"
    parts = [
        f"{curve.name}: the {which} end is {format_value(scale * curve.end, 3)}{unit} at n {curve.now.n:,}, "
        f"the limit {format_value(scale * curve.bound.limit, 3)}{unit}."
    ]
    if curve.needed is not None:
        parts.append(f"About {curve.needed:,} decide it if the number stays what it is.")
    if curve.needed_no_change is not None:
        parts.append(f"About {curve.needed_no_change:,} if the true number is 0 (power .80).")
    if len(parts) == 1:
        parts.append("More of them would rather decide against it.")
    return " ".join(parts)
