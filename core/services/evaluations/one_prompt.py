"""One prompt of a run's folder, with or without a workspace: what is asked, and the answers that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.domain.conversation import Prompt
from core.domain.errors import NotFound, UsageError
from core.domain.evaluation_record import SEALED
from core.domain.prompt_inspection import GivenAnswer, InspectedAnswer, InspectionRequest, PromptInspection
from core.domain.suite import SuiteItem
from core.runs.evaluations.inspecting import inspect_prompt
from core.runs.folder import RunFolder
from core.services.evaluations.requests import FindSuite, open_suite_of

Progress = Callable[[int, int, str], None]


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
