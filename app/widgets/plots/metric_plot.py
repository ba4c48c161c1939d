"""One live plot: raw values pale under a smoothed line, a crosshair, marks for what is not a number.

Moving the mouse moves the crosshair of every linked plot; a click names a step; Shift and a drag name a range.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.labels import ElideLabel, text_label
from app.widgets.plots.curves import Curve, CurveSpec, Floats, format_value, not_shown_on_log, smooth, thin
from app.widgets.plots.view_box import StepViewBox

BUCKETS = 900
RAW_SHARE = 0.35
"""How much of its colour the raw line keeps; blended beforehand, since a translucent pen draws slowly."""


class MetricPlot(QFrame):
    """A card with a title, the newest values and the curves.

    Signals:
        hovered(float): the step under the mouse, NaN when it left.
        picked(int): a step was clicked.
        ranged(int, int): a range of steps was dragged with Shift.
        moved(): the user panned or zoomed, so following should stop.
    """

    hovered = Signal(float)
    picked = Signal(int)
    ranged = Signal(int, int)
    moved = Signal()

    def __init__(self, theme: Theme, title: str, specs: Sequence[CurveSpec], *, unit: str = "", zero: bool = False):
        super().__init__()
        self._theme, self._specs, self._title, self._unit = theme, tuple(specs), title, unit
        self.curves: dict[str, Curve] = {spec.metric: Curve() for spec in specs}
        self._smoothed: dict[str, Floats] = {spec.metric: np.empty(0) for spec in specs}
        self._weight, self._raw, self._log, self._target = 0.85, True, False, float("nan")
        self.setProperty("part", "card")
        self.setObjectName(f"plot_{specs[0].metric}")
        self._build(zero)
        theme.changed.connect(self.restyle)
        self.restyle()

    def _build(self, zero: bool) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 4)
        column.setSpacing(2)
        head = QHBoxLayout()
        self._name = text_label(self._title, "section")
        self._value = ElideLabel("", kind="caption")
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self._name)
        head.addWidget(self._value, 1)
        column.addLayout(head)
        self.view = StepViewBox()
        self.plot = pg.PlotWidget(viewBox=self.view, enableMenu=False)
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        self.plot.setMinimumSize(160, 90)
        self.plot.setAccessibleName(self._title)
        self.plot.hideButtons()
        self.plot.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        column.addWidget(self.plot, 1)
        item = self.plot.getPlotItem()
        item.getAxis("left").setWidth(46)
        item.setClipToView(True)
        self._zero = pg.InfiniteLine(0.0, angle=0) if zero else None
        self._goal = pg.InfiniteLine(0.0, angle=0, label="", labelOpts={"position": 0.94, "anchors": [(1, 0), (1, 1)]})
        self._cross = pg.InfiniteLine(0.0, angle=90)
        self._cross.setVisible(False)
        self._goal.setVisible(False)
        for line in (self._zero, self._goal, self._cross):
            if line is not None:
                self.plot.addItem(line, ignoreBounds=True)
        self._raws = {s.metric: self._make_line() for s in self._specs}
        self._lines = {s.metric: self._make_line() for s in self._specs}
        self._ends = {s.metric: self._make_end(s) for s in self._specs}
        self._rings = {s.metric: self._make_rings() for s in self._specs if s.sparse}
        self._nans = pg.ScatterPlotItem(symbol="t1", size=9)
        self._dots = pg.ScatterPlotItem(symbol="o", size=8)
        self.plot.addItem(self._nans, ignoreBounds=True)
        self.plot.addItem(self._dots, ignoreBounds=True)
        self.plot.scene().sigMouseMoved.connect(self._mouse)
        self.view.clicked.connect(self._clicked)
        self.view.ranged.connect(lambda a, b: self.ranged.emit(round(a), round(b)))
        self.view.sigRangeChangedManually.connect(lambda *_: self.moved.emit())
        self.view.sigRangeChanged.connect(lambda *_: self._place_marks())

    def _make_line(self) -> pg.PlotCurveItem:
        line = pg.PlotCurveItem(segmentedLineMode="on", connect="finite", antialias=True)
        self.plot.addItem(line)
        return line

    def _make_rings(self) -> pg.ScatterPlotItem:
        rings = pg.ScatterPlotItem(symbol="o", size=6)
        self.plot.addItem(rings, ignoreBounds=True)
        return rings

    def _make_end(self, spec: CurveSpec) -> pg.TextItem:
        end = pg.TextItem(spec.label if len(self._specs) > 1 else "", anchor=(0, 0.5))
        end.setVisible(False)
        self.plot.addItem(end, ignoreBounds=True)
        return end

    # What is shown

    def set_curve(self, metric: str, steps: Sequence[float], values: Sequence[float]) -> None:
        """Take the whole series of one metric; missing values are NaN."""
        curve = Curve(np.asarray(steps, dtype=float), np.asarray(values, dtype=float))
        self.curves[metric] = curve
        self._smoothed[metric] = smooth(curve.values, self._weight_of(metric))
        self._draw(metric)

    def _weight_of(self, metric: str) -> float:
        return 0.0 if metric in self._rings else self._weight

    def set_smoothing(self, weight: float) -> None:
        """Smooth all curves with ``weight`` of the past, 0 to 0.99."""
        self._weight = weight
        for metric, curve in self.curves.items():
            self._smoothed[metric] = smooth(curve.values, self._weight_of(metric))
            self._draw(metric)

    def set_raw(self, shown: bool) -> None:
        """Show or hide the raw values under the smoothed line."""
        self._raw = shown
        for metric in self.curves:
            self._draw(metric)

    def set_log(self, on: bool) -> None:
        """Put the values on a logarithmic axis; those that are not positive are counted in the head."""
        self._log = on
        self.plot.getPlotItem().setLogMode(y=on)
        for metric in self.curves:
            self._draw(metric)

    def set_target(self, value: float, label: str = "target") -> None:
        """Draw a level to keep below, such as a KL budget; NaN takes it away."""
        self._target = value
        shown = bool(np.isfinite(value) and value > 0)
        self._goal.setVisible(shown)
        if shown:
            self._goal.setPos(np.log10(value) if self._log else value)
            self._goal.label.setFormat(f"{label} {value:g}")

    def smoothed(self, metric: str) -> Floats:
        """Return the smoothed values of a metric."""
        return self._smoothed[metric]

    def first_step(self) -> float:
        """Return the first step of any curve, 0 when there is none."""
        return min((float(c.steps[0]) for c in self.curves.values() if c.steps.size), default=0.0)

    def last_step(self) -> float:
        """Return the newest step of any curve, 0 when there is none."""
        return max((float(c.steps[-1]) for c in self.curves.values() if c.steps.size), default=0.0)

    def fit(self, total: float = 0.0) -> None:
        """Show everything from the first step to the last, or to ``total`` steps planned."""
        right = max(self.last_step(), total, 1.0)
        self.plot.setXRange(min(self.first_step(), right - 1), right * 1.15, padding=0.01)
        self.view.enableAutoRange(axis="y")

    def set_crosshair(self, step: float) -> None:
        """Put the crosshair on a step; NaN hides it."""
        shown = bool(np.isfinite(step))
        self._cross.setVisible(shown)
        if shown:
            self._cross.setPos(step)
        spots = []
        for spec in self._specs:
            value = _at(self.curves[spec.metric], self._smoothed[spec.metric], step) if shown else None
            if value is not None and not (self._log and value <= 0):
                y = np.log10(value) if self._log else value
                colour = self._theme.tokens.colour(spec.colour)
                spots.append({"pos": (step, y), "brush": colour, "pen": pg.mkPen(self._theme.tokens["surface"])})
        self._dots.setData(spots)

    def values_at(self, step: float) -> dict[str, float | None]:
        """Return each curve's raw value at a step."""
        return {spec.label: self.curves[spec.metric].at(step) for spec in self._specs}

    # Looks

    def restyle(self) -> None:
        """Take the theme's colours."""
        tokens = self._theme.tokens
        self.plot.setBackground(tokens["surface"])
        for side in ("left", "bottom"):
            axis = self.plot.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(tokens["border_strong"]))
            axis.setTextPen(pg.mkPen(tokens["text2"]))
            axis.setStyle(tickFont=self._theme.font(11), tickLength=-4)
        self.plot.getPlotItem().showGrid(x=False, y=True, alpha=0.18)
        self._cross.setPen(pg.mkPen(tokens["text2"]))
        self._goal.setPen(pg.mkPen(tokens["warn"], style=Qt.PenStyle.DashLine))
        self._goal.label.setColor(tokens["warn"])
        if self._zero is not None:
            self._zero.setPen(pg.mkPen(tokens["text3"], style=Qt.PenStyle.DashLine))
        self._nans.setPen(pg.mkPen(tokens["bad"]))
        self._nans.setBrush(pg.mkBrush(tokens["bad"]))
        for spec in self._specs:
            self._ends[spec.metric].setColor(tokens["text"])
            self._draw(spec.metric)

    def _pen(self, spec: CurveSpec, *, raw: bool) -> QPen:
        tokens = self._theme.tokens
        if raw:
            return pg.mkPen(tokens.blend(spec.colour, "surface", RAW_SHARE), width=1)
        return pg.mkPen(tokens[spec.colour], width=2)

    def _draw(self, metric: str) -> None:
        spec = next(s for s in self._specs if s.metric == metric)
        curve, smoothed = self.curves[metric], self._smoothed[metric]
        raw_on = self._raw and self._weight_of(metric) > 0
        self._raws[metric].setVisible(raw_on)
        if raw_on:
            self._raws[metric].setData(*self._points(curve.steps, curve.values), pen=self._pen(spec, raw=True))
        self._lines[metric].setData(*self._points(curve.steps, smoothed), pen=self._pen(spec, raw=False))
        if metric in self._rings:
            pen = pg.mkPen(self._theme.tokens[spec.colour], width=1.5)
            self._rings[metric].setData(
                *self._points(curve.steps, smoothed), pen=pen, brush=self._theme.tokens["surface"]
            )
        self._place_marks()
        self._show_values()

    def _points(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        if self._log:
            with np.errstate(divide="ignore", invalid="ignore"):
                y = np.where(y > 0, np.log10(np.where(y > 0, y, 1.0)), np.nan)
        return thin(x, y, BUCKETS)

    def _place_marks(self) -> None:
        """Put the triangles of missing values at the top edge, and the words at the line ends."""
        top = self.view.viewRange()[1][1]
        missing = [s for c in self.curves.values() for s in c.steps[~np.isfinite(c.values)]]
        self._nans.setData(missing, [top] * len(missing))
        for spec in self._specs:
            end, curve = self._ends[spec.metric], self.curves[spec.metric]
            finite = np.flatnonzero(np.isfinite(self._smoothed[spec.metric]))
            end.setVisible(bool(finite.size) and len(self._specs) > 1)
            if finite.size:
                y = float(self._smoothed[spec.metric][finite[-1]])
                end.setPos(float(curve.steps[finite[-1]]), np.log10(y) if self._log and y > 0 else y)

    def _show_values(self) -> None:
        several = len(self._specs) > 1
        parts = [
            f"{spec.label} {format_value(self.curves[spec.metric].last)}" if several else
            format_value(self.curves[spec.metric].last)
            for spec in self._specs
        ]  # fmt: skip
        text = " · ".join(parts) + (f" {self._unit}" if self._unit else "")
        if self._log and (hidden := sum(not_shown_on_log(c.values) for c in self.curves.values())):
            text += f"  ({hidden} not shown)"
        self._value.setText(text)
        n = max((c.steps.size for c in self.curves.values()), default=0)
        self.plot.setAccessibleDescription(f"{self._title}, {n} points, newest {text}")

    # The mouse

    def _mouse(self, position: QPointF) -> None:
        inside = self.plot.getPlotItem().sceneBoundingRect().contains(position)
        self.hovered.emit(self.view.mapSceneToView(position).x() if inside else float("nan"))

    def _clicked(self, x: float) -> None:
        self.picked.emit(max(0, round(x)))

    def leaveEvent(self, event: object) -> None:
        """Hide the crosshair when the mouse leaves the card."""
        self.hovered.emit(float("nan"))
        QWidget.leaveEvent(self, event)  # type: ignore[arg-type]


def _at(curve: Curve, values: Floats, step: float) -> float | None:
    return Curve(curve.steps, values).at(step)
