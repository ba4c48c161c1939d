"""Dataset versions: judgements frozen under a stated policy, in a stated order, with a hash over all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.domain.freeze_policy import CAME_LATER, Aggregation, FreezePolicy
from core.domain.ids import sha256_json

__all__ = [
    "Aggregation",
    "DatasetDiff",
    "DatasetVersion",
    "FreezePlan",
    "FreezePolicy",
    "FrozenItem",
    "LeftOut",
    "Split",
    "diff_versions",
    "root_sha256",
]

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
ROOT_FORMAT = 2
"""What the root hash of a new version covers: 2 adds what the judgements behind each item say."""


@dataclass(frozen=True, slots=True)
class FrozenItem:
    """One item of a dataset version: the pair, the side that won, its weight and the judgements behind it."""

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
    """A frozen dataset version as it stands in the workspace.

    Attributes:
        chain_head: head of the workspace's hash chain when it was frozen; "" for a version from before the chain.
        changesets: names of the approved changesets that it was frozen under.
        signed_off_by: who, other than the last one to label, put a name under it; "" where nobody did.
    """

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
    chain_head: str = ""
    changesets: tuple[str, ...] = ()
    signed_off_by: str = ""

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
            ``near_copies`` counts the prompts of dev and test with a near copy in train, ``flag_<name>`` the items
            that carry a text flag; both are left out where they are 0, as are ``adjudicated`` items and the reviewers'
            votes on them: ``votes_for`` the chosen answer, ``votes_against`` and ``votes_other``; and
            ``on_policy``, the items with an answer that was sampled from a policy.
        left_out: why pairs are left out, the commonest reason first.
        same_as: title of the newest version with the very same content, else empty.
        notes: sentences to read before freezing.
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
        policy_changes=tuple(
            (k, str(_setting(before, k)), str(_setting(after, k)))
            for k in {**before, **after}
            if _setting(before, k) != _setting(after, k)
        ),
        rubrics_added=tuple(sorted(titles[1] - titles[0])),
        rubrics_removed=tuple(sorted(titles[0] - titles[1])),
    )


def _setting(plain: Mapping[str, Any], key: str) -> Any:
    return plain[key] if key in plain else CAME_LATER.get(key, (False,))[0]


def _force(item: FrozenItem) -> tuple[float, float, float]:
    return item.strength, item.weight, item.target


def root_sha256(
    policy: FreezePolicy | Mapping[str, Any],
    rubric_sha256s: list[str],
    items: list[FrozenItem],
    evidence: Mapping[int, str] | None = None,
) -> str:
    """Return the hash over policy, rubric contents and the ordered items. Same inputs, same hash.

    The policy enters without its database ids, because what they select is in the items and rubrics. Give a policy
    that is already frozen as its stored plain values: 2 and 2.0 give different hashes.

    Args:
        policy: of the freeze.
        rubric_sha256s: of the rubric versions behind the items.
        items: in their order.
        evidence: judgement id -> hash of what that judgement says (format 2); None for versions that were frozen before
            the root hash covered judgements (format 1).
    """
    plain = policy.to_plain() if isinstance(policy, FreezePolicy) else dict(policy)
    for key in ("rubric_version_ids", "reviewer_ids", "source_ids"):
        plain.pop(key, None)
    whole: dict[str, Any] = {"policy": plain, "rubrics": sorted(rubric_sha256s)}
    if evidence is None:
        return sha256_json({**whole, "items": [i.to_plain() for i in items]})
    rows = [{**i.to_plain(), "judgements": sorted(evidence[key] for key in i.judgement_ids)} for i in items]
    return sha256_json({**whole, "items": rows, "format": ROOT_FORMAT})
