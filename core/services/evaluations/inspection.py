"""Looking at one prompt: what a run's policy and its reference say to it, and which training pairs are near it."""

from __future__ import annotations

from collections.abc import Callable

from core.domain.prompt_inspection import InspectedAnswer, InspectionRequest, PromptInspection
from core.runs.run_control import find_run
from core.services.evaluations.one_prompt import Progress, inspect_of_run
from core.services.suites.service import SuitesService
from core.store.sqlite.database import Store


class PromptInspectionService:
    """Looks at single prompts under the policy and the reference of a run; nothing is stored.

    A window watches one so: it calls :meth:`inspect` in a job (``context.tasks.job``), with ``on_progress`` the job's
    ``control.progress`` (its text is the phase), with ``cancelled`` ``lambda: control.cancelled``, and with an
    ``on_answer`` that posts each answer to the UI thread: given ones come first, each complete with its tokens, so that
    a page fills while the rest is sampled. What is returned at the end holds all of them, the nearest pairs and the KL.
    Most of a short look is loading the model. Any thread may call it; each call is a process of its own, which ends
    with it or as soon as it is cancelled.
    """

    def __init__(self, store: Store, suites: SuitesService) -> None:
        self._store, self._suites = store, suites

    def inspect(
        self,
        request: InspectionRequest,
        *,
        on_progress: Progress | None = None,
        on_answer: Callable[[InspectedAnswer], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> PromptInspection:
        """Return the answers of policy and reference with both log-probs of every token, and the nearest pairs.

        Args:
            request: the run, the prompt or item, and how much is looked at.
            on_progress: gets (done, total, text).
            on_answer: gets each answer as soon as it was looked at, given ones first.
            cancelled: polled; True ends the child process at once.

        Raises:
            Cancelled: when ``cancelled`` became true.
            NotFound: when run, checkpoint, suite or item do not exist.
            UsageError: for an item of a sealed test, without a prompt, or for a number out of bounds.
            UserError: when the model cannot be used, or cannot read the prompt.
        """
        run = find_run(request.run, self._store.folder)
        return inspect_of_run(
            run, request, self._suites.get, on_progress=on_progress, on_answer=on_answer, cancelled=cancelled
        )
