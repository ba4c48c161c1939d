"""Requests to change a rubric, as a log: asked, taken into a draft, resolved by a version, rejected, reopened."""

from __future__ import annotations

from sqlmodel import Session

from core.domain.adjudication import ChangeRequest
from core.domain.errors import NotFound
from core.domain.ids import new_uid
from core.store.plain import fetch, insert_row
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ChangeRequestRow

_STATES = {"ask": "open", "reopen": "open", "draft": "drafted", "resolve": "resolved", "reject": "rejected"}
_LISTED = """WITH RECURSIVE chain(first, id, op, version_id) AS(
        SELECT id, id, op, version_id FROM change_request WHERE supersedes IS NULL
        UNION ALL SELECT c.first, n.id, n.op, n.version_id FROM chain c JOIN change_request n ON n.supersedes=c.id)
    SELECT r.id, r.rubric_id, r.criterion, r.text, r.pair_id, r.author_id, c.op, c.version_id, r.at_ms, c.id
    FROM chain c JOIN change_request r ON r.id=c.first
    WHERE NOT EXISTS(SELECT 1 FROM change_request n WHERE n.supersedes=c.id) AND (? IS NULL OR r.rubric_id=?)
    ORDER BY r.id"""


def ask(
    session: Session, rubric_id: int, clause: str, text: str, pair_id: int | None, author_id: int, context: WriteContext
) -> int:
    """Append a request and return its id."""
    return insert_row(
        session,
        ChangeRequestRow,
        uid=new_uid(),
        op="ask",
        rubric_id=rubric_id,
        criterion=clause,
        text=text.strip(),
        pair_id=pair_id,
        author_id=author_id,
        at_ms=context.at_ms,
        session=context.session,
    )


def listed(session: Session, rubric_id: int | None = None) -> list[ChangeRequest]:
    """Return the requests of a rubric, or of all, oldest first."""
    return [_request(row) for row in fetch(session, _LISTED, (rubric_id, rubric_id))]


def step(
    session: Session, request_id: int, op: str, author_id: int, context: WriteContext, version_id: int | None = None
) -> None:
    """Append a step of a request: draft, resolve (by a published version), reject or reopen.

    Raises:
        NotFound: there is no such request.
    """
    row = next((row for row in fetch(session, _LISTED, (None, None)) if row[0] == request_id), None)
    if row is None:
        raise NotFound(f"There is no change request {request_id}.", "See them with: rubric requests WS")
    insert_row(
        session,
        ChangeRequestRow,
        uid=new_uid(),
        op=op,
        supersedes=row[-1],
        rubric_id=row[1],
        criterion=row[2],
        pair_id=row[4],
        author_id=author_id,
        version_id=version_id,
        at_ms=context.at_ms,
        session=context.session,
    )


def resolve_drafted(session: Session, rubric_id: int, version_id: int, context: WriteContext) -> int:
    """Note that a published version resolves the requests that its draft took; return how many."""
    found = [one for one in listed(session, rubric_id) if one.state == "drafted"]
    for one in found:
        step(session, one.id, "resolve", one.author_id, context, version_id)
    return len(found)


def _request(row: tuple[object, ...]) -> ChangeRequest:
    key, rubric_id, clause, text, pair_id, author_id, op, version_id, at_ms, _ = row
    values = (key, rubric_id, clause, text, pair_id, author_id, _STATES[str(op)], version_id, at_ms)
    return ChangeRequest(*values)  # type: ignore[arg-type]
