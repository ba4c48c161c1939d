"""Held-out h of several runs in one chart: a colour a run, 95 % bands, dashed where the objective is another one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds
from app.widgets.plots.ticks import linear_ticks, tick_text
from core.domain.x_axis import STEP

RUN_TOKENS = ("text", "plot_held_out", "plot_margin", "plot_chosen", "plot_accuracy", "plot_rejected")
"""Colours of the runs of a comparison, the baseline first; a seventh run begins again with the second colour."""
TITLE, UNIT = "Held-out margin", "↑ held-out h = margin / β, nats"
_TEXT_PX, _BAND = 12, 0.16


def run_token(place: int) -> str:
    """Return the colour token of the run at this place.

    >>> run_token(0), run_token(6)
    ('text', 'plot_held_out')
    """
    return RUN_TOKENS[place if place < len(RUN_TOKENS) else 1 + (place - 1) % (len(RUN_TOKENS) - 1)]


@dataclass(frozen=True, slots=True)
class RunCurve:
    """One run: its points with the ends of their intervals, and what stands at its end.

    Attributes:
        letter: of the run. words: value and interval of the last point.
        steps, values, low, high: as long as each other; NaN where nothing is known.
        dashed: it answers another question than the baseline.
        places: where the steps stand along x; as long as they are, or empty where they are the places.
    """

    letter: str
    words: str
    steps: Sequence[int]
    values: Sequence[float]
    low: Sequence[float] = field(default=())
    high: Sequence[float] = field(default=())
    dashed: bool = False
    places: Sequence[float] = field(default=())

    @property
    def x(self) -> Sequence[float]:
        """Where the points stand along x."""
        return self.places or self.steps


class CompareCurves(PaintedChart):
    """The curves over the step, or what was seen up to it. Arrow keys go from point to point; one tells its run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, TITLE)
        self.curves: tuple[RunCurve, ...] = ()
        self.step: int | None = None
        self.along = AlongX()

    def show_curves(self, curves: Sequence[RunCurve], step: int | None = None, along: AlongX | None = None) -> None:
        """Show other runs, the baseline first, the step at which they are compared, and what stands along x.

        Where that is not the step, the point of each run at the step is filled.
        """
        self.curves, self.step, self.along = tuple(curves), step, along or AlongX()
        self._current = -1
        self.setAccessibleDescription("; ".join(f"{curve.letter}: {curve.words}" for curve in self.curves))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the ends of some curves stand apart."""
        return QSize(self.theme.px(420), self.theme.px(280))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(220), self.theme.px(190))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, bands, lines with the baseline on top, and the words at their ends."""
        ends = [v for c in self.curves for values in (c.values, c.low, c.high) for v in values if math.isfinite(v)]
        if not ends:
            return
        painter.setFont(self.theme.font(_TEXT_PX))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        low, high = _bounds(ends)
        last = max((place for curve in self.curves for place in curve.x), default=1) or 1
        widest = max(metrics.horizontalAdvance(f"{c.letter} {c.words}") for c in self.curves) + 10
        right = widest if widest < 0.45 * self.width() else metrics.horizontalAdvance("M") + 10
        area = QRectF(
            QPointF(self._left(metrics, low, high), line + 6),
            QPointF(self.width() - right, self.height() - 2 * line - 8),
        )
        if area.width() < 20 or area.height() < 20:
            return
        self.write(painter, QRectF(0, 0, self.width(), line), UNIT, "text3", Qt.AlignmentFlag.AlignLeft)
        self.x_axis(painter, area, 0.0, float(last), self._x_title(metrics), digits=self._digits(float(last)))
        self.y_ticks(painter, area, low, high)

        def at(step: float, value: float) -> QPointF:
            return QPointF(
                area.left() + step / last * area.width(), area.bottom() - (value - low) / (high - low) * area.height()
            )

        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(at(0, 0.0), at(last, 0.0))
        if self.step is not None and self.step < last and self.along.axis.name == STEP:
            painter.setPen(self.pen("text3", 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(at(self.step, 0).x(), area.top()), QPointF(at(self.step, 0).x(), area.bottom()))
        placed = [
            (place, curve, [at(s, v) for s, v in zip(curve.x, curve.values, strict=True) if math.isfinite(v)])
            for place, curve in enumerate(self.curves)
        ]
        for place, curve, _ in reversed(placed):
            self._band(painter, curve, run_token(place), at)
        for place, curve, points in reversed(placed):
            self._line(painter, curve, points, run_token(place))
        self._ends(painter, placed, area, wide=right == widest)

    def _x_title(self, metrics: QFontMetricsF) -> str:
        """Return the longest title for which there is room."""
        titles = self.along.titles
        return next((one for one in titles if metrics.horizontalAdvance(one) < self.width() - 8), titles[-1])

    def _digits(self, last: float) -> int:
        """Return the decimals of a tick of the axis."""
        return 0 if self.along.axis.whole or last > 20 else 2 if last < 2 else 1

    def _left(self, metrics: QFontMetricsF, low: float, high: float) -> float:
        line = metrics.height()
        spacing, ticks = linear_ticks(low, high, max(2, int((self.height() - 3 * line - 14) / (2 * line))))
        return max((metrics.horizontalAdvance(tick_text(tick, spacing)) for tick in ticks), default=10.0) + 8

    def _band(self, painter: QPainter, curve: RunCurve, token: str, at: object) -> None:
        known = [
            (step, low, high)
            for step, low, high in zip(curve.x, curve.low, curve.high, strict=False)
            if math.isfinite(low) and math.isfinite(high)
        ]
        if len(known) < 2:
            return
        there = [at(step, high) for step, _, high in known]  # type: ignore[operator]
        back = [at(step, low) for step, low, _ in reversed(known)]  # type: ignore[operator]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour(token, _BAND))
        painter.drawPolygon(QPolygonF([*there, *back]))

    def _line(self, painter: QPainter, curve: RunCurve, points: Sequence[QPointF], token: str) -> None:
        style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(self.colour(token), 2, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(points) > 1:
            painter.drawPolyline(QPolygonF(list(points)))
        known = [(s, x, v) for s, x, v in zip(curve.steps, curve.x, curve.values, strict=True) if math.isfinite(v)]
        for (step, x, value), point in zip(known, points, strict=True):
            compared = step == self.step and self.along.axis.name != STEP
            painter.setBrush(self.colour(token) if compared else Qt.BrushStyle.NoBrush)
            if len(points) == 1 or compared:
                painter.drawEllipse(point, 3, 3)
            area = QRectF(point.x() - 5, point.y() - 5, 10, 10)
            seen = f" ({self.along.axis.words(x)})" if curve.places else ""
            self.spots.append(Spot(area, curve.letter, f"{curve.letter}, step {step:,}{seen}: h {value:.3f} nats"))

    def _ends(
        self,
        painter: QPainter,
        placed: Sequence[tuple[int, RunCurve, Sequence[QPointF]]],
        area: QRectF,
        *,
        wide: bool,
    ) -> None:
        """Write each run at the end of its curve; where two would cover each other, one stands below the other."""
        line = QFontMetricsF(painter.font()).height()
        ends = sorted(((points[-1].y(), place, curve) for place, curve, points in placed if points), key=lambda e: e[0])
        free = area.top() - line
        for number, (y, place, curve) in enumerate(ends):
            lowest = area.bottom() - line * (len(ends) - number - 1)
            free = max(min(y - line / 2, lowest - line / 2), free)
            room = QRectF(area.right() + 6, free, self.width() - area.right() - 6, line)
            words = f"{curve.letter} {curve.words}" if wide else curve.letter
            self.write(painter, room, words, run_token(place), Qt.AlignmentFlag.AlignLeft)
            free += line


def _bounds(ends: Sequence[float]) -> tuple[float, float]:
    low, high = bounds([0.0, *ends], least=0.1)
    return (min(low, -0.04 * high), high) if low >= 0 else (low, high)
