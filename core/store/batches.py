"""Batches, their slots and what became of them. A slot's state follows from judgements and skips; nothing stores it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlmodel import Session

from core.domain.batch import LABEL_KINDS, LabelBatch, NewSlot, Slot, SlotKind, SlotState, policy_sha256
from core.domain.errors import BadInput, NotFound
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import Task
from core.domain.names import checked_name
from core.domain.pair import Side
from core.domain.suspects import SuspectMark
from core.store import adjudications, rubrics
from core.store.bundles import STILL_OUT
from core.store.judgements import LABEL_TASKS, Presentation
from core.store.plain import fetch, insert_row, read_json
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import BatchDrawRow, BatchRow

_BATCH = """SELECT b.id, b.uid, b.name, b.rubric_version_id, r.name || ' ' || v.number, b.policy, b.item_order, b.seed,
      coalesce(w.name,''), b.created_ms, b.detail, b.home_uuid
    FROM batch b JOIN rubric_version v ON v.id=b.rubric_version_id JOIN rubric r ON r.id=v.rubric_id
    LEFT JOIN reviewer w ON w.id=b.author_id"""
_SLOTS = f"""SELECT s.id, s.number, s.pair_id, s.kind, s.picked, s.swapped,
      CASE WHEN a.id IS NULL THEN s.reviewer_id ELSE a.reviewer_id END, s.after_id,
      EXISTS(SELECT 1 FROM bundle_slot t JOIN bundle u ON u.id=t.bundle_id WHERE t.slot_id=s.id AND u.kind='exported'
        AND {STILL_OUT})
    FROM batch_slot s LEFT JOIN slot_assignment a ON a.id=(SELECT max(n.id) FROM slot_assignment n WHERE n.slot_id=s.id)
    WHERE s.{{0}} ORDER BY s.number"""
_OF_BATCH, _OF_IDS = "batch_id=?", "id IN(SELECT value FROM json_each(?))"
_TASKS = ",".join(f"'{task}'" for task in LABEL_TASKS)
_LABEL_KINDS = ",".join(f"'{kind}'" for kind in LABEL_KINDS)
_LABELLED = f"""SELECT DISTINCT s.pair_id, c.reviewer_id, c.task='{Task.ADJUDICATE}' FROM batch_slot s
    CROSS JOIN current_label c ON c.pair_id=s.pair_id
    WHERE s.{{0}} AND c.task IN({_TASKS},'{Task.ADJUDICATE}')
      AND c.rubric_version_id IN(SELECT value FROM json_each(?))"""
_ANSWERED = """SELECT DISTINCT p.slot_id, c.reviewer_id FROM batch_slot s
    CROSS JOIN slot_presentation p ON p.slot_id=s.id
    JOIN judgement j ON j.presentation_id=p.presentation_id JOIN current_label c ON c.judgement_id=j.id WHERE s.{0}"""
_SKIPPED = """SELECT DISTINCT p.slot_id, k.reviewer_id FROM batch_slot s
    CROSS JOIN slot_presentation p ON p.slot_id=s.id
    JOIN skip k ON k.presentation_id=p.presentation_id AND k.taken_back=0 WHERE s.{0}"""
_BEGUN = """SELECT p.slot_id, q.uid, q.pair_id, q.reviewer_id, q.rubric_version_id, q.task, q.left_is, q.shown_ms
    FROM json_each(?) e CROSS JOIN slot_presentation p ON p.slot_id=e.value
    JOIN presentation q ON q.id=p.presentation_id
    WHERE q.reviewer_id=? AND NOT EXISTS(SELECT 1 FROM judgement j WHERE j.presentation_id=q.id) ORDER BY q.id"""


# Making


def add(
    session: Session,
    name: str,
    version_id: int,
    policy: dict[str, Any],
    author_id: int | None,
    told: Sequence[str],
    context: WriteContext,
    suspects: Sequence[SuspectMark] = (),
) -> int:
    """Store a batch without slots and return its id. ``suspects`` are those that it was made to judge again.

    Raises:
        BadInput: the name is empty or taken.
    """
    name = checked_name(name, "batch")
    if fetch(session, "SELECT 1 FROM batch WHERE name=?", (name,)):
        raise BadInput(f"There is already a batch called {name}.", "Choose another name; a batch never changes.")
    return insert_row(
        session,
        BatchRow,
        uid=new_uid(),
        name=name,
        rubric_version_id=version_id,
        policy=canonical_json(policy),
        sha256=policy_sha256(policy),
        item_order=policy["order"],
        seed=policy["seed"],
        author_id=author_id,
        detail=canonical_json({"told": list(told), "suspects": [one.to_plain() for one in suspects]}),
        created_ms=context.at_ms,
        session=context.session,
    )


def add_draw(session: Session, batch_id: int, reason: str, slots: Sequence[NewSlot], context: WriteContext) -> None:
    """Append slots to a batch; their numbers follow the last one."""
    ((number, last, last_id),) = fetch(
        session,
        """SELECT (SELECT coalesce(max(number),0) FROM batch_draw WHERE batch_id=?),
            (SELECT coalesce(max(number),0) FROM batch_slot WHERE batch_id=?),
            (SELECT coalesce(max(id),0) FROM batch_slot)""",
        (batch_id, batch_id),
    )
    draw_id = insert_row(
        session,
        BatchDrawRow,
        uid=new_uid(),
        batch_id=batch_id,
        number=number + 1,
        reason=reason,
        slots=len(slots),
        created_ms=context.at_ms,
        session=context.session,
    )
    rows = [
        (
            *(last_id + place, last + place, one.pair_id, one.kind.value, one.picked, int(one.swapped)),
            *(one.reviewer_id, None if one.after is None else last_id + 1 + one.after),
        )
        for place, one in enumerate(slots, 1)
    ]
    into = "batch_slot(id, number, pair_id, kind, picked, swapped, reviewer_id, after_id)"
    insert_many(session, into, rows, {"draw_id": draw_id, "batch_id": batch_id})


# Reading


def listed(session: Session) -> list[LabelBatch]:
    """Return every batch, oldest first."""
    return [_batch(row) for row in fetch(session, f"{_BATCH} ORDER BY b.id")]


def get(session: Session, batch_id: int) -> LabelBatch:
    """Return a batch.

    Raises:
        NotFound: when there is none with this id.
    """
    found = fetch(session, f"{_BATCH} WHERE b.id=?", (batch_id,))
    if not found:
        raise NotFound(f"There is no batch {batch_id}.", "See them with: batch list WS")
    return _batch(found[0])


def slots(session: Session, batch: LabelBatch) -> list[Slot]:
    """Return the slots of a batch by number, each with its reviewer of now and what became of it."""
    return _read(session, _OF_BATCH, batch.id, batch.rubric_version_id)


def some(session: Session, batch: LabelBatch, slot_ids: Iterable[int]) -> dict[int, Slot]:
    """Return a few slots by id."""
    ids = canonical_json(sorted(set(slot_ids)))
    return {one.id: one for one in _read(session, _OF_IDS, ids, batch.rubric_version_id)}


def begun(session: Session, slot_ids: Iterable[int], reviewer_id: int) -> dict[int, Presentation]:
    """Return slot id -> the presentation that this reviewer began for it and never answered."""
    found = fetch(session, _BEGUN, (canonical_json(list(slot_ids)), reviewer_id))
    return {
        slot: Presentation(uid, pair, who, version, Task(task), left, shown_ms=shown, slot_id=slot)
        for slot, uid, pair, who, version, task, left, shown in found
    }


def left_side(session: Session, slot_id: int) -> Side | None:
    """Return which answer stood left where a slot was answered; None where it was answered outside the batch."""
    query = """SELECT q.left_is FROM slot_presentation p JOIN presentation q ON q.id=p.presentation_id
        JOIN judgement j ON j.presentation_id=q.id WHERE p.slot_id=? ORDER BY j.id DESC LIMIT 1"""
    found = fetch(session, query, (slot_id,))
    return None if not found else "A" if found[0][0] == "A" else "B"


def waiting_elsewhere(session: Session) -> set[int]:
    """Return the pairs that nobody labelled and that a batch wants labels of already."""
    query = f"""SELECT DISTINCT s.pair_id FROM batch_slot s JOIN pair_state p ON p.pair_id=s.pair_id
        WHERE s.kind IN({_LABEL_KINDS}) AND p.labels=0"""
    return {key for (key,) in fetch(session, query)}


def gold_pairs(session: Session, version_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return pair -> reviewers who decided it, for pairs whose answer is known: adjudicated, and not left open."""
    query = f"""SELECT c.judgement_id, c.pair_id, c.reviewer_id,
        (SELECT a.outcome FROM adjudication a WHERE a.final_id=c.judgement_id
          AND NOT EXISTS(SELECT 1 FROM adjudication n WHERE n.supersedes=a.id))
        FROM current_label c WHERE c.task='{Task.ADJUDICATE}' AND c.verdict IN('prefer','tie')
          AND c.rubric_version_id IN(SELECT value FROM json_each(?))"""
    found: dict[int, set[int]] = {}
    waiting = adjudications.undecided_picks(session, version_ids)
    for judgement_id, pair_id, reviewer_id, outcome in fetch(session, query, (canonical_json(list(version_ids)),)):
        if outcome in (None, "gold") and judgement_id not in waiting:  # None: from before decisions had outcomes
            found.setdefault(pair_id, set()).add(reviewer_id)
    return found


