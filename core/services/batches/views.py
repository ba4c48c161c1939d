"""What is told of batches: plan, state, needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.batch import LabelBatch, PairNeed, Slot, SlotCounts, SlotKind, account, account_pairs, needs_of


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a policy comes to before anything is stored: slots by kind and by reviewer, and what must be said."""

    pairs: int
    by_kind: dict[str, int]
    by_reviewer: dict[str, int]
    told: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        slots = sum(self.by_kind.values())
        return {
            "pairs": self.pairs,
            "slots": slots,
            "by_kind": self.by_kind,
            "by_reviewer": self.by_reviewer,
            "told": list(self.told),
        }


@dataclass(frozen=True, slots=True)
class BatchState:
    """How far a batch is.

    Attributes:
        batch: as it was made. reviewers: names of those who label; adjudicators: of those who decide.
        slots, pairs: counted by what became of them.
        by_kind, by_reviewer: the same by kind, and by the reviewer's name; "" holds slots that are open to all.
        random: of the first and second slots, those that no order picked; only these measure agreement fairly.
        in_bundle: slots that are in review bundles. away: those of them that nothing came back for, by the reviewer's
            name. waiting: retests whose first showing is not labelled.
        needs: pairs that lack labels.
    """

    batch: LabelBatch
    reviewers: tuple[str, ...]
    adjudicators: tuple[str, ...]
    slots: SlotCounts
    pairs: SlotCounts
    by_kind: dict[str, SlotCounts]
    by_reviewer: dict[str, SlotCounts]
    random: SlotCounts
    in_bundle: int
    away: dict[str, int]
    waiting: int
    needs: tuple[PairNeed, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            **self.batch.to_plain(),
            "reviewers": list(self.reviewers),
            "adjudicators": list(self.adjudicators),
            "accounting": self.slots.to_plain(),
            "pairs": self.pairs.to_plain(),
            "by_kind": {key: one.to_plain() for key, one in self.by_kind.items()},
            "by_reviewer": {key: one.to_plain() for key, one in self.by_reviewer.items()},
            "random": self.random.to_plain(),
            "in_bundle": self.in_bundle,
            "away": self.away,
            "waiting": self.waiting,
            "needs": [
                {"pair": one.pair_id, "needs": one.needs, "has": one.has, "skips": one.skips, "words": one.words()}
                for one in self.needs
            ],
        }


def state_of(batch: LabelBatch, slots: Sequence[Slot], names: dict[int, str], uids: dict[int, str]) -> BatchState:
    """Return how far a batch is. ``names`` and ``uids`` are those of all reviewers, by id."""
    by_uid = {uid: names[key] for key, uid in uids.items()}
    states = {one.id: one.state for one in slots}
    kinds = [kind for kind in SlotKind if any(one.kind is kind for one in slots)]
    people = sorted({one.reviewer_id for one in slots}, key=lambda key: (key is None, names.get(key or 0, "")))
    fair = [one for one in slots if one.picked == "random" and one.kind in (SlotKind.FIRST, SlotKind.SECOND)]
    return BatchState(
        batch,
        tuple(by_uid.get(uid, "?") for uid in batch.policy["reviewers"]),
        tuple(by_uid.get(uid, "?") for uid in batch.policy["adjudicators"]),
        account(slots),
        account_pairs(slots),
        {kind.value: account(one for one in slots if one.kind is kind) for kind in kinds},
        {names.get(key or 0, ""): account(one for one in slots if one.reviewer_id == key) for key in people},
        account(fair),
        sum(one.in_bundle for one in slots),
        _away(slots, names),
        sum(one.after_id is not None and one.state == "open" and states[one.after_id] != "labelled" for one in slots),
        tuple(needs_of(slots)),
    )


def _away(slots: Sequence[Slot], names: dict[int, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in slots:
        if one.in_bundle and one.state != "labelled" and one.reviewer_id is not None:
            name = names.get(one.reviewer_id, "?")
            found[name] = found.get(name, 0) + 1
    return found
