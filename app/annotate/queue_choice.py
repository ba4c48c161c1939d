"""What to label: rubric version, which pairs, in which order; and how the queue of a choice is opened. No widgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from core.domain.counting import counted
from core.domain.errors import NotFound
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.domain.rubric import RubricVersion
from core.services.annotation.views import Order, PresentationView, QueueInfo, QueueSettings

if TYPE_CHECKING:
    from core.services.application import Application

QueueKind = Literal[
    "all", "skipped", "bookmarks", "stale", "chosen", "retest", "adjudicate", "gold", "votes", "audit", "batch",
    "quiz", "practice",
]  # fmt: skip
Missing = Literal[
    "", "pairs", "rubric", "reviewer", "skipped", "part", "failed", "done", "sealed", "withdrawn", "voted", "quizzed",
    "practised",
]  # fmt: skip
"""What is missing where no pair is shown: a key of ``empty_states.EMPTY_STATES``, or empty."""
PREFETCH = 4
"""Pairs that are handed out at once, so that the next ones wait in memory."""
_TASKS: dict[QueueKind, Task] = {
    "stale": Task.RELABEL,
    "retest": Task.RETEST,
    "adjudicate": Task.ADJUDICATE,
    "gold": Task.GOLD,
    "quiz": Task.GOLD,
    "practice": Task.GOLD,
}
_TITLES: dict[QueueKind, str] = {
    "all": "",
    "skipped": "put aside earlier",
    "bookmarks": "bookmarked",
    "stale": "relabelling",
    "retest": "a second time",
    "adjudicate": "adjudicating",
    "gold": "decided pairs",
    "votes": "votes",
    "audit": "refusal audit",
    "quiz": "quiz",
    "practice": "practice",
}


@dataclass(frozen=True, slots=True)
class QueueChoice:
    """What a reviewer chose to label.

    Attributes:
        version_id: a published rubric version; None for the newest.
        pair_ids: the pairs of the kind "chosen".
        vote_round: id and name of the round of the kind "votes"; its rubric version and order are its own.
        evaluation: id of the evaluation whose answers are audited, for the kind "audit", which has its own screen.
        batch: id and name of the batch of the kind "batch"; its rubric version and order are its own.
    """

    kind: QueueKind = "all"
    version_id: int | None = None
    pair_ids: tuple[int, ...] = ()
    order: Order = "import"
    vote_round: tuple[int, str] = (0, "")
    evaluation: str = ""
    batch: tuple[int, str] = (0, "")

    @property
    def title(self) -> str:
        """What is labelled in a few words, empty for simply every pair."""
        if self.kind == "chosen":
            count = len(self.pair_ids)
            return counted(count, "chosen pair")
        if self.kind == "votes":
            return self.vote_round[1]
        if self.kind == "batch":
            return self.batch[1]
        return _TITLES[self.kind]

    @property
    def explains(self) -> bool:
        """Whether each answer is followed by right or wrong and the reason."""
        return self.kind in ("quiz", "practice")

    def of_kind(self, kind: QueueKind) -> QueueChoice:
        """Return the choice of other pairs."""
        return replace(self, kind=kind)

    def of_pairs(self, pair_ids: tuple[int, ...]) -> QueueChoice:
        """Return the choice of these pairs only."""
        return replace(self, kind="chosen", pair_ids=pair_ids)

    def of_votes(self, round_id: int, name: str) -> QueueChoice:
        """Return the choice of a round of votes."""
        return replace(self, kind="votes", vote_round=(round_id, name))

    def of_batch(self, batch_id: int, name: str) -> QueueChoice:
        """Return the choice of the reviewer's slots in a batch."""
        return replace(self, kind="batch", batch=(batch_id, name))


@dataclass(frozen=True, slots=True)
class OpenRound:
    """A round of votes in which items wait for the reviewer."""

    id: int
    name: str
    waiting: int


@dataclass(frozen=True, slots=True)
class OpenSlots:
    """A batch in which slots wait for the reviewer."""

    id: int
    name: str
    waiting: int


@dataclass(frozen=True, slots=True)
class OpenQuiz:
    """A rubric version with a quiz of which items wait for the reviewer."""

    version_id: int
    title: str
    left: int


@dataclass(frozen=True, slots=True)
class OpenAudit:
    """An evaluation whose answers can be audited; ``left`` says how many of those drawn nobody has labelled."""

    evaluation_id: str
    name: str
    left: int
    drawn: bool


@dataclass(frozen=True, slots=True)
class Queues:
    """What there is to label: published rubric versions, what waits of votes, batches and quizzes, and audits."""

    versions: Sequence[RubricVersion] = ()
    rounds: Sequence[OpenRound] = ()
    audits: Sequence[OpenAudit] = ()
    batches: Sequence[OpenSlots] = ()
    quizzes: Sequence[OpenQuiz] = ()


@dataclass(frozen=True, slots=True)
class OpenedQueue:
    """A queue with its first pairs, or what is missing for one.

    Attributes:
        version: the rubric version of the queue.
        first: the pairs that were handed out with it.
        rubrics: every published version by its id, so that an earlier judgement is shown under its own criteria.
        own_label: the reviewer's judgement of the one pair that was asked for and is labelled already.
    """

    missing: Missing = ""
    queue: QueueInfo | None = None
    version: RubricVersion | None = None
    first: list[PresentationView] = field(default_factory=list)
    rubrics: dict[int, RubricVersion] = field(default_factory=dict)
    own_label: int | None = None


