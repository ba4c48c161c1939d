"""Reviewers in the workspace database."""

from __future__ import annotations

from sqlmodel import Session, col, select

from core.domain.errors import BadInput, NotFound
from core.domain.ids import new_uid
from core.domain.judgement import Reviewer, ReviewerKind
from core.domain.names import checked_name, cleaned_name
from core.store.plain import fetch, insert_row, only_id
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ReviewerRow, ReviewerStateRow


def to_domain(row: ReviewerRow) -> Reviewer:
    """Return the domain value of a row."""
    return Reviewer(only_id(row), row.name, ReviewerKind(row.kind), row.note)


def listed(session: Session) -> list[Reviewer]:
    """Return every reviewer, people first, then by name."""
    rows = session.exec(select(ReviewerRow)).all()
    order = list(ReviewerKind)
    return sorted(map(to_domain, rows), key=lambda r: (order.index(r.kind), r.name.lower()))


def get(session: Session, reviewer_id: int) -> Reviewer:
    """Return one reviewer.

    Raises:
        NotFound: when there is none with this id.
    """
    row = session.get(ReviewerRow, reviewer_id)
    if row is None:
        raise NotFound(f"There is no reviewer {reviewer_id}.")
    return to_domain(row)


def by_name(session: Session, name: str) -> Reviewer | None:
    """Return the reviewer of this name, whatever the case of its letters."""
    row = session.exec(select(ReviewerRow).where(col(ReviewerRow.name) == name.strip())).first()
    return to_domain(row) if row else None


def add(session: Session, name: str, kind: ReviewerKind, context: WriteContext, note: str = "") -> Reviewer:
    """Add a reviewer.

    Raises:
        BadInput: the name is empty or taken.
    """
    name = checked_name(name, "reviewer")
    if by_name(session, name) is not None:
        raise BadInput(f"There is already a reviewer called {name}.", "Choose another name.")
    key = insert_row(
        session, ReviewerRow, uid=new_uid(), name=name, kind=kind.value, note=note, created_ms=context.at_ms
    )
    return Reviewer(key, name, kind, note)


def ensure(session: Session, name: str, kind: ReviewerKind, context: WriteContext, note: str = "") -> Reviewer:
    """Return the reviewer of this name, added when missing. A person of that name is never taken for another kind."""
    name = cleaned_name(name, kind.value)
    found = by_name(session, name)
    if found is not None and found.kind is kind:
        return found
    if found is not None:
        return ensure(session, f"{name} ({kind.value})", kind, context, note)
    return add(session, name, kind, context, note)


def rename(session: Session, reviewer_id: int, name: str, note: str | None = None) -> Reviewer:
    """Give a reviewer another pseudonym, or another note; the judgements stay theirs.

    Raises:
        BadInput: the name is empty or taken.
    """
    row = session.get(ReviewerRow, reviewer_id)
    if row is None:
        raise NotFound(f"There is no reviewer {reviewer_id}.")
    name = checked_name(name, "reviewer")
    taken = by_name(session, name)
    if taken is not None and taken.id != reviewer_id:
        raise BadInput(f"There is already a reviewer called {name}.", "Choose another name.")
    row.name = name
    row.note = row.note if note is None else note
    session.add(row)
    session.flush()
    return to_domain(row)


def inactive_ids(session: Session) -> set[int]:
    """Return the reviewers who are inactive by the newest statement about them."""
    query = """SELECT reviewer_id FROM reviewer_state s WHERE state='inactive'
        AND id=(SELECT max(id) FROM reviewer_state n WHERE n.reviewer_id=s.reviewer_id)"""
    return {key for (key,) in fetch(session, query)}


def set_active(
    session: Session, reviewer_id: int, active: bool, by: int | None, reason: str, context: WriteContext
) -> bool:
    """State that a reviewer is active or inactive from now on; False when that was so already."""
    if (reviewer_id not in inactive_ids(session)) == active:
        return False
    insert_row(
        session,
        ReviewerStateRow,
        uid=new_uid(),
        reviewer_id=reviewer_id,
        state="active" if active else "inactive",
        by_id=by,
        reason=reason,
        at_ms=context.at_ms,
        session=context.session,
    )
    return True


def last_editor(session: Session) -> str:
    """Return the name of the person whose label, decision or retraction is the newest; "" where there is none."""
    query = """SELECT w.name FROM judgement j JOIN reviewer w ON w.id=j.reviewer_id WHERE w.kind='human'
        ORDER BY j.id DESC LIMIT 1"""
    return next((row[0] for row in fetch(session, query)), "")
