"""The over-optimisation chart: accuracy and win rate of checkpoints against their distance from the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds

X_TITLE = "distance from the reference, √KL, √nats →"
_HALF, _LEAST = 50.0, 12.0
_TOKENS: Mapping[str, str] = {"preference_accuracy": "plot_accuracy", "win_rate": "plot_chosen"}
_NAMES: Mapping[str, str] = {
    "preference_accuracy": "preference accuracy, % (proxy)",
    "win_rate": "win rate by people, %",
}


@dataclass(frozen=True, slots=True)
class CurveMark:
    """One number of one checkpoint: value, low and high end of its distance and of the number in per cent."""

    series: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    key: str
    words: str


@dataclass(frozen=True, slots=True)
class CurveLine:
    """A fitted curve in per cent, and the distance at which it turns; NaN where that is not on the chart."""

    series: str
    path: Sequence[tuple[float, float]]
    peak: float = math.nan


class OverOptimisationChart(PaintedChart):
    """Dots of the proxy, squares of people, with their intervals; curves and their peaks; opening one tells its key."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Over-optimisation")
        self.marks: tuple[CurveMark, ...] = ()
        self.lines: tuple[CurveLine, ...] = ()
        self._shown = ""

    def show_curve(self, marks: Sequence[CurveMark], lines: Sequence[CurveLine], *, shown: str) -> None:
        """Show checkpoints; ``shown`` is the key of the one that the page is on, which has a ring."""
        self.marks, self.lines, self._shown = tuple(marks), tuple(lines), shown
        self._current = -1
        self.setAccessibleDescription("; ".join(mark.words for mark in self.marks))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the intervals of some checkpoints stand apart."""
        return QSize(self.theme.px(460), self.theme.px(290))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(220), self.theme.px(230))

    # Painting

    def paint(self, painter: QPainter) -> None:
        """Draw axes, the value of the reference, curves with their peaks, and marks."""
        if not self.marks:
            return
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        left = metrics.horizontalAdvance("100") + 10
        area = QRectF(QPointF(left, 2 * line + 12), QPointF(self.width() - 12, self.height() - 2 * line - 8))
        if area.width() < 20 or area.height() < 20:
            return
        most = 1.05 * max(_finite(max(mark.x[0], _or(mark.x[2], mark.x[0])) for mark in self.marks))
        ends = [_HALF, *(end for mark in self.marks for end in mark.y), *(v for one in self.lines for _, v in one.path)]
        low, high = bounds(ends, least=_LEAST)
        self.x_axis(painter, area, 0.0, most, X_TITLE, digits=1)
        self.y_ticks(painter, area, low, high)
        self._legend(painter, metrics)

        def place(x: float, y: float) -> QPointF:
            across, up = x / most, (y - low) / (high - low)
            return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(place(0.0, _HALF), place(most, _HALF))
        for fitted in self.lines:
            self._line(painter, fitted, place, area, metrics)
        for mark in self.marks:
            self._mark(painter, mark, place)

    def _legend(self, painter: QPainter, metrics: QFontMetricsF) -> None:
        """Write what dots and squares are, a line each, above the chart."""
        half, top = float(self.theme.px(4)), 0.0
        for series, name in _NAMES.items():
            if any(mark.series == series for mark in self.marks):
                self._symbol(painter, series, QPointF(half + 3, top + metrics.height() / 2), half)
                room = QRectF(3 * half + 6, top, self.width() - 3 * half - 8, metrics.height())
                shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room.width())
                self.write(painter, room, shown, "text2", Qt.AlignmentFlag.AlignLeft)
                top += metrics.height() + 2

    def _line(self, painter: QPainter, fitted: CurveLine, place: object, area: QRectF, metrics: QFontMetricsF) -> None:
        """Draw a curve and where it turns."""
        token = _TOKENS[fitted.series]
        painter.setPen(self.pen(token, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([place(x, y) for x, y in fitted.path]))  # type: ignore[operator]
        if not math.isfinite(fitted.peak):
            return
        x = place(fitted.peak, _HALF).x()  # type: ignore[operator]
        painter.setPen(self.pen(token, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        words = "peak"
        room = QRectF(
            x + 4, area.bottom() - metrics.height() - 2, metrics.horizontalAdvance(words) + 2, metrics.height()
        )
        if room.right() > self.width():
            room.moveRight(x - 4)
        self.write(painter, room, words, token, Qt.AlignmentFlag.AlignLeft)

    def _mark(self, painter: QPainter, mark: CurveMark, place: object) -> None:
        """Draw a mark with its intervals, and a ring around the one that the page is on.

        Both numbers of a checkpoint have the same distance: they stand beside each other, so that both bars are seen.
        """
        half, token = float(self.theme.px(4)), _TOKENS[mark.series]
        beside = QPointF((1 if mark.series == "win_rate" else -1) * half / 2, 0.0)
        at = place(mark.x[0], mark.y[0]) + beside  # type: ignore[operator]
        painter.setPen(self.pen(token, 1))
        for ends in (
            [(mark.x[0], end) for end in mark.y[1:]],
            [(end, mark.y[0]) for end in mark.x[1:]],
        ):
            if all(math.isfinite(value) for end in ends for value in end):
                painter.drawLine(*(place(*end) + beside for end in ends))  # type: ignore[operator]
        if mark.key == self._shown:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.pen("text", 1))
            painter.drawEllipse(at, half + 4, half + 4)
        self._symbol(painter, mark.series, at, half)
        self.spots.append(Spot(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half), mark.key, mark.words))

    def _symbol(self, painter: QPainter, series: str, at: QPointF, half: float) -> None:
        painter.setPen(self.pen("surface", 1))
        painter.setBrush(self.colour(_TOKENS[series]))
        if series == "win_rate":
            painter.drawRect(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half))
        else:
            painter.drawEllipse(at, half, half)


def _finite(values: object) -> list[float]:
    """Return the values that are finite and above 0, 1 where there is none."""
    return [value for value in values if math.isfinite(value) and value > 0] or [1.0]  # type: ignore[attr-defined]


def _or(value: float, other: float) -> float:
    return value if math.isfinite(value) else other
