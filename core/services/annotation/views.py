"""Views of the annotation service: queues, presentations and steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.domain.choices import choice_hint
from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Task, describe
from core.domain.pair import Side
from core.domain.pair_table import PairFilter
from core.domain.rubric_clauses import ChangedSince
from core.store.judgements import Presentation

Order = Literal["import", "newest", "random"]
ORDERS: tuple[Order, ...] = ("import", "newest", "random")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Which pairs a reviewer gets, in which order.

    Attributes:
        reviewer_id: who labels.
        rubric_version_id: a published version; labels under other versions of the same major number count as done.
        filter: narrows the pairs; None takes all.
        order: of import, newest first, or shuffled by ``seed`` (the same seed gives the same order again).
        task: LABEL; RELABEL for pairs with a label that a later major version made stale; RETEST for pairs that
            this reviewer labelled and judges a second time; ADJUDICATE for pairs in conflict;
            GOLD for adjudicated pairs, whose answer is known.
        labels_per_pair: pairs with this many labels by other reviewers are left out; 0 is no limit.
        overlap_share: share of pairs, fixed by ``seed``, that get one label more than ``labels_per_pair``.
        limit: largest number of pairs in the queue; 0 is no limit.
        revisit_skipped: offer the pairs that this reviewer skipped again.
        vote_round: a round of votes, whose pairs are in no other queue; 0 for the pairs of the data.
        batch: a batch, of which this reviewer's slots come in their order, whatever task, filter and order say.
    """

    reviewer_id: int
    rubric_version_id: int
    filter: PairFilter | None = None
    order: Order = "import"
    seed: int = 0
    task: Task = Task.LABEL
    labels_per_pair: int = 0
    overlap_share: float = 0.0
    limit: int = 0
    revisit_skipped: bool = False
    vote_round: int = 0
    batch: int = 0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise BadInput(f"Unknown order {self.order!r}.", choice_hint(self.order, ORDERS))
        if self.task is Task.IMPORTED:
            raise BadInput("A queue cannot be opened for imported labels.")
        if not 0 <= self.overlap_share <= 1:
            raise BadInput("The overlap share lies between 0 and 1.")


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """An open queue. ``uid`` names it in the other calls.

    Attributes:
        sealed: pairs without a label of this reviewer that are test items of a frozen dataset version; they are not
            shown any more and not part of ``total``.
        withdrawn: pairs without a label of this reviewer whose consent was withdrawn or has ended, likewise.
        clarified: what minor versions of the rubric clarified since this reviewer's newest label, or "".
    """

    uid: str
    settings: QueueSettings
    total: int
    done: int
    skipped: int
    sealed: int = 0
    withdrawn: int = 0
    clarified: str = ""

    @property
    def remaining(self) -> int:
        """Pairs still to be labelled, skipped ones not counted."""
        return max(0, self.total - self.done - self.skipped)


@dataclass(frozen=True, slots=True)
class PresentationView:
    """One presentation: the texts by screen side, without their origin.

    Attributes:
        position: place in the queue, from 1; 0 outside a queue.
        draft: what was filled in before an interruption, as ``save_draft`` got it.
        task: of a batch's gold pairs and retests LABEL, since items look alike.
        answer: the former answer, canonical sides, when a pair comes back through undo or from the history.
        changed: what the rubric changed since this reviewer's label of the pair under an older major version.
    """

    presentation_uid: str
    pair_id: int
    prompt: Prompt
    left: str
    right: str
    left_is: Side
    position: int
    total: int
    task: Task
    rubric_version_id: int
    draft: dict[str, object] | None = None
    answer: JudgementDraft | None = None
    changed: ChangedSince | None = None


@dataclass(frozen=True, slots=True)
class UnsavedDraft:
    """What a reviewer had filled in when nothing could be saved.

    Attributes:
        presentation: of the pair. body: the form as JSON values.
        behind: uid and hashes of reviewer, pair and rubric version, so that it is taken over by no other pair that has
            the same number in another file; empty when they could not be read.
        reviewer: name. prompt, left, right: the texts as they were shown.
    """

    presentation: Presentation
    body: dict[str, object]
    behind: tuple[str, ...] = ()
    reviewer: str = ""
    prompt: str = ""
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class QueueProgress:
    """How far a reviewer is.

    Attributes:
        today: labels committed since local midnight and not taken back, all queues.
        seconds_per_pair: median of the last commits; None before the first.
        sealed, withdrawn: pairs that are not shown any more; see :class:`QueueInfo`.
    """

    done: int
    total: int
    skipped: int
    today: int
    seconds_per_pair: float | None
    sealed: int = 0
    withdrawn: int = 0

    @property
    def remaining(self) -> int:
        """Pairs still to be labelled, skipped ones not counted."""
        return max(0, self.total - self.done - self.skipped)


@dataclass(frozen=True, slots=True)
class UndoStep:
    """A step that was undone or redone.

    Attributes:
        label: what it was, in words.
        kind: "label", "amend" or "skip".
        presentation: after an undo that leaves the pair without an answer, a new presentation of it with the same
            sides and the former answer filled in; None otherwise.
        judgement_id: the judgement that now holds the step's answer; None for a skip.
    """

    label: str
    kind: str
    pair_id: int
    presentation: PresentationView | None = None
    judgement_id: int | None = None


def step_label(kind: str, pair_id: int, draft: JudgementDraft | None, left_is: Side) -> str:
    """Return the name of a step as the reviewer saw it: "Left much better on pair 412".

    >>> step_label("skip", 7, None, "A")
    'Put pair 7 aside'
    """
    if draft is None:
        return f"Put pair {pair_id} aside"
    words = describe(draft)
    if draft.preferred is not None:
        side = "Left" if draft.preferred == left_is else "Right"
        words = f"{side}{words[1:]}"
    text = f"{words[0].upper()}{words[1:]} on pair {pair_id}"
    return f"{text}, amended" if kind == "amend" else text
