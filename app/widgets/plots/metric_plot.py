"""One live plot: raw values pale under a smoothed line, a crosshair, marks for what is not a number.

Moving the mouse moves the crosshair of every linked plot; a click names a step; Shift and a drag name a range.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Signal
from PySide6.QtWidgets import QWidget

from app.theme.theme import Theme
from app.widgets.plots.curve_items import Axes, CurveItems, spread
from app.widgets.plots.curves import Curve, CurveSpec, Floats, smoothed
from app.widgets.plots.head_text import head_texts
from app.widgets.plots.plot_frame import PlotFrame
from core.domain.counting import counted

_MIDDLE = 0.98
_WORD_EDGE = 0.4
"""How near a word's middle may come to the upper or lower end, in heights of the word: its letters just fit."""
_END_ROOM = 8
"""Pixels between the end of a curve, its word and the frame."""


class MetricPlot(PlotFrame):
    """The curves of one measure, in a frame.

    Signals:
        hovered(float): the step under the mouse, NaN when it left. picked(int): a step was clicked.
        ranged(int, int): steps were dragged with Shift.
        moved(): the user panned or zoomed. fit_wanted(): a double click asked for the whole run.
    """

    hovered = Signal(float)
    picked = Signal(int)
    ranged = Signal(int, int)
    moved = Signal()
    fit_wanted = Signal()

    def __init__(
        self,
        theme: Theme,
        title: str,
        specs: Sequence[CurveSpec],
        *,
        unit: str = "",
        axis: str = "",
        zero: bool = False,
        tools: bool = False,
    ) -> None:
        colour = specs[0].colour if len(specs) == 1 or specs[0].label == "batch" else ""
        super().__init__(theme, title, colour, axis=axis, zero=zero, tools=tools)
        self.specs, self._unit = tuple(specs), unit
        self._weight, self._raw = 0.85, True
        self._fitted = 1.0
        self._cross_step = float("nan")
        self._range = (float("nan"), float("nan"))
        self.setObjectName(f"plot_{specs[0].metric}")
        self._build()
        theme.follow(self.restyle)
        self.restyle()

    def _build(self) -> None:
        self._items = {s.metric: CurveItems(self.plot, s, named=len(self.specs) > 1) for s in self.specs}
        self._nans = pg.ScatterPlotItem(symbol="t1", size=9, useCache=False)
        self._dots = pg.ScatterPlotItem(symbol="o", size=8, useCache=False)
        self.plot.add(self._nans, fitted=False)
        self.plot.add(self._dots, fitted=False)
        self.plot.mouse.sigMouseMoved.connect(self._mouse)
        self.view.clicked.connect(lambda x: self.picked.emit(max(0, round(self.axes.step_at(x)))))
        self.view.ranged.connect(self._dragged)
        self.view.fit_wanted.connect(self.fit_wanted)
        self.view.sigRangeChangedManually.connect(lambda *_: self.moved.emit())
        self.view.sigXRangeChanged.connect(lambda *_: self._draw_long())
        self.view.sigRangeChanged.connect(lambda *_: self._place_marks())
        self.head.log_wanted.connect(self.set_log)

    # What is shown

    def set_title(self, title: str, about: str = "") -> None:
        """Call the plot something else; ``about`` belongs to its newest value ("n 8 · 75 % cut")."""
        if (title, about) != (self._title, self._about):
            self.rename(title, about)
            self._show_values()

    def has_probe(self, spec: CurveSpec) -> bool:
        """Whether a probe measures the same, so that the batches are only a faint line."""
        return self._items[spec.metric].behind

    @property
    def curves(self) -> dict[str, Curve]:
        """The curves by the name of their metric."""
        return {metric: items.curve for metric, items in self._items.items()}

    def set_curve(self, metric: str, steps: Sequence[float], values: Sequence[float]) -> bool:
        """Take the whole series of one metric; missing values are NaN. Returns whether anything changed."""
        return self.take(metric, Curve(np.asarray(steps, dtype=float), np.asarray(values, dtype=float)))

    def take(self, metric: str, curve: Curve) -> bool:
        """Take one metric with its intervals. Returns whether anything changed."""
        items, curve = self._items[metric], curve.in_order()
        if items.curve.same_as(curve):
            return False
        items.set_curve(curve, smoothed(curve, self._weight_of(items.spec)))
        for other in self._items.values():
            if metric in (other.spec.probe, other.spec.metric) and other.spec.probe in self._items:
                other.set_behind(self._items[other.spec.probe].curve.last is not None)
        self._draw(items)
        self._show_values()
        return True

    def set_before(self, metric: str, curve: Curve) -> None:
        """Take what a metric was in the run that this one was forked from."""
        curve = curve.in_order()
        if not (items := self._items[metric]).before.same_as(curve):
            items.set_before(curve)
            self._draw(items)

    def clear(self) -> None:
        """Draw nothing: another run is shown, whose values are not there yet."""
        for items in self._items.values():
            items.set_before(Curve())
        for metric in self._items:
            self.take(metric, Curve())
        self.clear_marks()
        self._redraw()

    def _weight_of(self, spec: CurveSpec) -> float:
        return 0.0 if spec.sparse else self._weight

    def set_smoothing(self, weight: float) -> None:
        """Smooth all curves with ``weight`` of the past, 0 to 0.99."""
        self._weight = weight
        for items in self._items.values():
            items.set_curve(items.curve, smoothed(items.curve, self._weight_of(items.spec)))
        self._redraw()

    def set_raw(self, shown: bool) -> None:
        """Show or hide the raw values under the smoothed line."""
        self._raw = shown
        self._redraw()

    def set_outliers(self, ignored: bool) -> None:
        """Fit the value axis to the middle 98 % of the points, or to all; the head counts what lies outside."""
        self._fitted = _MIDDLE if ignored else 1.0
        self.view.enableAutoRange(y=self._fitted)
        self._show_values()

    def set_log(self, on: bool) -> None:
        """Put the values on a logarithmic axis; those that are not positive are counted in the head."""
        self.place_on(replace(self.axes, log_y=on))

    def set_log_x(self, on: bool) -> None:
        """Put what is along x on a logarithmic axis; 0 has no place there."""
        self.place_on(replace(self.axes, log_x=on))

    def place_on(self, axes: Axes) -> None:
        """Put everything where other axes have it."""
        super().place_on(axes)
        self._redraw()
        self.set_crosshair(self._cross_step)
        self.show_range(*self._range)

    def set_target(self, value: float, label: str = "target") -> None:
        """Draw a level to keep below, such as a KL budget; NaN or 0 takes it away."""
        shown = bool(np.isfinite(value) and value > 0)
        self.levels.set("target", value if shown else float("nan"), f"{label} {value:g}", "warn")

    def smoothed(self, metric: str) -> Floats:
        """Return the smoothed values of a metric."""
        return self._items[metric].smoothed

    def first_step(self) -> float:
        """Return the first step of any curve, 0 when there is none."""
        curves = [*self.curves.values(), *(items.before for items in self._items.values())]
        return min((float(c.steps[0]) for c in curves if c.steps.size), default=0.0)

    def last_step(self) -> float:
        """Return the newest step of any curve, 0 when there is none."""
        return max((float(c.steps[-1]) for c in self.curves.values() if c.steps.size), default=0.0)

    def span(self, total: float = 0.0) -> tuple[float, float]:
        """Return the ends along x that show everything up to ``total`` planned steps, words at line ends included."""
        first, last = self.first_step(), max(self.last_step(), 1.0)
        left = self.axes.place(max(1.0, first) if self.axes.log_x else min(first, last - 1))[0]
        end, planned = self.axes.place(last)[0], self.axes.place(max(last, total))[0]
        end = max(end, left + 1e-3)
        room = _END_ROOM + max((i.end_size[0] for i in self._items.values() if i.end_place(self.axes)), default=0.0)
        share = min(0.5, room / max(1.0, self.view.width()))
        margin = 0.015 * (max(planned, end) - left)
        return left - margin, max(planned + margin, left + (end - left) / (1.0 - share))

    def fit(self, total: float = 0.0) -> None:
        """Show everything from the first step to the last, or to ``total`` steps planned."""
        self.show_span(*self.span(total))

    def show_span(self, left: float, right: float, last: float = math.inf) -> None:
        """Show a range along x with all values in it; behind the step ``last`` only words, no ticks."""
        self.plot.bottom.set_last(self.axes.place(last)[0] if math.isfinite(last) and last > 0 else math.inf)
        if not np.allclose(self.view.viewRange()[0], (left, right), rtol=1e-9, atol=1e-9):
            self.view.setXRange(left, right, padding=0)
        if not self.view.autoRangeEnabled()[1]:
            self.view.enableAutoRange(y=self._fitted)

    def show_range(self, first: float, last: float) -> None:
        """Mark a range of steps; NaN takes the mark away."""
        self._range = (first, last)
        self.view.show_band(*(self.axes.place(step)[0] for step in self._range))

    @property
    def crosshair(self) -> float:
        """The step that the crosshair is on, NaN without one."""
        return self._cross_step

    def set_crosshair(self, step: float) -> None:
        """Put the crosshair on a step; NaN hides it."""
        self._cross_step = step
        x = self.axes.place(step)[0]
        shown = bool(np.isfinite(x))
        self._cross.setVisible(shown)
        if shown:
            self._cross.setPos(x)
        spots = []
        for items in self._items.values() if shown else ():
            place = items.place_at(self.axes, step)
            if place is not None:
                colour = self._theme.tokens.colour(items.spec.colour)
                spots.append({"pos": place, "brush": colour, "pen": pg.mkPen(self._theme.tokens["surface"])})
        self._dots.setData(spots)

    def values_at(self, step: float) -> dict[str, float | None]:
        """Return each curve's raw value at a step, by its metric."""
        return {metric: items.curve.at(step) for metric, items in self._items.items()}

    # Looks

    def restyle(self) -> None:
        """Take the theme's colours."""
        tokens, scale = self._theme.tokens, self._scale
        self.style_frame(scale)
        self._nans.setPen(pg.mkPen(tokens["bad"], width=scale))
        self._nans.setBrush(pg.mkBrush(tokens["bad"]))
        for items in self._items.values():
            items.restyle(self._theme, scale)
        self._redraw()

    @contextmanager
    def pens_for(self, scale: float, whose: str = "") -> Iterator[None]:
        """Draw for a picture of ``scale`` pixels to one; pens are so many pixels wide, so they have to grow with it.

        A picture says ``whose`` it is, and has neither crosshair nor selection nor buttons.
        """
        before, self._scale = self._scale, scale
        step, chosen = self._cross_step, self._range
        self.set_crosshair(float("nan"))
        self.show_range(float("nan"), float("nan"))
        self.restyle()
        self.show_whose(whose)
        try:
            with self.head.without_tools():
                yield
        finally:
            self._scale = before
            self.show_whose("")
            self.restyle()
            self.set_crosshair(step)
            self.show_range(*chosen)

    def event(self, event: QEvent) -> bool:
        """Keep the width of lines when the window moves to a finer or coarser screen."""
        if event.type() == QEvent.Type.DevicePixelRatioChange and self._scale != self.devicePixelRatioF():
            self._scale = self.devicePixelRatioF()
            self.restyle()
        return super().event(event)

    def _redraw(self) -> None:
        for items in self._items.values():
            self._draw(items, marks=False)
        self._place_marks()
        self._show_values()

    def _draw_long(self) -> None:
        for items in self._items.values():
            if items.long:
                self._draw(items, marks=False)

    def _draw(self, items: CurveItems, *, marks: bool = True) -> None:
        left, right = self.view.viewRange()[0]
        items.draw(self.axes, (left, right), raw=self._raw and self._weight_of(items.spec) > 0)
        if marks:
            self._place_marks()

    def _place_marks(self) -> None:
        """Put the triangles of missing values at the top edge, and the words at the line ends."""
        self.plot.set_blank(not any(i.curve.steps.size or i.before.steps.size for i in self._items.values()))
        bottom, top = self.view.viewRange()[1]
        missing = self.axes.x(np.concatenate([items.missing for items in self._items.values()]))
        missing = missing[np.isfinite(missing)]
        self._nans.setData(missing, np.full(missing.size, top))
        named = [(items, place) for items in self._items.values() if (place := items.end_place(self.axes))]
        high = max((items.end_size[1] for items, _ in named), default=0.0)
        high *= (top - bottom) / max(1.0, self.view.height())
        self.marks.words_from = min((place[0] for _, place in named), default=math.inf)
        self.marks.place(self.axes)
        low, most = self.levels.room_beside([(items.end_size[0], *place) for items, place in named])
        inside = (low + _WORD_EDGE * high, most - _WORD_EDGE * high)
        apart = spread([place[1] for _, place in named], 0.8 * high, inside)
        ends = {items.spec.metric: (place[0], y) for (items, place), y in zip(named, apart, strict=True)}
        for metric, items in self._items.items():
            items.show_end(ends.get(metric))

    def _show_values(self) -> None:
        named = [
            (i.spec, i.curve)
            for i in self._items.values()
            if not i.behind and (i.curve.last is not None or (i.curve.steps.size and not i.spec.is_part))
        ]
        texts = head_texts(
            named or [(i.spec, i.curve) for i in self._items.values()][:1],
            unit=self._unit,
            about=self._about,
            log_y=self.axes.log_y,
            fitted=self._fitted,
        )
        self.head.set_values(texts)
        n = max((c.steps.size for c in self.curves.values()), default=0)
        self.plot.setAccessibleDescription(f"{self._title}, {counted(n, 'point')}, newest {texts[0]}")

    # The mouse

    def _mouse(self, position: QPointF) -> None:
        inside = self.plot.inside(position)
        self.hovered.emit(self.axes.step_at(self.view.mapSceneToView(position).x()) if inside else float("nan"))

    def _dragged(self, left: float, right: float) -> None:
        self.ranged.emit(max(0, round(self.axes.step_at(left))), max(0, round(self.axes.step_at(right))))

    def leaveEvent(self, event: object) -> None:
        """Hide the crosshair when the mouse leaves the card."""
        self.hovered.emit(float("nan"))
        QWidget.leaveEvent(self, event)  # type: ignore[arg-type]
