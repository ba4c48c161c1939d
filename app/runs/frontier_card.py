"""The frontier beside a comparison: all runs that can be compared with the chosen ones, those with a ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.context import AppContext
from app.runs.frontier_figures import FrontierFigures, run_figures
from app.widgets.plots.chart_card import ChartCard, TableRow
from app.widgets.plots.run_frontier_chart import RunFrontierChart
from core.domain.run_record import ARCHIVED
from core.services.runs.run_frontier import frontier_of_runs

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application

TITLE = "Frontier"
HEADS = ("Run", "Settings", "Held-out accuracy", "KL, nats ± 1.96 SE", "Place")
MISSING = (
    "A place needs held-out accuracy and KL to the reference, both measured after the first step (eval_every, "
    "kl_every; with look_share as often as that allows)."
)


class FrontierCard(ChartCard):
    """A chart of runs with its table twin and pictures. A mark opens its run.

    Args:
        context: services, theme.
    """

    def __init__(self, context: AppContext) -> None:
        self.frontier = RunFrontierChart(context.theme)
        super().__init__(context, TITLE, self.frontier, HEADS)
        self._context = context
        self.figures: FrontierFigures | None = None
        self.frontier.opened.connect(lambda run_id: context.navigate("runs", run_id=str(run_id)))

    def read(self, chosen: Sequence[str]) -> None:
        """Read the runs and show those that can be compared with the chosen ones."""
        services, ids = self._context.services, tuple(chosen)
        self._context.tasks.query(
            lambda: read_figures(services, ids), self.show_frontier, lambda e: self.say(str(e)), owner=self, key=TITLE
        )

    def show_frontier(self, figures: FrontierFigures) -> None:
        """Show one group of runs, or why there is none."""
        self.figures = figures
        self.frontier.show_frontier(figures.marks, figures.axes)
        missing = "\n".join((MISSING, *figures.left_out[:3]))
        self.show_figures([TableRow(row[1:]) for row in figures.rows], about=figures.summary, missing=missing)

    def say(self, words: str) -> None:
        """Show a sentence in place of the chart."""
        self.show_figures((), about="", missing=words)


def read_figures(services: Application, chosen: Sequence[str], group: int = 0) -> FrontierFigures:
    """Return the frontier of all runs that are not archived and were worked on; reads their ledgers."""
    runs = [info for info in services.runs.list() if ARCHIVED not in info.tags and info.status.step]
    return run_figures(frontier_of_runs(runs), chosen, group)
