"""Which slot of a batch a presentation answers."""

from __future__ import annotations

from sqlmodel import Session, col, select

from core.domain.errors import BadInput
from core.domain.ids import new_uid
from core.store.bundles import STILL_OUT
from core.store.plain import fetch, insert_row
from core.store.sqlite.write_context import WriteContext
from core.store.tables import SlotAssignmentRow, SlotPresentationRow

_NOW_FOR = """SELECT CASE WHEN a.id IS NULL THEN s.reviewer_id ELSE a.reviewer_id END FROM batch_slot s
    LEFT JOIN slot_assignment a ON a.id=(SELECT max(n.id) FROM slot_assignment n WHERE n.slot_id=s.id) WHERE s.id=?"""


def link(session: Session, slot_id: int, presentation_id: int, reviewer_id: int, context: WriteContext) -> None:
    """Note that a presentation was made for a slot; a slot that was open to all is this reviewer's from now on."""
    insert_row(session, SlotPresentationRow, slot_id=slot_id, presentation_id=presentation_id)
    if fetch(session, _NOW_FOR, (slot_id,)) == [(None,)]:
        assign(session, slot_id, reviewer_id, None, "taken", context)


def assign(
    session: Session, slot_id: int, reviewer_id: int | None, by: int | None, reason: str, context: WriteContext
) -> None:
    """State who is to answer a slot from now on; None opens it to all of the batch."""
    insert_row(
        session,
        SlotAssignmentRow,
        uid=new_uid(),
        slot_id=slot_id,
        reviewer_id=reviewer_id,
        by_id=by,
        reason=reason,
        at_ms=context.at_ms,
        session=context.session,
    )


def slot_of(session: Session, presentation_id: int) -> int | None:
    """Return the slot that a stored presentation was made for, None outside a batch."""
    query = select(SlotPresentationRow.slot_id).where(col(SlotPresentationRow.presentation_id) == presentation_id)
    return session.exec(query).first()


def refuse_on_desk(session: Session, pair_id: int, reviewer_id: int, version_id: int) -> None:
    """Refuse an answer here of a pair that its reviewer answers on a desk: two of them could not be merged.

    Raises:
        BadInput: the pair is in a bundle of this reviewer, under a rubric version of the same meaning.
    """
    query = f"""SELECT 1 FROM batch_slot s JOIN bundle_slot t ON t.slot_id=s.id JOIN bundle u ON u.id=t.bundle_id
        JOIN batch b ON b.id=s.batch_id JOIN rubric_version v ON v.id=b.rubric_version_id
        JOIN rubric_version w ON w.id=? AND w.rubric_id=v.rubric_id AND w.major=v.major
        WHERE s.pair_id=? AND u.reviewer_id=? AND u.kind='exported' AND {STILL_OUT} LIMIT 1"""
    if fetch(session, query, (version_id, pair_id, reviewer_id)):
        raise BadInput(
            f"Pair {pair_id} is in a review bundle of this reviewer and is labelled on that desk; nothing was saved.",
            "Label it there and merge what the desk sends back; for a lost desk there is `batch reopen`.",
        )
