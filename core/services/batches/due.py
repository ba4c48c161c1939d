"""What a batch owes after labels came in: second labels of flagged pairs, third labels and decisions of conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from core.domain.batch import LABEL_KINDS, NewSlot, Slot, SlotKind
from core.services.batches.drawing import assign


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the pairs of a batch now.

    Attributes:
        split: pairs whose labels are in conflict by what they say. disputed: these, and labelled pairs with a flag.
        flagged: pairs with a flag.
        reviewers, adjudicators: ids of those who may get slots, inactive ones left out.
        known_to: reviewer -> pairs that this reviewer has labelled or decided.
    """

    split: AbstractSet[int]
    disputed: AbstractSet[int]
    flagged: AbstractSet[int]
    reviewers: Sequence[int]
    adjudicators: Sequence[int]
    known_to: Mapping[int, AbstractSet[int]]


def due(policy: Mapping[str, Any], slots: Sequence[Slot], facts: Facts) -> list[NewSlot]:
    """Return the slots that are due and not there yet, in the order of the batch.

    Flags lead to a second label and a conflict of two labels to a third; a conflict that stays when all labels of the
    pair are in is to be decided. Where nobody of the batch may answer, the slot is open, and says so.
    """
    loads = dict.fromkeys(facts.reviewers, 0)
    deciders = dict.fromkeys(facts.adjudicators, 0)
    for one in slots:
        if one.state == "open":
            for load in (loads, deciders):
                if one.reviewer_id in load:
                    load[one.reviewer_id] += 1
    found: list[NewSlot] = []
    for pair_id, given in _by_pair(slots).items():
        kinds = {one.kind for one in given}
        labels = [one for one in given if one.kind in LABEL_KINDS]
        barred = [one.reviewer_id for one in given if one.reviewer_id is not None]
        answered = sum(one.state == "labelled" for one in labels)
        if policy["second_on_flags"] and pair_id in facts.flagged and SlotKind.SECOND not in kinds and answered == 1:
            found.append(_slot(pair_id, SlotKind.SECOND, loads, barred, facts))
        elif policy["third"] and pair_id in facts.split and answered == 2 and SlotKind.THIRD not in kinds:
            found.append(_slot(pair_id, SlotKind.THIRD, loads, barred, facts))
        elif (
            deciders and pair_id in facts.disputed and answered == len(labels) > 1 and SlotKind.ADJUDICATE not in kinds
        ):
            found.append(_slot(pair_id, SlotKind.ADJUDICATE, deciders, barred, facts))
    return found


def _slot(pair_id: int, kind: SlotKind, loads: dict[int, int], barred: Iterable[int], facts: Facts) -> NewSlot:
    return NewSlot(pair_id, kind, "rule", assign(pair_id, loads, barred, facts.known_to))


def _by_pair(slots: Sequence[Slot]) -> dict[int, list[Slot]]:
    found: dict[int, list[Slot]] = {}
    for one in slots:
        if one.kind in LABEL_KINDS or one.kind is SlotKind.ADJUDICATE:
            found.setdefault(one.pair_id, []).append(one)
    return {pair_id: given for pair_id, given in found.items() if any(one.kind in LABEL_KINDS for one in given)}
