"""Margins of all pairs over the steps: an image of fixed bins under three percentiles; a cell leads to its pairs."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout

from app.theme.theme import Theme
from app.widgets.plots.curve_items import Axes
from app.widgets.plots.curves import Curve, exact_text
from app.widgets.plots.heat_legend import HeatLegend, coloured
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.pairs_asked import PairsAsked
from app.widgets.plots.run_plots import RunPlot
from core.domain.counting import counted
from core.services.runs.run_plots import MarginHeat, PairPlots

_PIXELS = 600
"""Columns of the image; each takes the colours of the look that stands there, so that looks need not be even."""
_COLOUR = "plot_margin"


class HeatPlot(MetricPlot):
    """A plot of percentiles with a heat map behind them.

    Signals:
        pairs_wanted(PairsAsked): a cell was clicked.
    """

    pairs_wanted = Signal(object)

    def __init__(self, theme: Theme, kind: RunPlot) -> None:
        self._heat: MarginHeat | None = None
        self._plots = PairPlots()
        self._image = pg.ImageItem()
        super().__init__(theme, kind.title, kind.curves, unit=kind.unit, axis=kind.axis, zero=kind.zero, tools=True)
        self._image.setZValue(-15)
        self.plot.add(self._image)
        self.legend = HeatLegend(theme, _COLOUR)
        column = self.layout()
        if isinstance(column, QBoxLayout):
            row, place = QHBoxLayout(), column.indexOf(self.plot)
            row.addWidget(self.plot, 1)
            row.addWidget(self.legend)
            column.insertLayout(place, row, 1)
        self.head.log.setVisible(False)
        self.view.clicked.disconnect()
        self.view.clicked_at.connect(self._cell)

    def take_plots(self, plots: PairPlots) -> None:
        """Take the margins of all pairs."""
        same = plots.heat is self._heat
        self._plots, self._heat = plots, plots.heat
        if same:
            return
        self._draw_image()
        self._show_values()

    def clear(self) -> None:
        """Draw nothing."""
        self._plots, self._heat = PairPlots(), None
        super().clear()
        self._draw_image()

    def set_log(self, on: bool) -> None:
        """Stay linear."""

    def place_on(self, axes: Axes) -> None:
        """Put everything where other axes have it."""
        super().place_on(axes)
        self._draw_image()

    def restyle(self) -> None:
        """Take the theme's colours."""
        super().restyle()
        self._draw_image()

    def _draw_image(self) -> None:
        heat = self._heat
        if heat is None or not heat.n.size:
            self._image.clear()
            return
        ends = self.axes.x(np.maximum(heat.borders[[0, -1]], 0.5 if self.axes.log_x else -np.inf))
        low, high = float(ends[0]), float(ends[1])
        if not high > low:
            self._image.clear()
            return
        places = low + (np.arange(_PIXELS) + 0.5) * (high - low) / _PIXELS
        steps = self.axes.steps_at(places)
        column = np.clip(np.searchsorted(heat.borders, steps, side="right") - 1, 0, heat.n.size - 1)
        self._image.setImage(coloured(self._theme, _COLOUR, heat.shares)[column], autoLevels=False)
        bottom, top = heat.edges[0], heat.edges[-1]
        self._image.setRect(QRectF(low, bottom, high - low, top - bottom))

    def _show_values(self) -> None:
        heat = self._heat
        if heat is None or not heat.n.size:
            self.head.set_values(["–"])
            return
        n, lost = int(heat.n[-1]), int(heat.missing.sum())
        notes = f" ({lost:,} not a number)" if lost else ""
        first = f"{self._plots.of} · n {n:,}"
        self.head.set_values([f"{first} · log colour{notes}", f"{first}{notes}", f"n {n:,}{notes}", f"n {n:,}"])
        words = f"{self._title}, {counted(heat.n.size, 'look')} of {counted(n, 'pair')}"
        levels = ", ".join(f"{spec.label} {heat.levels[i, -1]:.3g}" for i, spec in enumerate(self.specs))
        self.plot.setAccessibleDescription(f"{words}; newest {levels} nats")

    def _cell(self, x: float, y: float) -> None:
        """Ask for the pairs of the cell under a click; beside the image a click means the step."""
        step = self.axes.step_at(x)
        if (asked := self.cell_at(step, y)) is not None:
            self.pairs_wanted.emit(asked)
        else:
            self.picked.emit(max(0, round(step)))

    def cell_at(self, step: float, h: float) -> PairsAsked | None:
        """Return the pairs of the cell at a step and a height in nats; None where there is none."""
        heat = self._heat
        bin_ = heat.bin_at(h) if heat is not None else None
        if heat is None or bin_ is None or not heat.n.size or not heat.borders[0] <= step <= heat.borders[-1]:
            return None
        column = heat.column_of(step)
        first, last = int(heat.first[column]), int(heat.last[column])
        pairs = self._plots.pairs
        part = slice(pairs.at(first).start, pairs.at(last).stop)
        inside = heat.bins.members(pairs.h[part].tolist(), bin_)
        visits = frozenset((int(pairs.steps[part][i]), pairs.pair_ids[part][i]) for i in inside)
        when = f"step {first}" if first == last else f"steps {first} to {last}"
        title = f"{heat.words_of(bin_)} nats, {self._plots.of}, {when}: {counted(len(visits), 'pair')}"
        return PairsAsked(title, self._plots.kind, first, last, visits)

    def table_curves(self) -> dict[str, Curve]:
        """Return the percentiles, and how many pairs are in each bin that ever held one."""
        found = dict(self.curves)
        if (heat := self._heat) is not None:
            for bin_, counts in enumerate(heat.counts.T):
                if counts.any():
                    steps = heat.last.astype(np.float64)
                    found[f"pairs, {heat.words_of(bin_)}"] = Curve(steps, counts.astype(np.float64))
        return found

    def to_csv(self, run: str) -> str:
        """Return one row a cell that holds pairs, with the run in the first column."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["run", "first step", "last step", "h from (nats)", "h to (nats)", "pairs", "n"])
        if (heat := self._heat) is not None:
            for column, bin_ in np.argwhere(heat.counts):
                ends = (heat.edges[bin_], heat.edges[bin_ + 1])
                numbers = (int(heat.first[column]), int(heat.last[column]), *map(exact_text, ends))
                writer.writerow([run, *numbers, int(heat.counts[column, bin_]), int(heat.n[column])])
        return out.getvalue()
