"""What a new evaluation can be made of, how much work it is, and what would be cheaper. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.evaluate.presenter import has_policy
from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.evaluation_record import SEALED
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.suite import SuiteInfo
from core.domain.threshold import Threshold
from core.services.evaluations.requests import DEV, EvaluationRequest, aligned_items, with_bases
from core.services.evaluations.views import EvaluationInfo
from core.services.runs.views import RunInfo, duration

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application
    from core.services.evaluations.service import ExpectedCost

ARMS: tuple[tuple[str, str, str], ...] = (
    ("aligned", "Aligned policy", "What the run trained."),
    ("reference_with_rubric", "Reference with the rubric as system prompt", "Is the gain more than prompting?"),
    ("aligned_without_system", "Aligned without system prompt", "Does it need the system prompt of an item?"),
)
"""Word, label and hint of each arm beside the reference, which always answers."""
OTHER_TEMPLATES = 3
"""Chat templates that are tried beside that of training: plain text and two others."""
GUARDED: tuple[tuple[str, str], ...] = (
    ("aligned", "the aligned policy"),
    ("reference", "the reference"),
    ("both", "both, each with and without it"),
)
"""What a guardrail can stand on, and its words."""
CHEAP_LIMIT = 60
"""Items a suite that an estimate proposes."""


@dataclass(frozen=True, slots=True)
class EvaluationChoices:
    """What there is to choose from.

    Attributes:
        runs: with a policy, newest first.
        steps: of each run's checkpoints, newest first, by run id.
        suites: built in and of the workspace.
        sealed: pairs in the sealed test of each run's dataset version and how often somebody looked, by run id; none
            where it has no test split.
        past: evaluations that are measured, newest first; the time is estimated from them.
        aligned: items of each suite that ask the same in several languages, by title.
        guardrails: titles of thresholds that may stand on top of an arm now, newest first.
    """

    runs: Sequence[RunInfo]
    steps: Mapping[str, Sequence[int]]
    suites: Sequence[SuiteInfo]
    sealed: Mapping[str, tuple[int, int]]
    past: Sequence[EvaluationInfo]
    aligned: Mapping[str, int] = field(default_factory=dict)
    guardrails: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EvaluationWish:
    """What the form asks for."""

    run: RunInfo | None = None
    step: int = 0
    suites: tuple[str, ...] = ()
    sealed: bool = False
    dev: bool = False
    arms: tuple[str, ...] = ("aligned",)
    limit: int = 0
    max_new_tokens: int = 128
    templates: bool = False
    leave_out_leaks: bool = False
    person: str = ""
    reason: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationSize:
    """How much an evaluation computes, over all arms."""

    answers: int = 0
    scores: int = 0
    kl_answers: int = 0


@dataclass(frozen=True, slots=True)
class FieldErrors:
    """Sentences that stand at the fields they are about; empty where all is well."""

    suites: str = ""
    arms: str = ""
    sealed: str = ""

    @property
    def any(self) -> bool:
        """Whether the evaluation cannot be started."""
        return bool(self.suites or self.arms or self.sealed)


def read_choices(services: Application) -> EvaluationChoices:
    """Read what there is to choose from."""
    runs = [run for run in services.runs.list() if has_policy(run)]
    versions = {version.root_sha256: version for version in services.datasets.list()}
    sealed = {}
    for run in runs:
        version = versions.get(str(run.record.dataset.get("root_sha256", "")))
        if version is not None and version.counts.get("test"):
            looks = services.sealed.looks(version.id) if services.sealed.is_sealed(version) else 0
            sealed[run.run_id] = (int(version.counts["test"]), looks)
    infos = services.suites.list()
    return EvaluationChoices(
        runs=runs,
        steps={run.run_id: tuple(services.runs.checkpoints(run.run_id)) for run in runs},
        suites=infos,
        sealed=sealed,
        past=[info for info in services.evaluations.list() if info.state == "finished"],
        aligned={info.title: count for info in infos if (count := aligned_items(services.suites.get(info.title)))},
        guardrails=guardrails_of(services.thresholds.list(), now_ms()),
    )


def aligned_of(wish: EvaluationWish, choices: EvaluationChoices) -> int:
    """Return how many items of the chosen suites can be answered under other chat templates."""
    found = (choices.aligned.get(title, 0) for title in wish.suites)
    return sum(min(wish.limit or count, count) for count in found)


def guardrails_of(thresholds: Sequence[Threshold], at_ms: int) -> list[str]:
    """Return the titles of the thresholds that may be used as guardrails then, newest first."""
    found = []
    for one in reversed(thresholds):
        with suppress(UserError):
            one.require_guardrail(at_ms)
            found.append(one.title)
    return found


def guarded_words(title: str, base: str) -> list[str]:
    """Return the words of the arms with a guardrail; none without a title.

    >>> guarded_words("harm v2", "both")
    ['guarded:harm v2@aligned', 'guarded:harm v2@reference']
    """
    bases = ("aligned", "reference") if base == "both" else (base,)
    return [f"guarded:{title}@{one}" for one in bases] if title else []


def errors_of(wish: EvaluationWish) -> FieldErrors:
    """Return what keeps an evaluation from being made."""
    suites = "" if wish.suites or wish.sealed or wish.dev else "Choose at least one suite."
    arms = "" if wish.arms else "Choose at least one arm beside the reference."
    bad = next((word for word in wish.arms if word.startswith("endpoint:") and "://" not in word), "")
    if bad:
        arms = "An endpoint is an address such as http://localhost:8080/v1."
    sealed = ""
    if wish.sealed and not (wish.person.strip() and wish.reason.strip()):
        sealed = "A look at the sealed test is logged with a person and a reason. Fill in both."
    return FieldErrors(suites, arms, sealed)


def request_of(wish: EvaluationWish) -> EvaluationRequest:
    """Return the request that the form asks for; there must be a run."""
    assert wish.run is not None
    suites = [*wish.suites, *([DEV] if wish.dev else []), *([SEALED] if wish.sealed else [])]
    return EvaluationRequest(
        run=Path(wish.run.folder),
        suites=tuple(suites),
        arms=wish.arms,
        step=wish.step,
        config=EvaluationConfig().with_values({"max_new_tokens": wish.max_new_tokens}),
        limit=wish.limit,
        templates=wish.templates,
        leave_out_leaks=wish.leave_out_leaks,
        name=wish.name.strip(),
        person=wish.person.strip(),
        reason=wish.reason.strip(),
    )


def work_of(wish: EvaluationWish, choices: EvaluationChoices) -> EvaluationSize:
    """Return what the evaluation computes; prompts that several pairs share are answered once, so it may be less."""
    asked = [word for word in with_bases(wish.arms) if not word.startswith("guarded:")]  # it takes others' answers
    local = 1 + sum(not word.startswith("endpoint:") for word in asked)
    policies = sum(not word.startswith(("endpoint:", "reference")) for word in asked)
    kl_prompts = EvaluationConfig().kl_prompts
    answers = scores = kl = 0
    for items, pairs in _sizes(wish, choices):
        used = min(wish.limit or items, items)
        answers += used * (1 + len(asked))
        scores += min(used, pairs) * local
        kl += min(kl_prompts, used) * policies
    compared = 1 + ("aligned" in wish.arms)
    if wish.templates:
        answers += OTHER_TEMPLATES * compared * aligned_of(wish, choices)
    trained = compared * _trained_pairs(wish, choices)
    return EvaluationSize(answers + trained, scores + trained, kl)


def _trained_pairs(wish: EvaluationWish, choices: EvaluationChoices) -> int:
    """Return how many training pairs are measured beside held-out ones, to see what was memorised."""
    if wish.run is None:
        return 0
    rows = choices.sealed.get(wish.run.run_id, (0, 0))[0] if wish.sealed else 0
    held_out = [rows, wish.run.record.n_dev if wish.dev else 0]
    used = sum(min(wish.limit or count, count) for count in held_out)
    return min(EvaluationConfig().trained_pairs, used, wish.run.record.n_train)


def _sizes(wish: EvaluationWish, choices: EvaluationChoices) -> list[tuple[int, int]]:
    """Return items and pairs of each chosen suite."""
    found = [(info.n, info.counts.get("preference", 0)) for info in choices.suites if info.title in wish.suites]
    if wish.run is not None and wish.sealed:
        rows, _ = choices.sealed.get(wish.run.run_id, (0, 0))
        found.append((rows, rows))
    if wish.run is not None and wish.dev:
        found.append((wish.run.record.n_dev, wish.run.record.n_dev))
    return found


def expected_seconds(wish: EvaluationWish, choices: EvaluationChoices) -> tuple[float, str] | None:
    """Return the expected time and the evaluation that it is taken from; None where none of this model is measured.

    It scales the whole time of the newest evaluation of the same model by answers times new tokens.
    """
    if wish.run is None:
        return None
    model = Path(wish.run.record.model_dir).name
    tokens = work_of(wish, choices).answers * wish.max_new_tokens
    for info in choices.past:
        answered = info.status.done.get("answers", 0)
        if info.record.run.get("model") == model and answered and info.status.elapsed_s >= 1:
            per_token = info.status.elapsed_s / (answered * info.record.config.max_new_tokens)
            return per_token * tokens, info.name
    return None


def expectation_words(wish: EvaluationWish, choices: EvaluationChoices) -> str:
    """Return how much work and how many minutes, in a sentence or two."""
    work = work_of(wish, choices)
    if not work.answers:
        return ""
    words = size_words(wish, work)
    found = expected_seconds(wish, choices)
    if found is None:
        return f"{words}. How long that takes is not known yet: this model was not evaluated here before."
    seconds, name = found
    return f"{words}: about {duration(seconds)}, at the pace of {name}."


def size_words(wish: EvaluationWish, work: EvaluationSize) -> str:
    """Return how much work it is."""
    words = f"{counted(work.answers, 'answer')} of at most {counted(wish.max_new_tokens, 'token')}"
    if work.scores:
        words += f", {counted(work.scores, 'scored pair')}"
    if work.kl_answers:
        words += f", {counted(work.kl_answers, 'answer')} for the KL"
    return words


def cost_words(wish: EvaluationWish, choices: EvaluationChoices, cost: ExpectedCost) -> str:
    """Return the work with the time that was measured for it."""
    return f"{size_words(wish, work_of(wish, choices))}. {cost.sentence()}"


def cheaper_than(cost: ExpectedCost) -> str:
    """Return what would be cheaper by measured times, the two largest savings, with what each loses."""
    found = [
        f"{one.option.removeprefix('--set ')}: {duration(one.seconds)}, but {one.loses}" for one in cost.cheaper[:2]
    ]
    return f"Cheaper: {'; '.join(found)}." if found else ""


def cheaper_words(wish: EvaluationWish, choices: EvaluationChoices) -> str:
    """Return what would be cheaper, the largest saving first; "" where nothing is."""
    answers = work_of(wish, choices).answers
    options: list[tuple[int, str]] = []
    largest = max((items for items, _ in _sizes(wish, choices)), default=0)
    if largest > CHEAP_LIMIT and not 0 < wish.limit <= CHEAP_LIMIT:
        fewer = work_of(replace(wish, limit=CHEAP_LIMIT), choices).answers
        options.append((fewer, f"a limit of {CHEAP_LIMIT} items a suite ({counted(fewer, 'answer')})"))
    if len(wish.arms) > 1:
        fewer = work_of(replace(wish, arms=("aligned",)), choices).answers
        options.append((fewer, f"the aligned arm alone ({counted(fewer, 'answer')})"))
    if wish.templates:
        fewer = work_of(replace(wish, templates=False), choices).answers
        options.append((fewer, f"the chat template of training alone ({counted(fewer, 'answer')})"))
    cheaper = [words for fewer, words in sorted(options) if fewer < answers]
    return f"Cheaper: {' or '.join(cheaper)}." if cheaper else ""
