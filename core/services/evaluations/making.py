"""Making an evaluation of a run, with a workspace or without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.domain.counting import counted, verb
from core.domain.errors import UsageError
from core.domain.evaluation_record import DEV, SEALED
from core.runs.evaluations.cost import ExpectedCost
from core.runs.evaluations.creation import NewEvaluation, SealedSuite, create_evaluation, make_record
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.timing import measured_cost
from core.runs.folder import RunFolder
from core.services.evaluations.requests import (
    EvaluationRequest,
    FindGuardrail,
    FindSuite,
    open_suite_of,
    read_arm,
    titles,
    with_bases,
)

FindSealed = Callable[[str, str, str], SealedSuite]
"""From dataset version, person and reason to the sealed test."""
FindRubric = Callable[[tuple[str, ...]], tuple[str, str]]
"""From the titles of a run's rubric versions to title and text."""


def new_evaluation(
    request: EvaluationRequest,
    *,
    place: Path | None = None,
    find_suite: FindSuite | None = None,
    find_sealed: FindSealed | None = None,
    find_rubric: FindRubric | None = None,
    find_guardrail: FindGuardrail | None = None,
) -> NewEvaluation:
    """Return what the request asks for; the functions look things up in a workspace.

    Raises:
        NotFound: when run, suite or dataset version do not exist.
        UsageError: for a word that names nothing, or something that needs a workspace.
    """
    run = RunFolder(request.run)
    record = run.record()
    suites, sealed = [], []
    for word in titles(request.suites):
        if word.startswith(SEALED):
            if find_sealed is None:
                raise UsageError("A sealed test belongs to a workspace.", "Name the workspace: evaluate WS RUN.")
            title = word.removeprefix(SEALED) or str(record.dataset.get("title", ""))
            sealed.append(find_sealed(title, request.person, request.reason))
        else:
            suites.append(open_suite_of(word, run, find_suite))
    rubric = request.rubric
    words = with_bases(titles(request.arms) or ("aligned",))
    wants_rubric = any(word.replace("-", "_") == "reference_with_rubric" for word in words)
    if wants_rubric and not rubric[1] and find_rubric is not None:
        rubric = find_rubric(tuple(record.dataset.get("rubrics", ())))
    arms = [read_arm(word, rubric=rubric[1], place=place, find_guardrail=find_guardrail) for word in words]
    return NewEvaluation(
        run_dir=request.run,
        suites=suites,
        sealed=sealed,
        arms=arms,
        step=request.step,
        config=request.config,
        limit=request.limit,
        name=request.name,
        rubric=rubric,
        command_line=request.command_line,
        notes=_notes(request, run),
        templates=request.templates,
        leave_out_leaks=request.leave_out_leaks,
    )


def make_bare(request: EvaluationRequest, path: Path) -> EvaluationFolder:
    """Make an evaluation without a workspace at ``path``.

    Raises:
        UsageError, NotFound, BadInput: as :func:`new_evaluation` and
            :func:`core.runs.evaluations.creation.create_evaluation`.
    """
    return create_evaluation(path, new_evaluation(request, place=request.run.parent))


def expected_bare(request: EvaluationRequest) -> ExpectedCost:
    """Return how long an evaluation without a workspace takes at most; see ``EvaluationsService.expected``."""
    record, items = make_record(new_evaluation(request, place=request.run.parent), "")
    return measured_cost(record, items)


def _notes(request: EvaluationRequest, run: RunFolder) -> tuple[str, ...]:
    """Return what must be said of the request beside its numbers."""
    if DEV not in request.suites:
        return ()
    count = sum(pair.split == "dev" for pair in run.pairs())
    return (
        f"{counted(count, 'held-out pair')} of the suite dev {verb(count, 'was', 'were')} measured while the run "
        "trained; settings may have been chosen by them.",
    )
