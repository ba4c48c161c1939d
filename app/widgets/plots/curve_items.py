"""One curve on a plot: the raw line, the smoothed line, rings at sparse values, and the word at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QPen

from app.theme.theme import Theme
from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.curves import Curve, CurveSpec, Floats, isolated, nearest, seen, thin
from core.services.runs.x_places import XPlaces

BUCKETS = 900
_FINER = 20
"""How many buckets a long curve is thinned to once, for each that is drawn: what pans goes through those alone."""
RAW_SHARE = 0.35
"""How much of its colour the raw line keeps; blended beforehand, since a translucent pen draws slowly."""
BAND_SHARE = 0.22
"""How much of its colour a band of intervals keeps."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where values stand on the axes: as they are, or as powers of ten; what has no place there is missing.

    ``places`` has what stands along x in place of the steps.
    """

    log_x: bool = False
    log_y: bool = False
    places: XPlaces | None = None

    def x(self, steps: Floats) -> Floats:
        """Return the places of steps along x."""
        there = steps if self.places is None else self.places.of(steps)
        return _power(there) if self.log_x else there

    def y(self, values: Floats) -> Floats:
        """Return the places of values along y."""
        return _power(values) if self.log_y else values

    def place(self, step: float, value: float = 0.0) -> tuple[float, float]:
        """Return the place of one point."""
        return float(self.x(np.asarray([step]))[0]), float(self.y(np.asarray([value]))[0])

    def steps_at(self, x: Floats) -> Floats:
        """Return the steps at places along x."""
        there = 10.0**x if self.log_x else x
        return there if self.places is None else self.places.steps_at(there)

    def step_at(self, x: float) -> float:
        """Return the step at a place along x."""
        return float(self.steps_at(np.asarray([x]))[0])


def _power(values: Floats) -> Floats:
    there = values > 0
    return np.where(there, np.log10(np.where(there, values, 1.0)), np.nan)


class _Intervals:
    """Draws the intervals of one curve as a band, or as bars."""

    def __init__(self, plot: PlotCanvas) -> None:
        self._low, self._high = _line(), _line()
        self.band = pg.FillBetweenItem(self._low, self._high)
        self.band.setZValue(-5)
        self.band.setVisible(False)
        self.bars = pg.ErrorBarItem(beam=0)
        for line in (self._low, self._high):
            line.setPen(pg.mkPen(None))
            plot.add(line)
        for item in (self.band, self.bars):
            plot.add(item, fitted=False)

    def restyle(self, theme: Theme, colour: str, scale: float) -> None:
        """Take the theme's colours."""
        self.band.setBrush(pg.mkBrush(theme.tokens.colour(colour, BAND_SHARE)))
        self.bars.setData(pen=pg.mkPen(theme.tokens[colour], width=1.5 * scale))

    def draw(self, curve: Curve, axes: Axes, *, bars: bool) -> None:
        """Draw a band, or bars where the curve asks for them or a single point has no width; nothing without any."""
        known = curve.has_intervals
        x = axes.x(curve.steps) if known else np.empty(0)
        low, high = (axes.y(ends) if known else np.empty(0) for ends in (curve.low, curve.high))
        bars = bars or np.count_nonzero(np.isfinite(low)) == 1
        self._low.setData(x, low)
        self._high.setData(x, high)
        self.band.setVisible(known and not bars)
        there = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        x, low, high = (part[there] if bars else np.empty(0) for part in (x, low, high))
        self.bars.setData(x=x, y=(low + high) / 2, height=high - low)


