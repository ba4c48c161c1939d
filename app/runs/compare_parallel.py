"""Compared runs in all numbers at once: an axis a number, a line a run; every axis has its own scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.runs.compare_curves import run_token
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from core.domain.estimate import Estimate
from core.domain.number_text import estimate_text, format_value
from core.domain.run_comparison import COMPARED, RunComparison

TITLE = "All numbers of the runs"
HEADS = ("Run", "Number", "Value [95 %], n", "Estimator")
_HEIGHT, _LEAST = 230, 190


@dataclass(frozen=True, slots=True)
class NumberAxis:
    """One number: what it is called, its ends, and its estimate by the place of the run."""

    label: str
    low: float
    high: float
    values: Mapping[int, Estimate]

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, from 0 to 1; in the middle where both ends are equal."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


def axes_of(found: RunComparison) -> list[NumberAxis]:
    """Return an axis for each number that a run has; its ends are those of all values and intervals."""
    axes = []
    for name, label in COMPARED.items():
        values = {
            place: run.values[name]
            for place, run in enumerate(found.runs)
            if name in run.values and math.isfinite(run.values[name].value)
        }
        ends = [
            end for one in values.values() for end in (one.value, *((one.low, one.high) if one.has_interval else ()))
        ]
        if ends:
            axes.append(NumberAxis(label, min(ends), max(ends), values))
    return axes


def number_cells(found: RunComparison) -> list[tuple[str, ...]]:
    """Return the table twin: a row for each number of each run."""
    return [
        (run.letter, COMPARED[name], estimate_text(one), one.estimator)
        for run in found.runs
        for name, one in run.values.items()
        if name in COMPARED and math.isfinite(one.value)
    ]


class CompareParallel(PaintedChart):
    """A line a run across the axes, with the interval of each number; opening a mark tells the letter of its run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, TITLE)
        self.axes: Sequence[NumberAxis] = ()
        self._letters: Sequence[str] = ()
        self._dashed: frozenset[int] = frozenset()

    def show_runs(self, found: RunComparison) -> None:
        """Draw other runs; those with another objective than the baseline's are dashed."""
        other = {one.letter for one in found.against if one.objection}
        self.axes, self._letters = axes_of(found), found.letters
        self._dashed = frozenset(place for place, letter in enumerate(self._letters) if letter in other)
        self.setAccessibleDescription(f"{', '.join(axis.label for axis in self.axes)}; {len(self._letters)} lines")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the axes can be told apart."""
        return QSize(self.theme.px(420), self.theme.px(_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes have their ends."""
        return QSize(self.theme.px(220), self.theme.px(_LEAST))

    def paint(self, painter: QPainter) -> None:
        """Draw the axes with their ends, then the runs."""
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        if not self.axes:
            return
        line, wide = metrics.height(), self.width() / len(self.axes)
        area = QRectF(0, 3 * line + 6, self.width(), 0)
        area.setBottom(self.height() - line - 6)
        for number, axis in enumerate(self.axes):
            room = QRectF(number * wide, 0, wide, line)
            self._axis(painter, area, room, axis, metrics)
        for place in range(len(self._letters)):
            self._run(painter, area, place, wide)

    def _axis(self, painter: QPainter, area: QRectF, room: QRectF, axis: NumberAxis, metrics: QFontMetricsF) -> None:
        x, middle, line = room.center().x(), Qt.AlignmentFlag.AlignHCenter, metrics.height()
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        for number, part in enumerate(_two_lines(axis.label, metrics, room.width() - 4)):
            self.write(painter, QRectF(room.left(), number * line, room.width(), line), part, "text", middle)
        for top, value in ((area.top() - line - 2, axis.high), (area.bottom() + 3, axis.low)):
            if value != axis.low or axis.high == axis.low or top > area.top():
                words = metrics.elidedText(format_value(value, 3), Qt.TextElideMode.ElideRight, room.width() - 4)
                self.write(painter, QRectF(room.left(), top, room.width(), line), words, "text2", middle)

    def _run(self, painter: QPainter, area: QRectF, place: int, wide: float) -> None:
        """Draw one run: a line from axis to axis where it has the number, its intervals beside each other."""
        token, side = run_token(place), float(self.theme.px(3))
        shift = (place - (len(self._letters) - 1) / 2) * side
        before: QPointF | None = None
        for number, axis in enumerate(self.axes):
            one = axis.values.get(place)
            if one is None:
                before = None
                continue
            x = (number + 0.5) * wide
            y = lambda value, axis=axis: area.bottom() - axis.share(value) * area.height()  # noqa: E731
            at = QPointF(x, y(one.value))
            painter.setPen(self.pen(token, 2, Qt.PenStyle.DashLine if place in self._dashed else Qt.PenStyle.SolidLine))
            if before is not None:
                painter.drawLine(before, at)
            painter.setPen(self.pen(token, 1))
            if one.has_interval:
                painter.drawLine(QPointF(x + shift, y(one.low)), QPointF(x + shift, y(one.high)))
            painter.setBrush(self.colour(token))
            painter.drawEllipse(at, side, side)
            letter = self._letters[place]
            box = QRectF(at.x() - side, at.y() - side, 2 * side, 2 * side)
            self.spots.append(Spot(box, letter, f"{letter}: {axis.label} {estimate_text(one)}"))
            before = at


def _two_lines(label: str, metrics: QFontMetricsF, width: float) -> tuple[str, str]:
    """Return a label in two lines, each cut where it is too wide; one that fits stands in the lower line."""
    words = label.split()
    first = next(
        (n for n in range(len(words) - 1, 0, -1) if metrics.horizontalAdvance(" ".join(words[:n])) <= width), 1
    )
    if metrics.horizontalAdvance(label) <= width or len(words) == 1:
        first = 0
    upper, lower = (
        metrics.elidedText(" ".join(part), Qt.TextElideMode.ElideRight, width)
        for part in (words[:first], words[first:])
    )
    return upper, lower
