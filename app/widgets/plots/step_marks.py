"""What is marked along the steps of a plot: stretches of insights with their numbers, where a fork begins, resumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtGui import QColor

from app.theme.theme import Theme
from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.curve_items import Axes, dashed


@dataclass(frozen=True, slots=True)
class SpanMark:
    """A stretch of steps with the number of its insight; ``tone`` is a colour token."""

    first: float
    last: float
    number: int
    tone: str


class StepMarks:
    """Draws the marks of one plot; they never change the range of the axes.

    Attributes:
        words_from: a place along x at which words begin; no number of a stretch reaches over it.
    """

    def __init__(self, plot: PlotCanvas) -> None:
        self._plot = plot
        self.words_from = math.inf
        self._spans: tuple[SpanMark, ...] = ()
        self._items: list[tuple[pg.LinearRegionItem, pg.TextItem]] = []
        self._theme: Theme | None = None
        self._fork_step, self._fork_text = math.nan, ""
        self._fork = pg.InfiniteLine(
            0.0, angle=90, label="", labelOpts={"position": 0.06, "anchors": [(0, 1), (0, 1)], "movable": False}
        )
        self._fork.setVisible(False)
        plot.add(self._fork, fitted=False)
        self._resumes: list[tuple[float, pg.InfiniteLine]] = []

    @property
    def spans(self) -> tuple[SpanMark, ...]:
        """The stretches that are drawn."""
        return self._spans

    @property
    def fork_text(self) -> str:
        """What stands at the mark of a fork, empty for none."""
        return self._fork_text if self._fork.isVisible() else ""

    def set_spans(self, spans: Sequence[SpanMark]) -> bool:
        """Draw other stretches; returns whether they changed."""
        if tuple(spans) == self._spans:
            return False
        for region, text in self._items:
            self._plot.view.removeItem(region)
            self._plot.view.removeItem(text)
        self._spans, self._items = tuple(spans), []
        for _ in spans:
            region = pg.LinearRegionItem(movable=False, pen=pg.mkPen(None))
            region.setZValue(-20)
            text = pg.TextItem("", anchor=(0.5, 0.0))
            self._plot.add(region, fitted=False)
            self._plot.add(text, fitted=False)
            self._items.append((region, text))
        return True

    def set_fork(self, step: float, text: str) -> None:
        """Mark the step that a fork continues from; NaN takes the mark away."""
        self._fork_step, self._fork_text = step, text
        self._fork.label.setFormat(text)

    def set_resumes(self, steps: Sequence[float]) -> bool:
        """Mark the steps at which the run went on after a stop; returns whether they changed."""
        if tuple(steps) == self.resumes:
            return False
        for _, line in self._resumes:
            self._plot.view.removeItem(line)
        options = {"position": 0.94, "anchors": [(0, 0), (0, 0)], "movable": False}
        self._resumes = [
            (step, pg.InfiniteLine(0.0, angle=90, label=" resumed", labelOpts=options)) for step in dict.fromkeys(steps)
        ]
        for _, line in self._resumes:
            self._plot.add(line, fitted=False)
        return True

    @property
    def resumes(self) -> tuple[float, ...]:
        """The steps that are marked as resumed."""
        return tuple(step for step, _ in self._resumes)

    def place(self, axes: Axes) -> None:
        """Put everything where the axes have it now."""
        (_, (bottom, top)), across = self._plot.view.viewRange(), self._plot.view.viewPixelSize()[0]
        used: list[float] = []
        for span, (region, text) in zip(self._spans, self._items, strict=True):
            left, right = (axes.place(max(step, 1.0) if axes.log_x else step)[0] for step in (span.first, span.last))
            region.setRegion((left, right))
            low = used.count(round((left + right) / 2, 6))
            used.append(round((left + right) / 2, 6))
            height = text.boundingRect().height() * (top - bottom) / max(1.0, self._plot.view.height())
            half = text.boundingRect().width() * across / 2
            middle = (left + right) / 2
            in_the_way = middle - half < self.words_from < middle + half
            text.setPos(self.words_from - half if in_the_way else middle, top - low * height)
        for step, line in self._resumes:
            at = axes.place(step)[0]
            line.setVisible(math.isfinite(at))
            if math.isfinite(at):
                line.setPos(at)
        x = axes.place(self._fork_step)[0]
        self._fork.setVisible(math.isfinite(x))
        if math.isfinite(x):
            self._fork.setPos(x)

    def set_visible(self, shown: bool) -> None:
        """Show or hide the stretches, as for a picture of the plot."""
        for region, text in self._items:
            region.setVisible(shown)
            text.setVisible(shown)

    def restyle(self, theme: Theme, scale: float) -> None:
        """Take the theme's colours."""
        tokens = theme.tokens
        for span, (region, text) in zip(self._spans, self._items, strict=True):
            colour: QColor = tokens.colour(span.tone, 0.12)
            region.setBrush(pg.mkBrush(colour))
            for line in region.lines:
                line.setPen(pg.mkPen(tokens.colour(span.tone, 0.5), width=scale))
            text.setText(f" {span.number} ")
            text.setFont(theme.font(11))
            text.setColor(tokens["surface"])
            text.fill = pg.mkBrush(tokens[span.tone])
        for line in (self._fork, *(line for _, line in self._resumes)):
            line.setPen(dashed(tokens["text2"], scale))
            line.label.setColor(tokens["text2"])
            line.label.setFont(theme.font(11))
