"""Reads the pairs behind the points of a run's plots: those of a step, of a range of steps, and the worst ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.context import AppContext
from core.services.runs.views import RunReader

if TYPE_CHECKING:
    from core.services.runs.lineage import LineageRow, RunLineage

MOST = 2000
"""Pairs that are listed at most of a range of steps."""
WORST = 200


class PairsOfSteps:
    """Reads pairs with their label, clause and reviewer; keeps a reader for each run. For background threads."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._readers: dict[str, RunReader] = {}
        self._lineages: dict[str, RunLineage] = {}

    def reader(self, run_id: str) -> RunReader:
        """Return the reader of a run's folder."""
        return self._readers.setdefault(run_id, self._context.services.runs.reader(run_id))

    def of_steps(self, run_id: str, first: int, last: int) -> list[LineageRow]:
        """Return the pairs of the steps ``first`` to ``last``; of a step without training pairs, the held-out ones."""
        reader = self.reader(run_id)
        visits = reader.pairs_of_range(first, last, limit=MOST)
        if not visits and first == last:
            visits = reader.pairs_of_step(first, "dev")
        return self._lineage(run_id).rows(visits)

    def worst(self, run_id: str) -> list[LineageRow]:
        """Return the pairs with the lowest margins at their last visit."""
        return self._lineage(run_id).rows(self.reader(run_id).worst(WORST))

    def _lineage(self, run_id: str) -> RunLineage:
        if run_id not in self._lineages:
            self._lineages[run_id] = self._context.services.runs.lineage(run_id)
        return self._lineages[run_id]