class CurveItems:
    """What is drawn of one metric. Curves are drawn from what is in view, so that zooming in brings detail back."""

    def __init__(self, plot: PlotCanvas, spec: CurveSpec, *, named: bool) -> None:
        self.spec, self.curve = spec, Curve()
        self.smoothed: Floats = np.empty(0)
        self.missing: Floats = np.empty(0)
        self.named, self.behind = named, False
        self._last = -1
        self._finer: dict[bool, tuple[Floats, Floats]] = {}
        self.before = Curve()
        self._plot = plot
        self._colours: tuple[Theme, float] | None = None
        self._raw, self._line = _line(), _line()
        self._parent: pg.PlotCurveItem | None = None
        self._intervals: _Intervals | None = None
        self._alone = pg.ScatterPlotItem(symbol="o", size=4, useCache=False)
        self._rings = pg.ScatterPlotItem(symbol="o", size=6, useCache=False) if spec.sparse and spec.rings else None
        self._end = pg.TextItem(f" {spec.label}", anchor=(0, 0.5))
        self._end.setVisible(False)
        self._end_at: tuple[float, float] | None = None
        for item in (self._raw, self._line):
            plot.add(item)
        for item in (self._alone, self._rings, self._end):
            if item is not None:
                plot.add(item, fitted=False)

    def set_curve(self, curve: Curve, smoothed: Floats) -> None:
        """Take other values."""
        self.curve, self.smoothed = curve, smoothed
        self.missing = curve.steps[~np.isfinite(curve.values)]
        there = np.flatnonzero(np.isfinite(smoothed))
        self._last = int(there[-1]) if there.size else -1
        self._finer = {}
        for line in (self._raw, self._line):  # smooth edges of thousands of steep lines take 50 ms to paint
            line.opts["antialias"] = not self.long

    def set_before(self, curve: Curve) -> None:
        """Take what the run had before its first step: the values of the run that it was forked from."""
        self.before = curve

    def set_behind(self, behind: bool) -> None:
        """Be a faint line beneath a probe of the same, or a line of its own."""
        if behind != self.behind:
            self.behind = behind
            if self._colours is not None:
                self.restyle(*self._colours)

    @property
    def long(self) -> bool:
        """Whether there are more points than are drawn at once."""
        return self.curve.steps.size > 2 * BUCKETS

    def restyle(self, theme: Theme, scale: float) -> None:
        """Take the theme's colours; ``scale`` is how many pixels of the target a pixel of the design takes."""
        self._colours = (theme, scale)
        tokens, spec = theme.tokens, self.spec
        faint = tokens.blend(spec.colour, "surface", RAW_SHARE)
        self._raw.setPen(pg.mkPen(faint, width=scale))
        colour, width = (faint, 1) if self.behind else (tokens[spec.colour], 2)
        self._line.setPen(dashed(tokens[spec.colour], scale) if spec.dash else pg.mkPen(colour, width=width * scale))
        if self._parent is not None:
            self._parent.setPen(dashed(tokens[spec.colour], scale))
        if self._intervals is not None:
            self._intervals.restyle(theme, spec.colour, scale)
        self._alone.setPen(pg.mkPen(None))
        self._alone.setBrush(pg.mkBrush(colour))
        self._end.setColor(tokens["text"])
        self._end.setFont(theme.font(12))
        if self._rings is not None:
            self._rings.setPen(pg.mkPen(tokens[spec.colour], width=1.5 * scale))
            self._rings.setBrush(pg.mkBrush(tokens["surface"]))

    def draw(self, axes: Axes, view: tuple[float, float], *, raw: bool) -> None:
        """Draw what lies between the places ``view`` along x; ``raw`` shows the raw values as well."""
        left, right = (axes.step_at(end) for end in view)
        self._raw.setVisible(raw)
        if raw:
            self._raw.setData(*self._points(self.curve.values, axes, left, right))
        points = self._points(self.smoothed, axes, left, right)
        self._line.setData(*points)
        self._draw_intervals(axes)
        self._draw_before(axes)
        there = np.isfinite(points[0]) & np.isfinite(points[1])
        if self._rings is not None:
            self._rings.setData(points[0][there], points[1][there])
        else:
            alone = isolated(np.where(there, points[1], np.nan))
            self._alone.setData(points[0][alone], points[1][alone])

    def _draw_before(self, axes: Axes) -> None:
        """Draw the values before the first step; the line for them is made once there are some."""
        if self._parent is None:
            if not self.before.steps.size:
                return
            self._parent = _line()
            self._parent.setZValue(-1)
            if self._colours is not None:
                theme, scale = self._colours
                self._parent.setPen(dashed(theme.tokens[self.spec.colour], scale))
            self._plot.add(self._parent)
        self._parent.setData(axes.x(self.before.steps), axes.y(self.before.values))

    def _draw_intervals(self, axes: Axes) -> None:
        """Draw the intervals; what draws them is made once there are some."""
        if self._intervals is None:
            if not self.curve.has_intervals:
                return
            self._intervals = _Intervals(self._plot)
            if self._colours is not None:
                theme, scale = self._colours
                self._intervals.restyle(theme, self.spec.colour, scale)
        self._intervals.draw(self.curve, axes, bars=self.spec.bars)

    def _points(self, values: Floats, axes: Axes, left: float, right: float) -> tuple[Floats, Floats]:
        steps = self.curve.steps
        if self.long:
            first, last = np.searchsorted(steps, (left, right))
            if last - first > steps.size / _FINER:
                steps, values = self._thinned(values)
            steps, values = seen(steps, values, left, right)
        steps, values = thin(steps, values, BUCKETS)
        return axes.x(steps), axes.y(values)

    def _thinned(self, values: Floats) -> tuple[Floats, Floats]:
        """Return a long curve in buckets that are finer than those that are drawn; every peak is still there."""
        which = values is self.smoothed
        if which not in self._finer:
            self._finer[which] = thin(self.curve.steps, values, _FINER * BUCKETS)
        return self._finer[which]

    def place_at(self, axes: Axes, step: float) -> tuple[float, float] | None:
        """Return the drawn point nearest to a step, or None where the curve has no number there."""
        steps = self.curve.steps
        if not steps.size:
            return None
        place = nearest(steps, step)
        x, y = axes.place(float(steps[place]), float(self.smoothed[place]))
        return (x, y) if np.isfinite(x) and np.isfinite(y) else None

    def end_place(self, axes: Axes) -> tuple[float, float] | None:
        """Return where the curve ends, or None when nothing of it can be drawn."""
        if not self.named or self.behind or self._last < 0:
            return None
        x, y = axes.place(float(self.curve.steps[self._last]), float(self.smoothed[self._last]))
        return (x, y) if np.isfinite(x) and np.isfinite(y) else None

    def show_end(self, place: tuple[float, float] | None) -> None:
        """Put the word at a place, or hide it."""
        if place == self._end_at:
            return
        self._end_at = place
        self._end.setVisible(place is not None)
        if place is not None:
            self._end.setPos(*place)

    @property
    def end_size(self) -> tuple[float, float]:
        """Width and height of the word in pixels."""
        box = self._end.boundingRect()
        return box.width(), box.height()


def spread(places: list[float], gap: float, inside: tuple[float, float] = (-math.inf, math.inf)) -> list[float]:
    """Return the places moved apart so that no two are nearer than ``gap``, each as near to its own as that allows.

    None lies beyond the ends ``inside``, as far as there is room for all.
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = [places[i] for i in order]
    for _ in moved:
        for low in range(len(moved) - 1):
            lack = gap - (moved[low + 1] - moved[low])
            if lack > 1e-9:
                moved[low] -= lack / 2
                moved[low + 1] += lack / 2
    for i, most in zip(reversed(range(len(moved))), count(inside[1], -gap), strict=False):
        moved[i] = min(moved[i], most)
    for i, least in zip(range(len(moved)), count(inside[0], gap), strict=False):
        moved[i] = max(moved[i], least)
    out = list(places)
    for place, i in zip(moved, order, strict=True):
        out[i] = place
    return out


def _line() -> pg.PlotCurveItem:
    return pg.PlotCurveItem(segmentedLineMode="on", connect="finite", antialias=True)


def dashed(colour: str, scale: float) -> QPen:
    """Return a dashed line of one pixel of the design."""
    pen = pg.mkPen(colour, width=scale)
    pen.setDashPattern([4, 3])
    return pen
