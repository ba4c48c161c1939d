"""Reads a run for its plots, and the pairs behind them: those of a step, of a range of steps, the worst ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.context import AppContext
from app.runs.plot_series import parent_curves
from app.runs.presenter import MonitorData, read_snapshot
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.curves import Curve
from app.widgets.plots.pairs_asked import PairsAsked
from app.widgets.plots.run_series import ForkMark
from core.domain.insight import Insight
from core.domain.x_axis import STEP
from core.services.runs.people_ceiling import PeopleCeiling
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import RunPlots
from core.services.runs.views import RunReader
from core.services.runs.x_places import x_places

if TYPE_CHECKING:
    from core.services.runs.lineage import LineageRow, RunLineage

MOST = 2000
"""Pairs that are listed at most of a range of steps."""
WORST = 200


@dataclass(frozen=True, slots=True)
class ShownPlots:
    """What is read for the plots: names of curves, what they need from the rows of pairs, what stands along x."""

    metrics: Sequence[str]
    needs: Sequence[str]
    x_axis: str = STEP


class PairsOfSteps:
    """Reads runs, and pairs with label, clause and reviewer; keeps a reader for each. For background threads."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._readers: dict[str, RunReader] = {}
        self._estimates: dict[str, RunEstimates] = {}
        self._plots: dict[str, RunPlots] = {}
        self._before: dict[tuple[str, tuple[str, ...]], tuple[dict[str, Curve], ForkMark]] = {}
        self._lineages: dict[str, RunLineage] = {}
        self._people: dict[str, PeopleCeiling] = {}

    def reader(self, run_id: str) -> RunReader:
        """Return the reader of a run's folder."""
        return self._readers.setdefault(run_id, self._context.services.runs.reader(run_id))

    def estimates(self, run_id: str) -> RunEstimates:
        """Return the estimates of a run's probes, which keep what they worked out."""
        return self._estimates.setdefault(run_id, RunEstimates(self.reader(run_id)))

    def snapshot(self, run_id: str, name: str, shown: ShownPlots) -> MonitorData:
        """Return a run at this moment, with the curves and plots of pairs that are shown."""
        service, reader, estimates = self._context.services.runs, self.reader(run_id), self.estimates(run_id)
        plots = self._plots.setdefault(run_id, RunPlots(reader, estimates)).read(shown.needs)
        before, people = self.before_fork(run_id, shown.metrics), self._people_of(run_id)
        found = read_snapshot(service, reader, estimates, shown.metrics, before, name, plots, people)
        places = {} if shown.x_axis == STEP else x_places(reader, self.reader)
        return replace(found, series=replace(found.series, along=AlongX.of(shown.x_axis, places)))

    def _people_of(self, run_id: str) -> PeopleCeiling:
        """Return how far people agree on the held-out pairs; read once, like the labels of the pairs."""
        if run_id not in self._people:
            self._people[run_id] = self._lineage(run_id).people()
        return self._people[run_id]

    def before_fork(self, run_id: str, metrics: Sequence[str]) -> tuple[dict[str, Curve], ForkMark]:
        """Return what a fork's parent measured before it; read once, since it does not change."""
        key = (run_id, tuple(metrics))
        if key not in self._before:
            record = self.reader(run_id).record()
            self._before[key] = parent_curves(self._context.services.runs, record, metrics)
        return self._before[key]

    def of_insight(self, run_id: str, insight: Insight) -> list[LineageRow]:
        """Return the pairs that an insight names, and no others."""
        return self._lineage(run_id).of_insight(insight)

    def asked(self, run_id: str, asked: PairsAsked) -> list[LineageRow]:
        """Return the pairs that a plot asks for; those of its steps where it names none."""
        visits = self.reader(run_id).pairs_of_range(asked.first, asked.last, asked.kind)
        if asked.visits:
            visits = [visit for visit in visits if (visit.step, visit.pair_id) in asked.visits]
        return self._lineage(run_id).rows(visits[:MOST])

    def of_steps(self, run_id: str, first: int, last: int) -> list[LineageRow]:
        """Return the pairs of the steps ``first`` to ``last``; of a step without training pairs, the held-out ones."""
        reader = self.reader(run_id)
        visits = reader.pairs_of_range(first, last, limit=MOST)
        if not visits and first == last:
            visits = reader.pairs_of_step(first, "dev")
        return self._lineage(run_id).rows(visits)

    def worst(self, run_id: str) -> list[LineageRow]:
        """Return the pairs with the lowest margins of the newest held-out probe, all measured at the same step.

        Where nothing is held out it is the train probe, and without any probe each training pair's last visit.
        """
        reader = self.reader(run_id)
        visits = reader.newest_probe("dev") or reader.newest_probe("probe_train") or reader.worst(WORST)
        return self._lineage(run_id).rows(visits[:WORST])

    def _lineage(self, run_id: str) -> RunLineage:
        if run_id not in self._lineages:
            self._lineages[run_id] = self._context.services.runs.lineage(run_id)
        return self._lineages[run_id]
