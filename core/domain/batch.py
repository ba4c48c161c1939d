"""Batches: which answers are wanted of which pairs by whom, what became of each, and whether it adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal

from core.domain.choices import choice_hint
from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.ids import sha256_json
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.domain.suspects import SuspectMark

BatchOrder = Literal["import", "random", "margin", "disagreement", "noise", "length", "suspects"]
BATCH_ORDERS: dict[BatchOrder, str] = {
    "import": "in the order of import",
    "random": "at random",
    "margin": "by a run's margin, nearest to zero first",
    "disagreement": "by how far two runs disagree, signs that differ first",
    "noise": "by a run's margin against the label, most against it first",
    "length": "by how far the lengths of both answers differ, farthest first",
    "suspects": "labels that a run contradicts, to be judged again blind",
}
RUNS_NEEDED: dict[BatchOrder, int] = {"margin": 1, "disagreement": 2, "noise": 1, "suspects": 1}
"""How many runs an order reads."""
PICKING = (*RUNS_NEEDED, "length")
"""Orders that decide which pairs are in a batch with a limit."""
Picked = Literal["random", "rule"]
SlotState = Literal["labelled", "skipped", "open"]


class SlotKind(StrEnum):
    """Why a batch wants an answer. Reviewers cannot tell first, second, third, gold and retest apart."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    GOLD = "gold"
    RETEST = "retest"
    RELABEL = "relabel"
    ADJUDICATE = "adjudicate"

    @property
    def task(self) -> Task:
        """The task under which it is answered."""
        return {
            SlotKind.GOLD: Task.GOLD,
            SlotKind.RETEST: Task.RETEST,
            SlotKind.RELABEL: Task.RELABEL,
            SlotKind.ADJUDICATE: Task.ADJUDICATE,
        }.get(self, Task.LABEL)


