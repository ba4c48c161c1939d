"""The queue of one reviewer in a batch: slots in the order of their numbers, instead of pairs.

A pair may come twice, as a retest. A retest waits until its first showing was labelled, and shows the sides as they
were or swapped. A slot is handed out once, whatever number of windows is open, and one that is in a bundle not at all.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from core.domain.batch import LABEL_KINDS, LabelBatch, Slot, SlotKind
from core.domain.ids import new_uid
from core.domain.pair import Side
from core.services.annotation.open_queue import OpenQueue
from core.services.annotation.views import QueueSettings
from core.store import batches, datasets, queue
from core.store.judgements import LABEL_TASKS, Presentation
from core.store.sqlite.database import Session
from core.store.withdrawn import ConsentMark, consent_mark, withdrawn_pairs


@dataclass(slots=True)
class BatchQueue(OpenQueue):
    """An open queue whose members are slots. ``slots`` are as they were when it was opened."""

    batch: LabelBatch = field(kw_only=True)
    slots: dict[int, Slot] = field(kw_only=True)

    def keys_of(self, presentation: Presentation) -> Sequence[int]:
        """Return the slots that a presentation is about: its own, or those that its label answers as well."""
        if presentation.slot_id is not None and presentation.task.value not in LABEL_TASKS:
            return (presentation.slot_id,) if presentation.slot_id in self.members else ()
        if presentation.task.value not in LABEL_TASKS:
            return ()
        return [
            key for key, slot in self.slots.items() if slot.pair_id == presentation.pair_id and slot.kind in LABEL_KINDS
        ]

    def seal(self, pair_ids: AbstractSet[int], newest_dataset: int) -> None:
        """Hide slots of pairs that became test items."""
        OpenQueue.seal(self, self._of_pairs(pair_ids), newest_dataset)

    def withdraw(self, pair_ids: AbstractSet[int], consent: ConsentMark) -> None:
        """Hide slots of pairs without consent any more, and offer those again for which it was granted."""
        OpenQueue.withdraw(self, self._of_pairs(pair_ids), consent)

    def _of_pairs(self, pair_ids: AbstractSet[int]) -> set[int]:
        return {key for key, slot in self.slots.items() if slot.pair_id in pair_ids}


def open_batch(session: Session, settings: QueueSettings, accepted: tuple[int, ...], now_ms: int) -> BatchQueue:
    """Return the queue of a reviewer in a batch.

    Raises:
        NotFound: when there is no such batch.
    """
    batch = batches.get(session, settings.batch)
    everything = batches.slots(session, batch)
    own = {one.id: one for one in everything if one.reviewer_id == settings.reviewer_id and not one.in_bundle}
    own |= {one.id: one for one in _open_to(settings.reviewer_id, everything)}
    done = {key for key, one in own.items() if one.state == "labelled"}
    sealed, withdrawn = queue.sealed_pair_ids(session), withdrawn_pairs(session, now_ms)
    hidden = {key for key, one in own.items() if one.pair_id in sealed} - done
    lost = {key for key, one in own.items() if one.pair_id in withdrawn} - done - hidden
    ids = [key for key in own if key not in hidden and key not in lost]
    skipped = {key for key in ids if own[key].state == "skipped"} if not settings.revisit_skipped else set()
    return BatchQueue(
        *(new_uid(), settings, array("q", ids), frozenset(ids), accepted, done, skipped),
        left_out=len(hidden),
        newest_dataset=datasets.newest_id(session),
        left_without_consent=len(lost),
        consent=consent_mark(session, now_ms),
        batch=batch,
        slots={key: own[key] for key in ids},
    )


def _open_to(reviewer_id: int, slots: Iterable[Slot]) -> list[Slot]:
    """Return the slots that are open to all and that this reviewer may take: of pairs that are not already theirs."""
    given = list(slots)
    theirs = {one.pair_id for one in given if one.reviewer_id == reviewer_id}
    return [one for one in given if one.reviewer_id is None and one.pair_id not in theirs and not one.in_bundle]


def next_slots(
    session: Session, opened: BatchQueue, n: int, taken: Collection[int], rng: random.Random
) -> list[Presentation]:
    """Return presentations of the next ``n`` slots that nobody else was handed; begun ones come back as they were."""
    picked = _pick(session, opened, n, taken)
    begun = batches.begun(session, [slot.id for _, slot in picked], opened.settings.reviewer_id)
    return [_presentation(session, opened, index, slot, begun.get(slot.id), rng) for index, slot in picked]


def _pick(session: Session, opened: BatchQueue, n: int, taken: Collection[int]) -> list[tuple[int, Slot]]:
    picked: list[tuple[int, Slot]] = []
    for part in opened.waiting():
        keys = [key for _, key in part]
        before = [slot.after_id for key in keys if (slot := opened.slots[key]).after_id is not None]
        now = batches.some(session, opened.batch, [*keys, *before])
        for index, key in part:
            slot = now[key]
            if slot.state == "labelled":
                opened.done.add(key)
            elif key not in taken and _may_answer(opened, slot, now):
                picked.append((index, slot))
                if len(picked) == n:
                    return picked
    return picked


def _may_answer(opened: BatchQueue, slot: Slot, now: dict[int, Slot]) -> bool:
    """Whether a slot is still this reviewer's and, for a retest, its first showing was labelled."""
    if slot.in_bundle or slot.reviewer_id not in (None, opened.settings.reviewer_id):
        return False
    return slot.after_id is None or now[slot.after_id].state == "labelled"


def _presentation(
    session: Session, opened: BatchQueue, index: int, slot: Slot, begun: Presentation | None, rng: random.Random
) -> Presentation:
    return Presentation(
        begun.uid if begun else new_uid(),
        slot.pair_id,
        opened.settings.reviewer_id,
        begun.rubric_version_id if begun else opened.batch.rubric_version_id,
        slot.kind.task,
        begun.left_is if begun else _left_side(session, slot, rng),
        opened.uid,
        index + 1,
        begun.shown_ms if begun else 0,
        slot.id,
    )


def _left_side(session: Session, slot: Slot, rng: random.Random) -> Side:
    """Return what stands left: drawn, and for a retest as it was or swapped."""
    first = batches.left_side(session, slot.after_id) if slot.kind is SlotKind.RETEST and slot.after_id else None
    if first is None:
        return "A" if rng.random() < 0.5 else "B"
    other: Side = "B" if first == "A" else "A"
    return other if slot.swapped else first
