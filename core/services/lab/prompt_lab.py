"""Making the objective lab of one prompt: answers that exist or are drawn now, scored by policy and reference.

It needs a run folder; a workspace adds its pairs, evaluations and further runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.conversation import Prompt
from core.domain.counting import counted, verb
from core.domain.errors import NotFound
from core.domain.pair import Pair
from core.domain.prompt_inspection import GivenAnswer, InspectedAnswer, InspectionRequest, PromptInspection
from core.domain.prompt_lab import LabAnswer, LabRequest, OtherPolicy, PromptLab, checked, distinct, given_of, notes_of
from core.runs.evaluations.inspecting import inspect_prompt
from core.runs.folder import RunFolder
from core.runs.run_control import find_run
from core.services.lab.stored_answers import stored_answers

Progress = Callable[[int, int, str], None]
FindPair = Callable[[int], Pair | None]
"""From the id of a pair of the workspace to its texts."""
DRAWN_TOKENS = 64
"""Most tokens of a drawn answer, unless the settings say more."""


@dataclass(slots=True)
class _Parts:
    """Progress of several child processes as one."""

    tell: Progress | None
    total: int
    before: int = 0
    prefix: str = ""

    def report(self, done: int, _total: int, text: str) -> None:
        """Pass on what the child that works now says."""
        if self.tell is not None:
            self.tell(min(self.before + done, self.total), self.total, f"{self.prefix}{text}")


def lab_of_run(
    run: RunFolder,
    request: LabRequest,
    *,
    place: Path | None = None,
    find_pair: FindPair | None = None,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PromptLab:
    """Return the answers of a request with their log-probs under the run's policy, its reference and other runs.

    Args:
        run: of the request.
        request: the prompt or pair, and which answers.
        place: the workspace, for evaluations and for runs that are named.
        find_pair: finds pairs of the workspace that the run does not hold.
        on_progress: gets (done, total, text).
        cancelled: polled; True ends the child at once.

    Raises:
        Cancelled: when ``cancelled`` became true.
        NotFound: when run, checkpoint or pair do not exist.
        UsageError: where the request cannot bring two answers, or for a number out of bounds.
        BadInput: when fewer than two different answers came.
        UserError: when the model cannot be used, or cannot read the prompt.
    """
    checked(request)
    others = [find_run(name, place) for name in request.others]  # before a process is started for them
    prompt, own = _asked(run, request, find_pair)
    given, more = [*(own if request.pair_answers else []), *request.given], 0
    if request.stored:
        stored, more = stored_answers(run, prompt, place)
        given += [answer for answer in stored if answer.text not in {one.text for one in given}]
    draws = request.draw * len(request.authors)
    parts = _Parts(on_progress, (2 + len(given) + draws) * (1 + len(others)))
    settings = {"temperature": 1.0, "max_new_tokens": DRAWN_TOKENS, **request.settings}
    found = inspect_prompt(
        run,
        prompt,
        InspectionRequest(
            request.run, prompt, samples=request.draw, likely=0, nearest=0, step=request.step, settings=settings,
            authors=request.authors,
        ),
        given,
        on_progress=parts.report,
        cancelled=cancelled,
    )  # fmt: skip
    lab = _lab_of(run, found, is_drawn=_is_drawn(request, given))
    placed = []
    for number, other in enumerate(others, 1):
        parts.before, parts.prefix = (2 + len(given) + draws) * number, f"{other.record().name}: "
        placed.append(_placed(other, lab, parts.report, cancelled))
    lab = replace(lab, others=tuple(placed))
    return replace(lab, notes=(*notes_of(lab), *_found_notes(found, more)))


def _asked(run: RunFolder, request: LabRequest, find_pair: FindPair | None) -> tuple[Prompt, list[GivenAnswer]]:
    """Return the prompt, and the answers of the pair that names it."""
    if request.prompt is not None:
        return request.prompt, []
    trained = next((pair for pair in run.pairs() if pair.pair_id == request.pair), None)
    if trained is not None:
        return trained.prompt, [GivenAnswer("chosen", trained.chosen), GivenAnswer("rejected", trained.rejected)]
    pair = find_pair(int(request.pair)) if find_pair is not None and request.pair.isdigit() else None
    if pair is None:
        raise NotFound(f"There is no pair {request.pair}.", "Name a pair of the run or of the workspace.")
    return pair.prompt, [GivenAnswer("answer A", pair.a.text), GivenAnswer("answer B", pair.b.text)]


def _is_drawn(request: LabRequest, given: Sequence[GivenAnswer]) -> bool:
    """Whether all answers follow the reference's own distribution."""
    whole = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0}
    same = all(float(request.settings.get(name, value)) == value for name, value in whole.items())
    return same and not given and request.authors == ("reference",)


def _lab_of(run: RunFolder, found: PromptInspection, *, is_drawn: bool) -> PromptLab:
    return PromptLab(
        run=found.run,
        beta=found.beta,
        loss=run.record().config.loss,
        prompt=found.prompt,
        answers=distinct([_answer(one) for one in found.answers]),
        horizon=found.horizon,
        settings=found.settings,
        drawn=is_drawn,
    )


def _answer(one: InspectedAnswer) -> LabAnswer:
    return LabAnswer(
        one.name, one.author, one.text, len(one.tokens), one.policy, one.reference, one.finished, seed=one.seed
    )


def _placed(
    other: RunFolder, lab: PromptLab, on_progress: Progress, cancelled: Callable[[], bool] | None
) -> OtherPolicy:
    """Return the log-probs of the lab's answers under another run's policy and reference."""
    request = InspectionRequest(str(other.path), lab.prompt, samples=0, likely=0, nearest=0)
    given = given_of(lab.answers)
    found = inspect_prompt(other, lab.prompt, request, given, on_progress=on_progress, cancelled=cancelled)
    policy, reference = zip(*((one.policy, one.reference) for one in found.answers), strict=True)
    record = other.record()
    return OtherPolicy(record.run_id, record.name, record.config.beta, policy, reference)


def _found_notes(found: PromptInspection, more: int) -> list[str]:
    notes = list(found.notes[1:])  # the first says what the lab says too
    if found.dropped_turns:
        n = found.dropped_turns
        notes.append(f"{counted(n, 'turn')} at the beginning {verb(n, 'does', 'do')} not fit: left out.")
    if more:
        notes.append(f"{counted(more, 'older stored answer')} {verb(more, 'was', 'were')} not taken.")
    return notes