LABEL_KINDS = (SlotKind.FIRST, SlotKind.SECOND, SlotKind.THIRD, SlotKind.RELABEL)
"""Kinds whose answers are labels of the pair; the others measure the reviewer, or decide."""


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """What a batch wants.

    Attributes:
        reviewers: ids of those who label; each has an own queue.
        adjudicators: ids of those who decide conflicts; none leaves conflicts to the queue of all of them.
        filter: which pairs; without one those that nobody labelled.
        limit: most pairs; 0 takes all that pass.
        order: see :data:`BATCH_ORDERS`; ``seed`` fixes every draw.
        runs: ids of the runs that the order reads.
        random_share: of the pairs that an order and a limit pick, the share that is drawn at random instead; among
            label-noise suspects, pairs whose labels the run does not contradict, so that nobody knows which are which.
        second_share: share of pairs with a label by a second reviewer, drawn among pairs that no order picked, so that
            agreement is not that of picked pairs.
        second_on_flags: a flagged pair gets a second label.
        third: a pair whose two labels are in conflict gets a third one.
        gold_share: pairs with a known answer, as a share of a reviewer's slots. retest_share: repeated pairs, likewise;
            half of them with sides swapped.
        relabel: also the labels of each reviewer that a later major version made stale.

    Raises:
        BadInput: for values that contradict each other or lie outside their limits.
    """

    reviewers: tuple[int, ...]
    adjudicators: tuple[int, ...] = ()
    filter: PairFilter = field(default_factory=lambda: PairFilter(label="none"))
    limit: int = 0
    order: BatchOrder = "random"
    seed: int = 0
    runs: tuple[str, ...] = ()
    random_share: float = 0.2
    second_share: float = 0.25
    second_on_flags: bool = True
    third: bool = True
    gold_share: float = 0.08
    retest_share: float = 0.05
    relabel: bool = False

    def __post_init__(self) -> None:
        if not self.reviewers:
            raise BadInput("A batch needs somebody who labels.", "Name at least one reviewer.")
        for who in (self.reviewers, self.adjudicators):
            if len(set(who)) != len(who):
                raise BadInput("A reviewer is named twice.", "Name each one once.")
        if self.order not in BATCH_ORDERS:
            raise BadInput(f"Unknown order {self.order!r}.", choice_hint(self.order, tuple(BATCH_ORDERS)))
        wanted = RUNS_NEEDED.get(self.order, 0)
        if len(set(self.runs)) != wanted or len(self.runs) != wanted:
            raise BadInput(
                f"The order {self.order!r} reads {counted(wanted, 'run')}, and {len(self.runs)} are named.",
                "Name as many different runs as it reads.",
            )
        if self.limit < 0:
            raise BadInput("The number of pairs cannot be below 0.", "0 takes all that pass the filter.")
        for name in ("random_share", "second_share", "gold_share", "retest_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadInput(f"The {name.replace('_', ' ')} lies between 0 and 1.", "0.25 is a quarter.")

    @property
    def picks(self) -> bool:
        """Whether the order decides which pairs are in the batch, and not only when they come."""
        return self.limit > 0 and self.order in PICKING

    def to_plain(self, uids: Mapping[int, str]) -> dict[str, Any]:
        """Return plain values for JSON; reviewers by uid, which no renaming changes; of the filter what it asks for."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        usual = asdict(PairFilter())
        asked = {key: value for key, value in asdict(self.filter).items() if value != usual[key]}
        return {
            **plain,
            "reviewers": [uids[key] for key in self.reviewers],
            "adjudicators": [uids[key] for key in self.adjudicators],
            "filter": asked,
            "runs": list(self.runs),
        }


def policy_sha256(plain: Mapping[str, Any]) -> str:
    """Return the hash of a policy as plain values."""
    return sha256_json(dict(plain))


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot before it is stored. ``after`` is the place in the same list of the slot that a retest repeats."""

    pair_id: int
    kind: SlotKind
    picked: Picked
    reviewer_id: int | None
    swapped: bool = False
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One answer that a batch wants, and what became of it.

    Attributes:
        number: its place in the batch, the same on every desk.
        reviewer_id: who is to give it; None is open to all of the batch.
        after_id: the slot that a retest repeats.
        state: labelled, skipped or open.
        in_bundle: it is in a review bundle, so another workspace answers it.
    """

    id: int
    number: int
    pair_id: int
    kind: SlotKind
    picked: Picked
    swapped: bool
    reviewer_id: int | None
    after_id: int | None
    state: SlotState = "open"
    in_bundle: bool = False


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """A batch as it was made.

    Attributes:
        policy: its plain values, see :meth:`BatchPolicy.to_plain`.
        told: what had to be said when it was made, a sentence each.
        home_uuid: the workspace that it was made in; empty for this one.
        suspects: the labels that it was made to judge again, most suspicious first; empty for other orders.
    """

    id: int
    uid: str
    name: str
    rubric_version_id: int
    rubric: str
    policy: Mapping[str, Any]
    order: str
    seed: int
    author: str
    created_ms: int
    told: tuple[str, ...] = ()
    home_uuid: str = ""
    suspects: tuple[SuspectMark, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "id": self.id,
            "uid": self.uid,
            "name": self.name,
            "rubric": self.rubric,
            "policy": dict(self.policy),
            "order": self.order,
            "seed": self.seed,
            "by": self.author,
            "created_ms": self.created_ms,
            "told": list(self.told),
            "suspects": [one.to_plain() for one in self.suspects],
        }


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """What became of some slots; ``slots`` is counted, not added up, so that :attr:`adds_up` means something."""

    slots: int
    labelled: int
    skipped: int
    open: int

    @property
    def adds_up(self) -> bool:
        """Whether every slot is labelled, skipped or open, and only one of them."""
        return self.slots == self.labelled + self.skipped + self.open

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "slots": self.slots,
            "labelled": self.labelled,
            "skipped": self.skipped,
            "open": self.open,
            "adds_up": self.adds_up,
        }


def account(slots: Iterable[Slot]) -> SlotCounts:
    """Count slots by what became of them."""
    given = list(slots)
    return SlotCounts(
        len(given),
        sum(one.state == "labelled" for one in given),
        sum(one.state == "skipped" for one in given),
        sum(one.state == "open" for one in given),
    )


def account_pairs(slots: Iterable[Slot]) -> SlotCounts:
    """Count pairs: labelled with one label, open while a label may come, skipped when all that is left was skipped."""
    states: dict[int, set[SlotState]] = {}
    for one in slots:
        if one.kind in LABEL_KINDS:
            states.setdefault(one.pair_id, set()).add(one.state)
    labelled = sum("labelled" in found for found in states.values())
    is_open = sum("labelled" not in found and "open" in found for found in states.values())
    skipped = sum(found == {"skipped"} for found in states.values())
    return SlotCounts(len(states), labelled, skipped, is_open)


@dataclass(frozen=True, slots=True)
class PairNeed:
    """A pair with fewer labels than its slots want."""

    pair_id: int
    needs: int
    has: int
    skips: int

    def words(self) -> str:
        """Return what is missing in words.

        >>> PairNeed(412, 2, 1, 1).words()
        'needs 2, has 1 + 1 skip'
        """
        skips = f" + {counted(self.skips, 'skip')}" if self.skips else ""
        return f"needs {self.needs:,}, has {self.has:,}{skips}"


def needs_of(slots: Iterable[Slot]) -> list[PairNeed]:
    """Return the pairs that lack labels, in the order of the batch."""
    of_pair: dict[int, list[Slot]] = {}
    for one in slots:
        if one.kind in LABEL_KINDS:
            of_pair.setdefault(one.pair_id, []).append(one)
    found = [
        PairNeed(
            pair_id,
            len(given),
            sum(one.state == "labelled" for one in given),
            sum(one.state == "skipped" for one in given),
        )
        for pair_id, given in of_pair.items()
    ]
    return [one for one in found if one.has < one.needs]
