"""The append-only log of everything that changed the workspace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from core.domain.ids import canonical_json
from core.store.plain import insert_row, read_json
from core.store.sqlite.write_context import WriteContext
from core.store.tables import EventRow, ReviewerRow


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: ``op`` is a machine name such as "rubric.publish", ``summary`` a sentence."""

    id: int
    at_ms: int
    op: str
    summary: str
    reviewer: str = ""
    subject: str = ""
    subject_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    reviewer_id: int | None = None


def log(
    session: Session,
    context: WriteContext,
    op: str,
    summary: str,
    *,
    reviewer_id: int | None = None,
    subject: str = "",
    subject_id: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one event, in the transaction of the change it describes. ``detail`` carries ids, never prompt text."""
    insert_row(
        session,
        EventRow,
        at_ms=context.at_ms,
        op=op,
        summary=summary,
        reviewer_id=reviewer_id,
        subject=subject,
        subject_id=subject_id,
        detail=canonical_json(detail or {}),
        session=context.session,
    )


def details(session: Session, op: str) -> list[dict[str, Any]]:
    """Return the details of every event of one kind, oldest first."""
    query = select(EventRow.detail).where(EventRow.op == op).order_by(col(EventRow.id))
    return [read_json(text) for text in session.exec(query)]


def about(session: Session, op: str, subject_id: int) -> list[Event]:
    """Return the events of one kind about one thing, oldest first."""
    return [event for event in of_kind(session, op) if event.subject_id == subject_id]


def of_kind(session: Session, *ops: str) -> list[Event]:
    """Return the events of one kind, or of several, oldest first; one reading of the log whatever their number."""
    query = select(EventRow, ReviewerRow.name).join(
        ReviewerRow, col(ReviewerRow.id) == col(EventRow.reviewer_id), isouter=True
    )
    query = query.where(col(EventRow.op).in_(ops)).order_by(col(EventRow.id))
    return [_event(row, name) for row, name in session.exec(query)]


def latest(session: Session, limit: int, before_id: int | None = None) -> list[Event]:
    """Return the newest events first; ``before_id`` continues a page."""
    query = select(EventRow, ReviewerRow.name).join(
        ReviewerRow, col(ReviewerRow.id) == col(EventRow.reviewer_id), isouter=True
    )
    if before_id is not None:
        query = query.where(col(EventRow.id) < before_id)
    rows = session.exec(query.order_by(col(EventRow.id).desc()).limit(limit)).all()
    return [_event(row, name) for row, name in rows]


def _event(row: EventRow, name: str | None) -> Event:
    return Event(
        *(row.id or 0, row.at_ms, row.op, row.summary, name or ""),
        *(row.subject, row.subject_id, read_json(row.detail), row.reviewer_id),
    )
