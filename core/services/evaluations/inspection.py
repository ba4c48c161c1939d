"""Looking at one prompt: what a run's policy and its reference say to it, and which training pairs are near it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.domain.conversation import Prompt
from core.domain.errors import NotFound, UsageError
from core.domain.evaluation_record import SEALED
from core.domain.prompt_inspection import GivenAnswer, InspectedAnswer, InspectionRequest, PromptInspection
from core.domain.suite import SuiteItem
from core.runs.evaluations.inspecting import inspect_prompt
from core.runs.folder import RunFolder
from core.runs.run_control import find_run
from core.services.evaluations.requests import FindSuite, open_suite_of
from core.services.suites.service import SuitesService
from core.store.sqlite.database import Store

Progress = Callable[[int, int, str], None]


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


def inspect_of_run(
    run: RunFolder,
    request: InspectionRequest,
    find_suite: FindSuite | None = None,
    *,
    on_progress: Progress | None = None,
    on_answer: Callable[[InspectedAnswer], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PromptInspection:
    """Do what :meth:`PromptInspectionService.inspect` does for a run folder, with or without a workspace.

    Args:
        run: of the request.
        request: what is looked at.
        find_suite: finds a suite of the workspace; None without one.
        on_progress: as there.
        on_answer: as there.
        cancelled: as there.
    """
    prompt, given = asked(run, request, find_suite)
    return inspect_prompt(
        run, prompt, request, given, on_progress=on_progress, on_answer=on_answer, cancelled=cancelled
    )


def asked(
    run: RunFolder, request: InspectionRequest, find_suite: FindSuite | None = None
) -> tuple[Prompt, Sequence[GivenAnswer]]:
    """Return the prompt of a request, and the answers that are given with it or belong to its item.

    Raises:
        UsageError: where the request names no prompt, or two, or an item of a sealed test.
        NotFound: when there is no such suite or item.
    """
    if (request.prompt is None) == (not request.item):
        raise UsageError("One prompt is looked at.", "Give its text, or name an item as SUITE/ID.")
    if request.prompt is not None:
        return request.prompt, tuple(request.given)
    item = item_of(request.item, run, find_suite)
    own = (("chosen", item.chosen), ("rejected", item.rejected)) if item.expected == "preference" else ()
    return item.prompt, (*(GivenAnswer(name, text) for name, text in own), *request.given)


def item_of(words: str, run: RunFolder, find_suite: FindSuite | None = None) -> SuiteItem:
    """Return the item of ``SUITE/ID``; both may hold a slash.

    Raises:
        UsageError: for words of another form, or an item of a sealed test.
        NotFound: when there is no such suite or item.
    """
    if words.startswith(SEALED):
        raise UsageError(
            "Items of a sealed test are shown to nobody but the evaluator.",
            "Look at an open suite's item, or dev/ID.",
        )
    parts = words.split("/")
    if len(parts) < 2 or not all((parts[0] or parts[1], parts[-1])):
        raise UsageError(f"{words!r} names no item of a suite.", "Write SUITE/ID, such as basics/lists-01.")
    missing: NotFound | None = None
    for at in range(1, len(parts)):
        title, id_ = "/".join(parts[:at]), "/".join(parts[at:])
        try:
            suite = open_suite_of(title, run, find_suite)
        except NotFound as error:
            missing = missing or error
            continue
        found = next((item for item in suite.items if item.id == id_), None)
        if found is None:
            raise NotFound(f"The suite {suite.title} has no item {id_!r}.", "See its items with: suite show WS NAME")
        return found
    assert missing is not None
    raise missing
