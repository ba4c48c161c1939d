"""The reliability diagram: what the policy gives for an answer against what people say, bin by bin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.evaluate.figures import Figures, ItemsPlace, p_words, share_words
from app.theme.theme import Theme
from app.widgets.plots.chart_card import TableRow
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.plots.ticks import linear_ticks, tick_text
from core.domain.estimate import Estimate
from core.domain.evaluation_record import suite_words
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import format_value, interval_text

HEADS = ("Suite", "Policy says", "People prefer it, % [95 %]", "n")
_X_TITLE, _Y_TITLE = "σ(margin) that answer A is better →", "↑ people prefer A"


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """One bin: the mean probability, the share that people prefer with its Wilson interval, and its items."""

    predicted: float
    observed: Estimate
    key: ItemsPlace

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        return (
            f"Policy says {100 * self.predicted:.0f} %, people prefer it in {share_words(self.observed)} %, "
            f"n {self.observed.n:,}"
        )


def points_of(figures: Figures, suite: str) -> list[ReliabilityPoint]:
    """Return the bins of a suite under the policy."""
    diagram = figures.suites[suite].get("reliability", {}).get(figures.aligned) or {}
    return [
        ReliabilityPoint(
            float(one["predicted"]),
            read_estimate(one["observed"]),
            ItemsPlace(suite, ids=tuple(one.get("items", ())), words=f"policy says {100 * one['predicted']:.0f} %"),
        )
        for one in diagram.get("bins", ())
    ]


def largest(figures: Figures) -> str:
    """Return the suite whose diagram has most pairs; "" where none has one."""
    found = {suite: sum(point.observed.n for point in points_of(figures, suite)) for suite in figures.suites}
    best = max(found, key=lambda suite: found[suite], default="")
    return best if found.get(best) else ""


def about_of(figures: Figures, suite: str) -> str:
    """Return error and Brier score, with what chance alone gives, and the temperature that fits held-out pairs."""
    error, brier = (figures.estimate(suite, name, figures.aligned) for name in ("ece", "brier"))
    low, high = (figures.suites[suite]["reliability"][figures.aligned].get("chance") or (None, None))[:2]
    parts = [suite_words(suite)]
    if error is not None:
        parts.append(f"ECE {share_words(error)} %, n {error.n:,}")
    if low is not None and high is not None:
        parts.append(f"chance alone gives {100 * low:.1f} to {100 * high:.1f} %")
    if brier is not None:
        parts.append(f"Brier {format_value(brier.value, 3)} {interval_text(brier, 3)}".rstrip())
    tests = figures.suites[suite]["reliability"][figures.aligned].get("tests", ())
    parts += [f"{test['name']} {p_words(test['p'])}, n {test['n']:,}" for test in tests if test["p"] is not None]
    for dev in figures.with_metric("temperature"):
        fitted = figures.estimate(dev, "temperature", figures.aligned)
        if fitted is not None and math.isfinite(fitted.value):
            words = f"T {format_value(fitted.value, 3)} {interval_text(fitted, 3)}".rstrip()
            parts.append(f"{words} by {dev}, n {fitted.n:,} (above 1: too sure)")
    return ", ".join(parts) + "."


def rows_of(figures: Figures) -> list[TableRow]:
    """Return the bins of every suite as rows of a table."""
    return [
        TableRow(
            (suite_words(suite), f"{100 * p.predicted:.1f} %", share_words(p.observed), f"{p.observed.n:,}"), suite
        )
        for suite in figures.suites
        for p in points_of(figures, suite)
    ]


class ReliabilityChart(PaintedChart):
    """Bins with Wilson bars over the diagonal of a calibrated policy; their sizes stand at the bottom."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Reliability diagram")
        self.points: tuple[ReliabilityPoint, ...] = ()

    def show_points(self, points: Sequence[ReliabilityPoint]) -> None:
        """Show other bins."""
        self.points = tuple(points)
        self.setAccessibleDescription("; ".join(point.words for point in self.points))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the bars of ten bins stand apart."""
        return QSize(self.theme.px(320), self.theme.px(230))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(200), self.theme.px(200))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, diagonal, sizes, bars and points."""
        painter.setFont(self.theme.font(12))
        line = QFontMetricsF(painter.font()).height()
        tick = QFontMetricsF(painter.font()).horizontalAdvance("0.00")
        area = QRectF(QPointF(tick + 10, line + 6), QPointF(self.width() - tick / 2 - 4, self.height() - 2 * line - 8))
        if not self.points or area.width() < 20 or area.height() < 20:
            return
        low, high = _range([point.predicted for point in self.points])
        self.x_axis(painter, area, low, high, _X_TITLE, digits=2)
        self._y_axis(painter, area)

        def place(x: float, y: float) -> QPointF:
            across = (x - low) / (high - low)
            return QPointF(area.left() + across * area.width(), area.bottom() - y * area.height())

        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(place(low, low), place(high, high))
        self._sizes(painter, area, place)
        half = float(self.theme.px(4))
        painter.setPen(self.pen("plot_accuracy", 2))
        for before, after in zip(self.points, self.points[1:], strict=False):
            painter.drawLine(
                place(before.predicted, before.observed.value), place(after.predicted, after.observed.value)
            )
        for point in self.points:
            self._point(painter, point, place, half)

    def _sizes(self, painter: QPainter, area: QRectF, place: object) -> None:
        """Draw how many pairs each bin has, as bars at the bottom."""
        most = max(point.observed.n for point in self.points)
        width = float(self.theme.px(5))
        for point in self.points:
            at = place(point.predicted, 0.0)  # type: ignore[operator]
            height = 0.14 * area.height() * point.observed.n / most
            painter.fillRect(QRectF(at.x() - width / 2, at.y() - height, width, height), self.colour("text3", 0.45))

    def _point(self, painter: QPainter, point: ReliabilityPoint, place: object, half: float) -> None:
        at = place(point.predicted, point.observed.value)  # type: ignore[operator]
        painter.setPen(self.pen("plot_accuracy", 2))
        if point.observed.has_interval:
            top = place(point.predicted, point.observed.high)  # type: ignore[operator]
            bottom = place(point.predicted, point.observed.low)  # type: ignore[operator]
            painter.drawLine(top, bottom)
            for end in (top, bottom):
                painter.drawLine(QPointF(end.x() - half, end.y()), QPointF(end.x() + half, end.y()))
        painter.setPen(self.pen("surface", 1))
        painter.setBrush(self.colour("plot_accuracy"))
        painter.drawEllipse(at, half, half)
        box = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
        self.spots.append(Spot(box, point.key, point.words))

    def _y_axis(self, painter: QPainter, area: QRectF) -> None:
        metrics = QFontMetricsF(painter.font())
        spacing, ticks = linear_ticks(0.0, 1.0, max(2, int(area.height() / (2 * metrics.height()))))
        for tick in ticks:
            y = area.bottom() - tick * area.height()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 4, metrics.height())
            self.write(painter, room, tick_text(tick, spacing), "text2", Qt.AlignmentFlag.AlignRight)
        head = QRectF(0, 0, self.width(), metrics.height() + 2)
        self.write(painter, head, _Y_TITLE, "text3", Qt.AlignmentFlag.AlignLeft)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return the part of 0 to 1 that the probabilities are in, with some room, at least a fifth of it."""
    known = [value for value in values if math.isfinite(value)] or [0.5]
    low, high = min(known), max(known)
    room = max(0.04, (0.2 - (high - low)) / 2)
    return max(0.0, low - room), min(1.0, high + room)