def judgements(session: Session) -> dict[int, int]:
    """Return judgement -> the batch whose slot it answers."""
    query = """SELECT j.id, b.batch_id FROM slot_presentation p JOIN batch_slot b ON b.id=p.slot_id
        CROSS JOIN judgement j ON j.presentation_id=p.presentation_id"""
    return dict(map(tuple, fetch(session, query)))


def flagged_pairs(session: Session) -> set[int]:
    """Return the pairs with a label that carries a flag."""
    return {key for (key,) in fetch(session, "SELECT pair_id FROM pair_state WHERE flagged>0")}


def reviewer_uids(session: Session) -> dict[int, str]:
    """Return reviewer id -> uid, which no renaming changes."""
    return dict(map(tuple, fetch(session, "SELECT id, uid FROM reviewer")))


def _read(session: Session, where: str, value: object, version_id: int) -> list[Slot]:
    accepted = canonical_json(list(rubrics.compatible_ids(session, version_id)))
    labelled = set(map(tuple, fetch(session, _LABELLED.format(where), (value, accepted))))
    answered = set(map(tuple, fetch(session, _ANSWERED.format(where), (value,))))
    skipped = set(map(tuple, fetch(session, _SKIPPED.format(where), (value,))))
    found = []
    for key, number, pair_id, word, picked, swapped, reviewer, after, in_bundle in fetch(
        session, _SLOTS.format(where), (value,)
    ):
        kind = SlotKind(word)
        if kind in (SlotKind.GOLD, SlotKind.RETEST):
            is_labelled = (key, reviewer) in answered
        else:
            is_labelled = (pair_id, reviewer, int(kind is SlotKind.ADJUDICATE)) in labelled
        state: SlotState = "labelled" if is_labelled else "skipped" if (key, reviewer) in skipped else "open"
        found.append(Slot(key, number, pair_id, kind, picked, bool(swapped), reviewer, after, state, bool(in_bundle)))
    return found


def _batch(row: Sequence[Any]) -> LabelBatch:
    key, uid, name, version, rubric, policy, order, seed, author, created, detail, home = row
    plain = read_json(detail)
    told, suspects = tuple(plain.get("told", ())), tuple(SuspectMark(*one) for one in plain.get("suspects", ()))
    return LabelBatch(
        key, uid, name, version, rubric, read_json(policy), order, seed, author, created, told, home, suspects
    )
