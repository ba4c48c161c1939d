"""The plots of a run side by side: one crosshair, one smoothing, one step to click.

A plot takes about 15 ms to make, so the grid makes one in each turn of the event loop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.widgets.plots import readout
from app.widgets.plots.curves import Curve
from app.widgets.plots.heat_plot import HeatPlot
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.pair_card import PairCard
from app.widgets.plots.plot_deck import RunCard
from app.widgets.plots.plot_layout import PlotLayout
from app.widgets.plots.plot_stack import PlotStack
from app.widgets.plots.run_plots import CURVES
from app.widgets.plots.run_series import Plain, RunSeries, plain_curve
from app.widgets.plots.step_marks import SpanMark


class MonitorGrid(PlotStack):
    """Plots, or the same values as a table.

    The grid is usable at once: it keeps its state for the plots that are not made yet.

    Signals:
        built(): all plots are made.
        hovered(float): the step under the crosshair, NaN for none.
        picked(int), ranged(int, int): a step was clicked, a range was dragged. pinned_at(float): it is held, or NaN.
        pairs_wanted(PairsAsked): a cell, slice or dot was opened.
        unfollowed(): the user moved a plot by hand.
        menu_requested(object, str): an entry of one plot's menu was chosen, see ``plot_head.MENU_ENTRIES``.
        fed(): all plots show the newest values.
    """

    built = Signal()
    hovered = Signal(float)
    picked = Signal(int)
    pinned_at = Signal(float)
    ranged = Signal(int, int)
    pairs_wanted = Signal(object)
    unfollowed = Signal()
    menu_requested = Signal(object, str)
    fed = Signal()

    def __init__(self, theme: Theme, layout: PlotLayout | None = None) -> None:
        """Make the grid of a layout; the plots of curves alone without one."""
        super().__init__(theme, layout or PlotLayout(CURVES))
        self.crosshair = math.nan
        self.pinned = math.nan
        self.range: tuple[int, int] | None = None
        self.following = True
        self._series, self._refits = RunSeries(), False
        self._spans: dict[str, list[SpanMark]] = {}
        self._anchor: MetricPlot | None = None
        self._feeding = IdleQueue(self)
        self._feeding.emptied.connect(self._finish_feeding)
        self._refit = QTimer(self)
        self._refit.setSingleShot(True)
        self._refit.timeout.connect(self._fit_in_slices)
        self._fitting, self._marking = IdleQueue(self), IdleQueue(self)
        self.deck.made.connect(self._made)
        self.deck.completed.connect(self._finish_building)

    def set_layout(self, layout: PlotLayout) -> None:
        """Show other plots, or in another order."""
        if layout == self.deck.layout:
            return
        super().set_layout(layout)
        self.feed(self._series)
        self.set_crosshair(self.crosshair)
        self.set_range(self.range)
        self._refit.start(0)

    def _finish_building(self) -> None:
        self._fit_in_slices()
        self.built.emit()
        if self._series.curves and not self._feeding.busy:
            self.fed.emit()

    def _made(self, key: str) -> None:
        """Give a plot that was just made the state of the others."""
        card = self.deck.cards[key]
        card.head.menu_requested.connect(lambda entry: self.menu_requested.emit(card, entry))
        card.head.enlarged.connect(lambda on: self.enlarge(card if on else None))
        card.head.set_movable()
        card.head.moved_by.connect(lambda by: self.move_card(card, by))
        card.head.dropped.connect(lambda place: self._drop(card, place))
        if isinstance(card, HeatPlot | PairCard):
            card.pairs_wanted.connect(self.pairs_wanted)
        if isinstance(card, MetricPlot):
            self._made_plot(card)
        else:
            card.show_step(self.pinned)
        self._feed_plot(card)
        if isinstance(card, MetricPlot) and self.following:
            self._show_span(card, *self._whole_run())

    def _made_plot(self, plot: MetricPlot) -> None:
        plot.hovered.connect(self._hover)
        plot.picked.connect(self.picked)
        plot.ranged.connect(self.ranged)
        plot.moved.connect(self._moved)
        plot.fit_wanted.connect(self.fit)
        if self._anchor is None:
            self._anchor = plot
        else:
            plot.view.setXLink(self._anchor.view)
        self._look.apply(plot)
        plot.set_crosshair(self.crosshair)
        plot.show_range(*(self.range or (math.nan, math.nan)))
        self._mark_plot(plot)

    def enlarge(self, chosen: RunCard | None) -> None:
        """Show one plot in the place of all, or all again with None."""
        self.deck.enlarge(chosen)
        self._refit.start(0)

    def set_series(self, values: Mapping[str, Plain], total: int) -> None:
        """Take plain series of the metrics, by name, and draw them at once; ``total`` steps are planned."""
        self.draw(RunSeries({name: plain_curve(series) for name, series in values.items()}, total))

    def draw(self, series: RunSeries) -> None:
        """Take the series of a run and draw them at once."""
        self._series = self._take_along(series)
        self._feeding.clear()
        for card in self.deck.shown:
            self._feed_plot(card)
        self._finish_feeding()
        if self.following:
            self.fit()

    def feed(self, series: RunSeries) -> None:
        """Take the series of a run, one plot at a time, so that no frame draws all of them."""
        self._refits = self._refits or series.along.axis != self._series.along.axis
        self._series = self._take_along(series)
        self._feeding.clear()
        for card in sorted(self.deck.shown, key=lambda card: card.isHidden()):
            self._feeding.add(partial(self._feed_plot, card), card)
        if not self._feeding.busy:
            self._finish_feeding()

    def _take_along(self, series: RunSeries) -> RunSeries:
        """Have along x what the series says."""
        self.along = series.along
        return series

    def clear(self) -> None:
        """Draw nothing until the next run's values come."""
        self._series, self._spans = RunSeries(along=self.along), {}
        self._feeding.clear()
        self._marking.clear()
        for card in self.deck.cards.values():
            card.clear()
        self.fit()

    def set_spans(self, spans: Mapping[str, Sequence[SpanMark]]) -> None:
        """Mark stretches of steps, by the metric on whose plot they stand; one plot in each turn of the event loop."""
        self._spans = {metric: list(marks) for metric, marks in spans.items()}
        self._marking.clear()
        for plot in self.plots:
            self._marking.add(partial(self._mark_plot, plot), plot)

    def _mark_plot(self, plot: MetricPlot) -> None:
        marks = [mark for metric in plot.curves for mark in self._spans.get(metric, ())]
        plot.set_marks(list(dict.fromkeys(marks)))

    def _feed_plot(self, plot: RunCard) -> None:
        if isinstance(plot, HeatPlot | PairCard):
            plot.take_plots(self._series.pairs)
        if isinstance(plot, PairCard):
            plot.chart.set_along(self._series.along)
        if isinstance(plot, MetricPlot):
            self._feed_curves(plot)

    def _feed_curves(self, plot: MetricPlot) -> None:
        series, first = self._series, next(iter(plot.curves))
        plot.set_along(series.along)
        changed = [plot.take(metric, series.curves.get(metric, Curve())) for metric in plot.curves]
        for metric in plot.curves:
            plot.set_before(metric, series.before.get(metric, Curve()))
        plot.set_fork(series.fork.step, series.fork.text if plot is self.plots[0] else "")
        plot.set_resumes(series.resumes)
        plot.set_notes(series.notes.get(first, ()))
        plot.head.set_help(series.helps.get(first, ""))
        for level in series.levels:
            if level.metric == first:
                plot.levels.set(level.key, level.value, level.words, level.tone, right=level.right)
        if first in series.titles:
            plot.set_title(*series.titles[first])
        if any(changed):
            plot.set_crosshair(self.crosshair)

    @property
    def _last_step(self) -> float:
        return max((plot.last_step() for plot in self.plots), default=0.0)

    def _finish_feeding(self) -> None:
        if self._refits:  # places along x mean something else: no view of before makes sense
            self._refits = False
            self.fit()
        self._fit_in_slices()
        if self.currentIndex() == 1:
            self.fill_table()
        if self.is_built:
            self.fed.emit()

    def fit(self) -> None:
        """Show the whole run in every plot."""
        self._fitting.clear()
        for plot in self.plots:
            plot.plot.take_size()
        span = self._whole_run()
        for plot in self.plots:
            self._show_span(plot, *span)

    def _fit_in_slices(self) -> None:
        """Fit one plot in each turn of the event loop, since each is painted anew; nothing unless they follow."""
        self._fitting.clear()
        late = [plot for plot in self.plots if not plot.plot.is_laid_out] if self.following else []
        for plot in late:
            self._fitting.add(plot.plot.take_size, plot)
        if late:
            self._fitting.add(self._show_spans)
        elif self.following:
            self._show_spans()

    def _show_spans(self) -> None:
        """Show the whole run in one plot after the other; how much room words at line ends take is known now."""
        left, right, last = self._whole_run()
        for plot in self.plots:
            if plot.view.viewRange()[0] == [left, right]:
                plot.show_span(left, right, last)
            else:
                self._fitting.add(partial(self._show_span, plot, left, right, last), plot)

    def _whole_run(self) -> tuple[float, float, float]:
        """Return the ends along x that show the whole run in every plot, and the last step planned."""
        spans = [plot.span(self._series.total) for plot in self.plots if not plot.isHidden()] or [(0.0, 1.0)]
        last = max(self._series.total, self._last_step)
        return min(low for low, _ in spans), max(high for _, high in spans), last

    def _show_span(self, chosen: MetricPlot, left: float, right: float, last: float) -> None:
        """Show a range along x in one plot and leave the linked ones as they are."""
        for plot in self.plots:
            plot.view.blockLink(True)
        chosen.show_span(left, right, last)
        for plot in self.plots:
            plot.view.blockLink(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the number of columns, and keep the words at the line ends inside the plots."""
        super().resizeEvent(event)
        self.deck.cells.fit_columns(self.width())
        self._refit.start(0)  # once the plots have their new widths

    @property
    def settled(self) -> bool:
        """Whether all plots are made and everything that was fed is drawn and fitted."""
        queues = (self._feeding, self._fitting, self._marking)
        return self.is_built and not self._refit.isActive() and not any(queue.busy for queue in queues)

    def set_following(self, on: bool) -> None:
        """Keep the newest step in view, or leave the plots where the user put them."""
        self.following = on
        if on:
            self.fit()

    def set_crosshair(self, step: float) -> None:
        """Put the crosshair of every plot on a step; NaN hides it."""
        self.crosshair = step
        for plot in self.plots:
            plot.set_crosshair(step)

    def pin(self, step: float) -> None:
        """Hold the crosshair on a step, also when the mouse leaves; NaN lets it go."""
        self.pinned = step
        for chart in self.deck.charts:
            chart.show_step(step)
        self.pinned_at.emit(step)
        self.set_crosshair(step)
        self.set_range(None)

    def set_range(self, ends: tuple[int, int] | None) -> None:
        """Mark a range of steps in every plot, or none."""
        self.range = ends
        for plot in self.plots:
            plot.show_range(*(ends or (math.nan, math.nan)))

    def move_crosshair(self, by: int) -> None:
        """Move the crosshair by steps, from the newest step when there is none."""
        last = self._last_step
        start = last if math.isnan(self.crosshair) else self.crosshair
        self._hover(min(last, max(0.0, start + by)))

    def readout(self) -> list[str]:
        """Return the values under the crosshair in parts, or what the marked range comes to."""
        if self.range is not None:
            return readout.range_parts(self.plots, *self.range)
        return [] if math.isnan(self.crosshair) else readout.values_parts(self.plots, self.crosshair)

    def _hover(self, step: float) -> None:
        step = self.pinned if math.isnan(step) else float(round(step))
        if not math.isnan(step):
            step = min(max(step, 0.0), self._last_step)
        self.set_crosshair(step)
        self.hovered.emit(step)

    def _moved(self) -> None:
        if self.following:
            self.following = False
            self.unfollowed.emit()
