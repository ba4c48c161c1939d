"""The plots of a run that are shown: which, in which order, and the making of each, one in a turn of the event loop."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.widgets.plots.heat_plot import HeatPlot
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.pair_card import PairCard
from app.widgets.plots.plot_cells import PlotCells
from app.widgets.plots.plot_layout import PlotLayout
from app.widgets.plots.run_plots import BY_NAME, PLOTS

RunCard = MetricPlot | PairCard


class PlotDeck(QObject):
    """Makes the plots that a layout names; one that was made once is kept and hidden when the layout leaves it out.

    Signals:
        made(str): a plot was made and stands in its cell. completed(): all that are shown are made.
    """

    made = Signal(str)
    completed = Signal()

    def __init__(self, theme: Theme, layout: PlotLayout, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self.layout = theme, layout
        self.cells = PlotCells(theme)
        self.cards: dict[str, RunCard] = {}
        self._large = ""
        self._building = IdleQueue(self)
        self._building.emptied.connect(self.completed)
        self._show()

    @property
    def plots(self) -> list[MetricPlot]:
        """The plots of curves that are shown and made, in the order of the catalog."""
        shown = (self.cards.get(kind.key) for kind in PLOTS if kind.key in self.layout.shown)
        return [card for card in shown if isinstance(card, MetricPlot)]

    @property
    def shown(self) -> list[RunCard]:
        """All plots that are shown and made, as they stand."""
        return [self.cards[key] for key in self.layout.shown if key in self.cards]

    @property
    def charts(self) -> list[PairCard]:
        """The painted plots that are shown and made."""
        return [card for card in self.shown if isinstance(card, PairCard)]

    @property
    def is_built(self) -> bool:
        """Whether all that are shown are made."""
        return all(key in self.cards for key in self.layout.shown)

    @property
    def metrics(self) -> list[str]:
        """Names of the curves that are shown, in the order of the catalog."""
        return [spec.metric for kind in PLOTS if kind.key in self.layout.shown for spec in kind.curves]

    @property
    def needs(self) -> tuple[str, ...]:
        """What the plots need from the rows of the pairs."""
        return tuple(dict.fromkeys(BY_NAME[key].needs for key in self.layout.shown if BY_NAME[key].needs))

    def set_layout(self, layout: PlotLayout) -> None:
        """Show other plots, or in another order; new ones are made in later turns of the event loop."""
        self.layout = layout
        if self._large not in layout.shown:
            self._large = ""
            self.cells.enlarge("")
        self._show()

    def _show(self) -> None:
        self.cells.show_order(self.layout.shown, self.layout.columns)
        self._building.clear()
        for key in self.layout.shown:
            if key not in self.cards:
                self._building.add(partial(self._make, key))

    def make_all(self) -> None:
        """Make the plots that are not made yet at once, for what needs all of them now."""
        self._building.clear()
        for key in self.layout.shown:
            if key not in self.cards:
                self._make(key)
        self.completed.emit()

    def _make(self, key: str) -> None:
        kind = BY_NAME[key]
        if not kind.curves:
            card: RunCard = PairCard(self._theme, kind)
        elif kind.needs == "margins":
            card = HeatPlot(self._theme, kind)
        else:
            card = MetricPlot(
                self._theme, kind.title, kind.curves, unit=kind.unit, axis=kind.axis, zero=kind.zero, tools=True
            )
        self.cards[key] = card
        card.setVisible(self._large in ("", key) and key in self.layout.shown)
        self.cells.fill(key, card)
        self.made.emit(key)

    def key_of(self, card: object) -> str:
        """Return the key of a plot; "" for what is none."""
        return next((key for key, other in self.cards.items() if other is card), "")

    def enlarge(self, card: RunCard | None) -> None:
        """Show one plot in the place of all, or all again with None."""
        self._large = self.key_of(card)
        self.cells.enlarge(self._large)
        for other in self.cards.values():
            other.head.show_enlarged(other is card)
