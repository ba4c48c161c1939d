"""Lists the pairs behind an insight or behind a mark of a plot; explains an insight."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.context import AppContext
from app.runs.insight_list import explanation
from app.runs.monitor import Monitor
from app.runs.pairs_of_steps import PairsOfSteps
from app.widgets.plots.pairs_asked import PairsAsked
from core.domain.counting import counted
from core.domain.insight import Insight

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.runs.lineage import LineageRow


class InsightActions(QObject):
    """Answers the list of insights, and the plots of all pairs.

    Args:
        context: dialogs and background reads.
        monitor: whose list, plots and tabs.
        pairs: reads the pairs.
        pin: keeps the pairs that are listed next, and returns the run that is shown.
    """

    def __init__(self, context: AppContext, monitor: Monitor, pairs: PairsOfSteps, pin: Callable[[], str]) -> None:
        super().__init__(monitor)
        self._context, self._monitor, self._pairs, self._pin = context, monitor, pairs, pin
        monitor.insights.pairs_wanted.connect(self.show_pairs)
        monitor.grid.pairs_wanted.connect(self.show_asked)
        monitor.insights.explain_wanted.connect(self.explain)

    def explain(self, insight: Insight) -> None:
        """Show an insight in full."""
        self._context.dialogs.ask(insight.title, explanation(insight), ("Close",))

    def show_pairs(self, insight: Insight) -> None:
        """List the pairs that an insight names, and pin the step where they were measured."""
        run_id = self._pin()
        grid, tabs = self._monitor.grid, self._monitor.tabs
        grid.pin(float(insight.pairs_steps[1] if insight.pairs_steps else insight.since_step))
        self._monitor.show_readout()
        tabs.setCurrentIndex(0)
        title = f"{insight.title}: {counted(insight.count, 'pair')}, {insight.pairs_about}"

        def show(rows: list[LineageRow]) -> None:
            if run_id == self._monitor.run_id:
                tabs.show_pairs_of(title, rows)

        self._context.tasks.query(lambda: self._pairs.of_insight(run_id, insight), show, owner=self, key="pairs")

    def show_asked(self, asked: PairsAsked) -> None:
        """List the pairs behind a cell, a slice or a look; open the single one behind a dot."""
        if asked.single:
            ((_, pair_id),) = asked.visits
            self._context.navigate("inspect", run_id=self._monitor.run_id, pair_id=pair_id, kind=asked.kind)
            return
        run_id, grid, tabs = self._pin(), self._monitor.grid, self._monitor.tabs
        grid.pin(float(asked.last))
        self._monitor.show_readout()
        tabs.setCurrentIndex(0)

        def show(rows: list[LineageRow]) -> None:
            if run_id == self._monitor.run_id:
                tabs.show_pairs_of(asked.title, rows)

        self._context.tasks.query(lambda: self._pairs.asked(run_id, asked), show, owner=self, key="pairs")
