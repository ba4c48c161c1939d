"""From the samples of a run to their blind labelling: makes pairs of the newest ones and shows these in Annotate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.context import AppContext
from core.domain.changes import Outcome
from core.domain.counting import counted

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.sample_pairs import SamplePairs


class SampleLabelling:
    """Asks the service and leads to the pairs.

    Args:
        context: services, notices, navigation.
        page: owns what is under way.
    """

    def __init__(self, context: AppContext, page: QObject) -> None:
        self._context, self._page = context, page

    def label(self, run_id: str) -> None:
        """Make pairs of the newest samples of a run and label them."""
        if run_id:
            service = self._context.services.sample_pairs
            self._context.ops.mutate(lambda: service.add(run_id), self._made, owner=self._page)

    def _made(self, outcome: Outcome[SamplePairs]) -> None:
        found = outcome.value
        if not found.pair_ids:
            hint = " ".join(found.left_out)
            self._context.notices.post("No sample has two different answers, so there is no pair.", "warn", hint=hint)
            return
        self._context.notices.post(
            f"{counted(len(found.pair_ids), 'pair')} of the samples at step {found.step} can be labelled",
            hint=f"They stand in the source {found.source}; a freeze asks for its consent. {' '.join(found.left_out)}",
        )
        self._context.navigate("annotate", pair_ids=found.pair_ids)
