"""Dataset versions: judgements frozen under a stated policy, in a stated order, with a hash over all of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from core.domain.errors import BadInput
from core.domain.ids import sha256_json

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
Aggregation = Literal["mean", "majority", "latest", "single"]


@dataclass(frozen=True, slots=True)
class FreezePolicy:
    """Which judgements become training pairs, and how several become one.

    Attributes:
        rubric_version_ids: versions whose labels count; empty accepts every published one that no later major
            version made stale. While this and ``reviewer_ids`` are empty, labels made here outrank imported
            ones on the same pair.
        reviewer_ids: reviewers whose labels count; empty accepts all.
        source_ids: sources whose pairs count; empty accepts all.
        aggregation: ``mean`` of signed strength, ``majority`` of sides, ``latest`` label,
            ``single`` (refuse pairs with several reviewers who disagree).
        min_strength: pairs whose aggregate strength is below it in absolute value are left out.
        max_spread: pairs whose strengths differ by more are left out; None keeps all.
        keep_ties: keep ties as tie pairs for tie-aware losses instead of leaving them out.
        drop_flags: pairs on which any current judgement carries one of these flags are left out.
        require_consent: leave out sources without granted consent.
        splits: shares of train, dev, test; drawn by prompt group with ``seed``.
        soft_targets: set each pair's target probability from the share of reviewers who agree.
    """

    rubric_version_ids: tuple[int, ...] = ()
    reviewer_ids: tuple[int, ...] = ()
    source_ids: tuple[int, ...] = ()
    aggregation: Aggregation = "mean"
    min_strength: float = 1.0
    max_spread: float | None = None
    keep_ties: bool = False
    drop_flags: tuple[str, ...] = ("pii", "unsafe", "bad_prompt", "truncated", "duplicate")
    require_consent: bool = True
    splits: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    soft_targets: bool = False
    strength_weights: bool = False

    def __post_init__(self) -> None:
        if any(s < 0 for s in self.splits) or abs(sum(self.splits) - 1) > 1e-9:
            raise BadInput("The three split shares must be 0 or more and add up to 1.")
        if self.aggregation not in ("mean", "majority", "latest", "single"):
            raise BadInput(f"Unknown aggregation {self.aggregation!r}.")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; part of the manifest and of the root hash."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> FreezePolicy:
        """Build a policy from plain values.

        Raises:
            BadInput: for an unknown key.
        """
        if unknown := set(row) - set(cls.__dataclass_fields__):
            raise BadInput(f"Unknown freeze setting {sorted(unknown)[0]!r}.")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})


@dataclass(frozen=True, slots=True)
class FrozenItem:
    """One item of a dataset version: which pair, which side won, and why it counts what it counts."""

    position: int
    pair_id: int
    pair_sha256: str
    split: Split
    chosen: Literal["A", "B"]
    strength: float
    weight: float
    target: float
    is_tie: bool
    judgement_ids: tuple[int, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return the content that the root hash covers; database ids are left out of it."""
        return {
            "pair": self.pair_sha256,
            "split": self.split,
            "chosen": self.chosen,
            "strength": self.strength,
            "weight": self.weight,
            "target": self.target,
            "is_tie": self.is_tie,
        }


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many pairs were left out for one reason, with a few of their ids."""

    reason: str
    count: int
    pair_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A frozen dataset version as it stands in the workspace."""

    id: int
    name: str
    number: int
    root_sha256: str
    policy: FreezePolicy
    counts: dict[str, int] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    rubric_titles: tuple[str, ...] = ()
    created_ms: int = 0
    created_by: str = ""

    @property
    def title(self) -> str:
        """Name and number, as shown everywhere."""
        return f"{self.name} v{self.number}"


@dataclass(frozen=True, slots=True)
class FreezePlan:
    """What freezing under a policy would give. ``pairs = items + left out``, always.

    Attributes:
        counts: pairs, items, left_out, train, dev, test, ties, prompts, judgements, reviewers, and of the
            items with several labels how many there are (``several``) and on how many all agree (``agree``).
        left_out: why pairs are left out, the commonest reason first.
        same_as: title of the newest version with the very same content, else empty.
        notes: what a careful person would want to know before freezing, in sentences.
    """

    policy: FreezePolicy
    counts: dict[str, int]
    left_out: tuple[LeftOut, ...]
    rubric_titles: tuple[str, ...]
    root_sha256: str
    same_as: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """How one dataset version differs from another, as pair ids in ascending order.

    Attributes:
        flipped: the chosen side changed, or a tie became a preference or the other way round.
        restrengthened: same side, other strength, weight or target.
        moved: pair id, old split, new split.
    """

    old: str
    new: str
    added: tuple[int, ...]
    removed: tuple[int, ...]
    flipped: tuple[int, ...]
    restrengthened: tuple[int, ...]
    moved: tuple[tuple[int, str, str], ...]
    same: int
    policy_changes: tuple[tuple[str, str, str], ...] = ()
    rubrics_added: tuple[str, ...] = ()
    rubrics_removed: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Say whether the items are the same."""
        return not (self.added or self.removed or self.flipped or self.restrengthened or self.moved)


def diff_versions(
    old: DatasetVersion, old_items: list[FrozenItem], new: DatasetVersion, new_items: list[FrozenItem]
) -> DatasetDiff:
    """Compare two dataset versions item by item, and their policies setting by setting."""
    olds, news = {i.pair_id: i for i in old_items}, {i.pair_id: i for i in new_items}
    both = sorted(olds.keys() & news.keys())
    flipped = [k for k in both if (olds[k].chosen, olds[k].is_tie) != (news[k].chosen, news[k].is_tie)]
    weights = [k for k in both if k not in set(flipped) and _force(olds[k]) != _force(news[k])]
    moved = [(k, olds[k].split, news[k].split) for k in both if olds[k].split != news[k].split]
    changed = {*flipped, *weights, *(k for k, _, _ in moved)}
    before, after = old.policy.to_plain(), new.policy.to_plain()
    titles = set(old.rubric_titles), set(new.rubric_titles)
    return DatasetDiff(
        old=old.title,
        new=new.title,
        added=tuple(sorted(news.keys() - olds.keys())),
        removed=tuple(sorted(olds.keys() - news.keys())),
        flipped=tuple(flipped),
        restrengthened=tuple(weights),
        moved=tuple(moved),
        same=len(both) - len(changed),
        policy_changes=tuple((k, str(before[k]), str(after[k])) for k in before if before[k] != after[k]),
        rubrics_added=tuple(sorted(titles[1] - titles[0])),
        rubrics_removed=tuple(sorted(titles[0] - titles[1])),
    )


def _force(item: FrozenItem) -> tuple[float, float, float]:
    return item.strength, item.weight, item.target


def root_sha256(policy: FreezePolicy, rubric_sha256s: list[str], items: list[FrozenItem]) -> str:
    """Return the hash over policy, rubric contents and the ordered items. Same inputs, same hash.

    The policy enters without its database ids: what they select shows in the items and rubrics.
    """
    plain = policy.to_plain()
    for key in ("rubric_version_ids", "reviewer_ids", "source_ids"):
        plain.pop(key)
    return sha256_json({"policy": plain, "rubrics": sorted(rubric_sha256s), "items": [i.to_plain() for i in items]})
