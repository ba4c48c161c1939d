"""The card around a plot: head, titles of both axes, and the lines that every plot has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from app.theme.theme import Theme
from app.widgets.labels import ElideLabel, FitLabel
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.curve_items import Axes, dashed
from app.widgets.plots.levels import Levels
from app.widgets.plots.plot_head import PlotHead
from app.widgets.plots.step_marks import SpanMark, StepMarks
from app.widgets.plots.view_box import StepViewBox


class PlotFrame(QFrame):
    """A card with a head, a chart and what its axes measure.

    Args:
        theme: colours and fonts.
        title: of the plot.
        colour: token of its swatch, empty where it has several curves.
        axis: what is measured along y.
        zero: whether a line stands at zero.
        tools: whether the head has buttons.
    """

    def __init__(self, theme: Theme, title: str, colour: str, *, axis: str, zero: bool, tools: bool) -> None:
        super().__init__()
        self._theme, self._title, self._about = theme, title, ""
        self._scale, self.axes, self.along = self.devicePixelRatioF(), Axes(), AlongX()
        self.setProperty("part", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 4)
        column.setSpacing(2)
        self.head = PlotHead(theme, title, [colour] if colour else [], tools=tools)
        column.addWidget(self.head)
        self._axis_words = [f"↑ {axis}", f"↑ {axis.partition(',')[0]}", ""]
        self.y_title = FitLabel(*self._axis_words, kind="hint")
        self.y_title.setVisible(bool(axis))
        column.addWidget(self.y_title)
        self.view = StepViewBox()
        self.plot = PlotCanvas(self.view, whole_steps=True)
        self.plot.setMinimumSize(160, 78)
        self.plot.setAccessibleName(title)
        self.plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column.addWidget(self.plot, 1)
        column.addLayout(self._below())
        self._zero = pg.InfiniteLine(0.0, angle=0) if zero else None
        self._cross = pg.InfiniteLine(0.0, angle=90)
        self._cross.setVisible(False)
        for line in (self._zero, self._cross):
            if line is not None:
                self.plot.add(line, fitted=False)
        self.marks, self.levels = StepMarks(self.plot), Levels(self.plot)

    def _below(self) -> QHBoxLayout:
        """Return the line under the plot: whose it is, on a picture, and what the steps are."""
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        self._whose = ElideLabel("", kind="hint", outside=True)
        self._whose.hide()
        self.x_title = FitLabel(*self.along.titles, kind="hint")
        self.x_title.setAlignment(Qt.AlignmentFlag.AlignRight)
        row.addWidget(self._whose, 1)
        row.addWidget(self.x_title, 1)
        return row

    def set_along(self, along: AlongX) -> None:
        """Have something else along x, or more of it."""
        before, self.along = self.along, along
        if before.axis != along.axis or before.missing != along.missing:
            self.x_title.set_texts(along.titles)
            self.plot.bottom.set_whole(along.axis.whole)
        if not along.same_places(self.axes.places):
            self.place_on(replace(self.axes, places=along.places))

    def place_on(self, axes: Axes) -> None:
        """Put everything where other axes have it."""
        self.axes = axes
        self.head.log.setChecked(axes.log_y)
        self.plot.set_log(x=axes.log_x, y=axes.log_y)
        if self._zero is not None:
            self._zero.setVisible(not axes.log_y)
        self.levels.place(axes)

    @property
    def title(self) -> str:
        """What the plot is called."""
        return self._title

    def rename(self, title: str, about: str) -> None:
        """Take another title, and what belongs to the newest value."""
        self._title, self._about = title, about
        self.head.set_title(title)
        self.plot.setAccessibleName(title)

    def set_notes(self, notes: Sequence[str]) -> None:
        """Say something beside the title of the axis, in the longest of these wordings that has room."""
        noted = [f"{words} · {note}" for note in notes for words in self._axis_words if words]
        self.y_title.set_texts([*noted, *notes, *self._axis_words])

    def show_whose(self, whose: str) -> None:
        """Say whose plot it is under it, or nothing."""
        self._whose.setText(whose)
        self._whose.setVisible(bool(whose))

    def style_frame(self, scale: float) -> None:
        """Take the theme's colours for all that is not a curve."""
        tokens = self._theme.tokens
        self.plot.restyle(self._theme, scale, self._theme.font(11))
        self.view.band_colour = tokens.colour("accent", 0.14)
        self._cross.setPen(pg.mkPen(tokens["accent"], width=scale))
        if self._zero is not None:
            self._zero.setPen(dashed(tokens["text3"], scale))
        self.marks.restyle(self._theme, scale)
        self.levels.restyle(self._theme, scale)

    def set_marks(self, spans: Sequence[SpanMark]) -> None:
        """Mark the stretches of insights."""
        if self.marks.set_spans(spans):
            self.marks.restyle(self._theme, self._scale)
            self.marks.place(self.axes)

    def set_fork(self, step: float, text: str) -> None:
        """Mark where a fork begins; NaN takes the mark away."""
        self.marks.set_fork(step, text)
        self.marks.place(self.axes)

    def set_resumes(self, steps: Sequence[float]) -> None:
        """Mark the steps at which the run went on after a stop."""
        if self.marks.set_resumes(steps):
            self.marks.restyle(self._theme, self._scale)
            self.marks.place(self.axes)

    def clear_marks(self) -> None:
        """Mark nothing, and draw no level."""
        self.set_marks(())
        self.set_fork(float("nan"), "")
        self.set_resumes(())
        self.levels.clear()
