"""The plots of a run, or their values as a table: which are shown and where they stand, and how all of them look."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.theme.theme import Theme
from app.widgets.containers import ScrollColumn
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.curves import Curve
from app.widgets.plots.heat_plot import HeatPlot
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.pair_card import PairCard
from app.widgets.plots.plot_cells import ROW_PX
from app.widgets.plots.plot_deck import PlotDeck, RunCard
from app.widgets.plots.plot_layout import PlotLayout
from app.widgets.plots.plot_look import PlotLook
from app.widgets.plots.table_twin import TableTwin

_LEAST_ROWS = 1.6
"""Rows of plots that are seen at least; the others are scrolled to, so that the pairs below stay in sight."""


class PlotStack(QStackedWidget):
    """Shows the plots of a layout; what holds for all of them holds for those that are made later.

    Signals:
        rearranged(PlotLayout): the user moved a plot; the layout shows already.
    """

    rearranged = Signal(object)

    def __init__(self, theme: Theme, layout: PlotLayout) -> None:
        super().__init__()
        self._look, self.along = PlotLook(), AlongX()
        self.deck, self.table = PlotDeck(theme, layout, self), TableTwin()
        self._scroll = ScrollColumn(name="Plots", spacing=0)
        self._scroll.column.addWidget(self.deck.cells)
        self._scroll.setMinimumHeight(theme.px(round(_LEAST_ROWS * ROW_PX)))
        self.addWidget(self._scroll)
        self.addWidget(self.table)

    @property
    def styled_parts(self) -> tuple[QWidget, ...]:
        """What carries a style sheet each where the stack has none: the table, the scroll bar and each plot."""
        return self.table, self._scroll.verticalScrollBar(), *self.deck.cards.values()

    @property
    def plots(self) -> list[MetricPlot]:
        """The plots of curves that are shown and made, in the order of the catalog."""
        return self.deck.plots

    @property
    def is_built(self) -> bool:
        """Whether all plots that are shown are made."""
        return self.deck.is_built

    def make_all(self) -> None:
        """Make the plots that are not made yet at once, for what needs all of them now."""
        self.deck.make_all()

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics shown."""
        return self.deck.metrics

    def set_layout(self, layout: PlotLayout) -> None:
        """Show other plots, or in another order."""
        self.deck.set_layout(layout)

    def fit(self) -> None:
        """Show the whole run in every plot."""
        raise NotImplementedError

    def move_card(self, card: object, by: int) -> None:
        """Move a plot some places earlier (below 0) or later, as the user asked."""
        layout = self.deck.layout.moved(self.deck.key_of(card), by)
        if layout != self.deck.layout:
            self.set_layout(layout)
            self.rearranged.emit(layout)

    def _drop(self, card: RunCard, place: QPoint) -> None:
        """Put a plot where another one stands that it was dragged to."""
        over = self.deck.cells.childAt(self.deck.cells.mapFromGlobal(place))
        target = next((c for c in self.deck.shown if over is not None and (c is over or c.isAncestorOf(over))), None)
        if target is not None and target is not card:
            order = self.deck.layout.shown
            self.move_card(card, order.index(self.deck.key_of(target)) - order.index(self.deck.key_of(card)))

    # How plots are drawn

    def set_smoothing(self, weight: float) -> None:
        """Smooth the curves with ``weight`` of the past, 0 to 0.99."""
        self._look.smoothing = weight
        for plot in self.plots:
            plot.set_smoothing(weight)

    def set_raw(self, shown: bool) -> None:
        """Show or hide the raw values under the smoothed lines."""
        self._look.raw = shown
        for plot in self.plots:
            plot.set_raw(shown)

    def set_outliers(self, ignored: bool) -> None:
        """Fit the value axes to the middle of the points, or to all."""
        self._look.outliers = ignored
        for plot in self.plots:
            plot.set_outliers(ignored)

    def set_log_y(self, on: bool) -> None:
        """Put the values of all plots on a logarithmic axis."""
        self._look.log_y = on
        for plot in self.plots:
            plot.set_log(on)

    def set_log_x(self, on: bool) -> None:
        """Put the steps of all plots on a logarithmic axis."""
        self._look.log_x = on
        for plot in self.plots:
            plot.set_log_x(on)
        self.fit()

    def set_target(self, metric: str, value: float, label: str) -> None:
        """Draw a level to keep below in the plot of a metric; NaN takes it away."""
        self._look.targets[metric] = (value, label)
        if plot := self._plot_of(metric):
            plot.set_target(value, label)

    def _plot_of(self, metric: str) -> MetricPlot | None:
        """Return the plot that shows a metric, or None while it is not made."""
        return next((plot for plot in self.plots if metric in plot.curves), None)

    def show_table(self, on: bool) -> None:
        """Show the values as a table instead of the plots."""
        self.setCurrentIndex(1 if on else 0)
        if on:
            self.fill_table()

    def fill_table(self) -> None:
        """Write the newest values into the table."""
        parts = {spec.metric for plot in self.plots for spec in plot.specs if spec.is_part}
        curves: dict[str, Curve] = {}
        for card in (*self.plots, *self.deck.charts):
            curves |= card.table_curves() if isinstance(card, HeatPlot | PairCard) else card.curves
        shown = {m: c for m, c in curves.items() if len(c.steps) or m not in parts}
        self.table.twin.set_curves({**self.along.columns(shown), **shown})
