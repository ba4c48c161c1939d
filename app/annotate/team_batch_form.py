"""What a new batch can be made of, what the form asks for, and what that comes to. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.domain.batch import RUNS_NEEDED, BatchOrder, BatchPolicy
from core.domain.counting import counted, number
from core.domain.judgement import ReviewerKind
from core.domain.pair_table import LabelFilter, PairFilter

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application
    from core.services.batches.views import BatchPlan

LABELS: tuple[tuple[LabelFilter, str], ...] = (
    ("none", "that nobody labelled"),
    ("any", "labelled or not"),
    ("labelled", "with a label"),
    ("flagged", "with a flag"),
    ("disagree", "on which labels differ"),
)
"""Which pairs a batch takes, by their labels."""
ORDERS: tuple[tuple[BatchOrder, str], ...] = (
    ("random", "at random"),
    ("import", "in the order of import"),
    ("margin", "margin of a run nearest to zero first"),
    ("disagreement", "where two runs disagree first"),
    ("length", "answers of which the lengths differ most first"),
    ("noise", "margin of a run against the label first"),
    ("suspects", "suspects of label noise, judged again blind"),
)
KINDS: Mapping[str, str] = {
    "first": "first label",
    "second": "second label",
    "third": "third label",
    "gold": "gold pair",
    "retest": "retest",
    "relabel": "stale label",
    "adjudicate": "decision",
}
"""Kind of a slot -> what it is called, in the singular."""


@dataclass(frozen=True, slots=True)
class BatchChoices:
    """What there is to choose from: published versions, active people, sources, runs on dataset versions, tags.

    Each but a tag is an id with its words, in the order in which it is shown.
    """

    versions: Sequence[tuple[int, str]]
    people: Sequence[tuple[int, str]]
    sources: Sequence[tuple[int, str]]
    runs: Sequence[tuple[str, str]]
    names: Sequence[str] = ()
    workspace: str = ""
    tags: Mapping[str, int] = field(default_factory=dict)
    """Tag -> how many pairs have it."""


@dataclass(frozen=True, slots=True)
class NewBatchWish:
    """What the form asks for; shares are in per cent."""

    name: str = ""
    version_id: int = 0
    reviewers: tuple[int, ...] = ()
    adjudicators: tuple[int, ...] = ()
    label: LabelFilter = "none"
    source_id: int | None = None
    text: str = ""
    limit: int = 0
    order: BatchOrder = "random"
    runs: tuple[str, ...] = ()
    random: int = 20
    second: int = 25
    third: bool = True
    gold: int = 8
    retest: int = 5
    relabel: bool = False
    seed: int = 0
    tag: str = ""

    def policy(self) -> BatchPolicy:
        """Return the policy.

        Raises:
            BadInput: what it asks for contradicts itself.
        """
        return BatchPolicy(
            self.reviewers,
            self.adjudicators,
            PairFilter(self.text, self.label, source_id=self.source_id, tag=self.tag),
            self.limit,
            self.order,
            self.seed,
            self.runs[: RUNS_NEEDED.get(self.order, 0)],
            self.random / 100,
            self.second / 100,
            third=self.third,
            gold_share=self.gold / 100,
            retest_share=self.retest / 100,
            relabel=self.relabel,
        )


def read_choices(services: Application) -> BatchChoices:
    """Read what there is to choose from."""
    away = services.reviewers.inactive()
    people = [one for one in services.reviewers.list() if one.kind is ReviewerKind.HUMAN and one.id not in away]
    runs = [one for one in services.runs.list() if one.record.dataset.get("root_sha256")]
    return BatchChoices(
        [(one.id, one.title) for one in services.rubrics.published() if one.body.criteria],
        [(one.id, one.name) for one in people],
        [(one.id, one.name) for one in services.imports.sources()],
        [(one.run_id, one.name) for one in runs],
        [one.batch.name for one in services.batches.list()],
        str(services.folder),
        services.pairs.tags.counts(),
    )


def problem_of(wish: NewBatchWish) -> str:
    """Return what keeps a batch from being planned, empty when nothing does."""
    if not wish.version_id:
        return "Publish a rubric that says what better means first, under Rubrics."
    if not wish.reviewers:
        return "Choose who labels."
    needed = RUNS_NEEDED.get(wish.order, 0)
    if len({run for run in wish.runs[:needed] if run}) < needed:
        return (
            f"This order reads {counted(needed, 'run')} on a dataset version of this workspace; choose {_them(needed)}."
        )
    return ""


def _them(needed: int) -> str:
    return "it" if needed == 1 else "two different ones"


def plan_words(plan: BatchPlan) -> str:
    """Return what a batch would hold: pairs, slots by kind and by reviewer, and what must be said.

    >>> from core.services.batches.views import BatchPlan
    >>> print(plan_words(BatchPlan(8, {"first": 8, "second": 2}, {"Ann": 6, "Bo": 4}, ("Beware.",))))
    8 pairs become 10 slots: 8 first labels + 2 second labels.
    Ann gets 6, Bo gets 4.
    Beware.
    """
    slots = sum(plan.by_kind.values())
    lines = ["No pair is left for this batch. Take labelled ones too, or another source."]
    if slots:
        kinds = " + ".join(counted(count, KINDS[kind]) for kind, count in plan.by_kind.items())
        people = ", ".join(f"{name} gets {number(count)}" for name, count in plan.by_reviewer.items())
        verb = "becomes" if plan.pairs == 1 else "become"
        lines = [f"{counted(plan.pairs, 'pair')} {verb} {counted(slots, 'slot')}: {kinds}.", f"{people}."]
    return "\n".join([*lines, *plan.told])


def free_name(names: Sequence[str]) -> str:
    """Return a name that no batch has.

    >>> free_name(["Batch 2", "June"])
    'Batch 3'
    """
    taken, place = {name.casefold() for name in names}, len(names) + 1
    while f"batch {place}" in taken:
        place += 1
    return f"Batch {place}"
