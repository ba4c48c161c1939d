"""The objective lab of a workspace: the closed-form optimum on one prompt's answers; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable

from core.domain.pair import Pair
from core.domain.prompt_lab import LabRequest, PromptLab
from core.runs.run_control import find_run
from core.services.lab.prompt_lab import Progress, lab_of_run
from core.services.pairs.service import PairsService
from core.store.sqlite.database import Store


class LabService:
    """Scores answers to single prompts for the objective lab. Any thread may call it; each call is a child process.

    What it returns holds log-probs alone: optimum, frontier and steps are pure functions of them
    (:mod:`core.domain.closed_form`, :mod:`core.domain.lab_steps`), quick enough for a slider.
    """

    def __init__(self, store: Store, pairs: PairsService) -> None:
        self._store, self._pairs = store, pairs

    def make(
        self,
        request: LabRequest,
        *,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> PromptLab:
        """Return the lab of a request; see :func:`core.services.lab.prompt_lab.lab_of_run` for what it raises."""
        return lab_of_run(
            find_run(request.run, self._store.folder),
            request,
            place=self._store.folder,
            find_pair=self._pair,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def _pair(self, pair_id: int) -> Pair | None:
        return self._pairs.texts([pair_id]).get(pair_id)