def read_queues(services: Application, reviewer_id: int | None) -> Queues:
    """Return what a reviewer can label."""
    rounds = services.votes.list("", reviewer_id) if reviewer_id is not None else []
    waiting = [OpenRound(one.round.id, one.round.name, one.waiting_for_reviewer) for one in rounds]
    audits = list(_open_audits(services, reviewer_id))
    slots = services.batches.waiting_for(reviewer_id) if reviewer_id is not None else []
    batches = [OpenSlots(one.id, one.name, count) for one, count in slots]
    quizzes = list(_open_quizzes(services, reviewer_id)) if reviewer_id is not None else []
    return Queues(services.rubrics.published(), [one for one in waiting if one.waiting], audits, batches, quizzes)


def _open_quizzes(services: Application, reviewer_id: int) -> Iterator[OpenQuiz]:
    """Yield the quizzes with items that this reviewer has not answered and was not spared."""
    for one in services.qualification.newest():
        stands = one.of(reviewer_id)
        if one.quiz is not None and stands is not None and stands.left and not stands.qualified:
            yield OpenQuiz(one.version_id, one.title, stands.left)


def _open_audits(services: Application, reviewer_id: int | None) -> Iterator[OpenAudit]:
    """Yield the evaluations whose detector judged answers, unless every answer drawn is labelled and enough are."""
    for info in services.evaluations.list():
        if info.state == "finished":
            with suppress(NotFound):  # it measured no refusals
                queue = services.audits.queue(info.evaluation_id, reviewer_id, ahead=0, past=1)
                if not queue.complete:
                    yield OpenAudit(info.evaluation_id, info.name, queue.total - queue.labelled, queue.drawn)


def open_queue(services: Application, choice: QueueChoice, reviewer_id: int | None) -> OpenedQueue:
    """Open the queue of a choice for a reviewer, or say what is missing for it. Reads the database."""
    if not services.pairs.count(PairFilter()):
        return OpenedQueue("pairs")
    choice = _on_desk(services, choice)
    version = _version(services, choice)
    if version is None:
        return OpenedQueue("rubric")
    if reviewer_id is None:
        return OpenedQueue("reviewer")
    queue = services.annotation.open_queue(_settings(services, choice, reviewer_id, version.id))
    rubrics = {v.id: v for v in services.rubrics.published(imported=True)}
    opened = partial(OpenedQueue, queue=queue, version=version, rubrics=rubrics)
    if first := services.annotation.next(queue, PREFETCH):
        return opened(first=first)
    if (judgement_id := _own_label(services, choice, reviewer_id)) is not None:
        return opened(own_label=judgement_id)
    return opened(missing_pairs(choice.kind, queue.skipped, queue.sealed, queue.withdrawn))


def _on_desk(services: Application, choice: QueueChoice) -> QueueChoice:
    """Return the batch of a desk where simply every pair is chosen: on a desk these are its slots."""
    if choice.kind == "all":
        for state in services.batches.list():
            if state.batch.home_uuid:
                return choice.of_batch(state.batch.id, state.batch.name)
    return choice


def missing_pairs(kind: QueueKind, skipped: int, sealed: int = 0, withdrawn: int = 0) -> Missing:
    """Return what is missing at the end of a queue.

    >>> missing_pairs("all", 3), missing_pairs("all", 0), missing_pairs("bookmarks", 0), missing_pairs("chosen", 0, 1)
    ('skipped', 'done', 'part', 'sealed')
    >>> missing_pairs("all", 0, 0, 2)
    'withdrawn'
    """
    if kind == "all" and skipped:
        return "skipped"
    if kind == "votes":
        return "voted"
    if kind == "quiz":
        return "quizzed"
    if kind == "practice":
        return "practised"
    if sealed:
        return "sealed"
    if withdrawn:
        return "withdrawn"
    return "done" if kind == "all" else "part"


def _version(services: Application, choice: QueueChoice) -> RubricVersion | None:
    if choice.kind == "votes":
        return services.rubrics.version(services.votes.get(choice.vote_round[0]).rubric_version_id)
    if choice.kind == "batch":
        return services.rubrics.version(services.batches.find(choice.batch[0]).rubric_version_id)
    published = [v for v in services.rubrics.published() if v.body.criteria]
    published = [v for v in published if not v.rubric_name.startswith("Imported")] or published
    return next((v for v in published if v.id == choice.version_id), published[0] if published else None)


def _settings(services: Application, choice: QueueChoice, reviewer_id: int, version_id: int) -> QueueSettings:
    pair_ids = None
    if choice.kind == "votes":
        return services.votes.queue(choice.vote_round[0], reviewer_id)
    if choice.kind == "batch":
        return services.batches.queue(choice.batch[0], reviewer_id, revisit_skipped=True)
    if choice.kind == "quiz":
        return services.qualification.queue(version_id, reviewer_id)
    if choice.kind == "practice":
        return services.qualification.practice_queue(version_id, reviewer_id)
    if choice.kind == "chosen":
        pair_ids = choice.pair_ids
    elif choice.kind == "bookmarks":
        pair_ids = tuple(pair_id for pair_id, _ in services.annotation.bookmarks(reviewer_id))
    return QueueSettings(
        reviewer_id,
        version_id,
        None if pair_ids is None else PairFilter(pair_ids=pair_ids),
        choice.order,
        task=_TASKS.get(choice.kind, Task.LABEL),
        revisit_skipped=choice.kind in ("skipped", "bookmarks", "chosen"),
    )


def _own_label(services: Application, choice: QueueChoice, reviewer_id: int) -> int | None:
    """Return the reviewer's label of the one pair that was asked for, to look at and amend."""
    if choice.kind != "chosen" or len(choice.pair_ids) != 1:
        return None
    judgements = services.pairs.detail(choice.pair_ids[0]).judgements
    own = [j.id for j in judgements if j.current and j.kind == "label" and j.reviewer.id == reviewer_id]
    return own[-1] if own else None
