"""Changesets in the workspace database: drafts that change, then approved and immutable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from core.domain.changeset import Changeset, ChangesetEntry, EntryOp, SentBack
from core.domain.errors import BadInput, NotFound
from core.domain.ids import new_uid
from core.store import data_rules, events
from core.store.feedback_checks import CONTENT, content_sha256
from core.store.plain import fetch, insert_row
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ChangesetEntryRow, ChangesetRow

_SELECT = """SELECT c.id, c.name, c.state, a.name, c.note, c.created_ms, coalesce(p.name,''), c.approval_note,
      c.approved_ms, coalesce(c.sha256,''), c.author_id FROM changeset c JOIN reviewer a ON a.id=c.author_id
    LEFT JOIN reviewer p ON p.id=c.approver_id"""
SEND_BACK = "changeset.send_back"
"""What the event log calls it that a reviewer sent a draft back."""
_TEST_TITLES = """SELECT DISTINCT d.name || ' v' || d.number FROM prompt_key own
    JOIN prompt_key k ON k.same=own.same OR k.words=own.words JOIN pair p ON p.prompt_id=k.prompt_id
    JOIN dataset_item i ON i.pair_id=p.id AND i.split='test' JOIN dataset d ON d.id=i.dataset_id AND d.state='frozen'
    WHERE own.prompt_id=(SELECT prompt_id FROM pair WHERE id=?) ORDER BY d.id"""


def create(session: Session, name: str, author_id: int, note: str, context: WriteContext) -> int:
    """Make an empty draft and return its id.

    Raises:
        BadInput: when the name is taken.
    """
    if fetch(session, "SELECT 1 FROM changeset WHERE name=?", (name,)):
        raise BadInput(f"There is already a changeset called {name}.", "Choose another name.")
    return insert_row(
        session,
        ChangesetRow,
        uid=new_uid(),
        name=name,
        state="draft",
        author_id=author_id,
        note=note,
        created_ms=context.at_ms,
    )


def listed(session: Session) -> list[Changeset]:
    """Return every changeset, oldest first."""
    return [_to_domain(session, row) for row in fetch(session, f"{_SELECT} ORDER BY c.id")]


def get(session: Session, wanted: int | str) -> Changeset:
    """Return one changeset by id or name.

    Raises:
        NotFound: when there is none.
    """
    column = "id" if isinstance(wanted, int) else "name"
    rows = fetch(session, f"{_SELECT} WHERE c.{column}=?", (wanted,)) if _is_key(wanted) else []
    if not rows:
        raise NotFound(f"There is no changeset {wanted!r}.", "`feedback changeset WS` lists them.")
    return _to_domain(session, rows[0])


def _is_key(wanted: int | str) -> bool:
    return not isinstance(wanted, int) or 0 < wanted < 1 << 63


def add_entry(
    session: Session,
    changeset_id: int,
    op: EntryOp,
    pair_id: int,
    reason: str,
    context: WriteContext,
    *,
    new_pair_id: int | None = None,
    event_id: int | None = None,
) -> None:
    """Add a change to a draft."""
    insert_row(
        session,
        ChangesetEntryRow,
        changeset_id=changeset_id,
        op=op,
        pair_id=pair_id,
        new_pair_id=new_pair_id,
        event_id=event_id,
        reason=reason,
        at_ms=context.at_ms,
    )


def drop_entry(session: Session, changeset_id: int, entry_id: int) -> None:
    """Take a change out of a draft."""
    query = "DELETE FROM changeset_entry WHERE id=? AND changeset_id=?"
    session.connection().exec_driver_sql(query, (entry_id, changeset_id))


def delete(session: Session, changeset_id: int) -> None:
    """Delete a draft with its changes."""
    run = session.connection().exec_driver_sql
    run("DELETE FROM changeset_entry WHERE changeset_id=?", (changeset_id,))
    run("DELETE FROM changeset WHERE id=?", (changeset_id,))


def approve(session: Session, changeset_id: int, approver_id: int, note: str, context: WriteContext) -> None:
    """Approve a draft: it never changes from here on, and the next freeze takes it."""
    row = session.get(ChangesetRow, changeset_id)
    assert row is not None
    row.state, row.approver_id, row.approval_note = "approved", approver_id, note
    row.approved_ms, row.sha256 = context.at_ms, content(session, changeset_id)
    session.add(row)
    session.flush()


def author_id(session: Session, changeset_id: int) -> int:
    """Return who made a changeset."""
    return int(fetch(session, "SELECT author_id FROM changeset WHERE id=?", (changeset_id,))[0][0])


def content(session: Session, changeset_id: int) -> str:
    """Return the hash over the changes of a changeset as they stand."""
    return content_sha256(fetch(session, CONTENT, (changeset_id,)))


def of_event(session: Session, event_id: int) -> list[str]:
    """Return the names of the changesets that hold a change because of a feedback event."""
    query = """SELECT DISTINCT c.name FROM changeset_entry e JOIN changeset c ON c.id=e.changeset_id
        WHERE e.event_id=? ORDER BY c.id"""
    return [name for (name,) in fetch(session, query, (event_id,))]


def sealed_in(session: Session, pair_id: int) -> list[str]:
    """Return the dataset versions in whose sealed test split the prompt of a pair stands, or a near copy of it."""
    return [title for (title,) in fetch(session, _TEST_TITLES, (pair_id,))]


def has_pair(session: Session, pair_id: int) -> bool:
    """Return whether the workspace holds a pair."""
    return bool(fetch(session, "SELECT 1 FROM pair WHERE id=?", (pair_id,))) if 0 < pair_id < 1 << 63 else False


def _to_domain(session: Session, row: Sequence[Any]) -> Changeset:
    key, name, state, author, note, created, approver, approval_note, approved, sha, _ = row
    taken = """SELECT d.name || ' v' || d.number FROM dataset_changeset l JOIN dataset d ON d.id=l.dataset_id
        WHERE l.changeset_id=? AND d.state='frozen' ORDER BY d.id"""
    datasets = tuple(title for (title,) in fetch(session, taken, (key,)))
    return Changeset(
        id=key,
        name=name,
        state="applied" if datasets else state,
        author=author,
        note=note,
        created_ms=created,
        entries=_entries(session, key),
        approver=approver,
        approval_note=approval_note,
        approved_ms=approved,
        sha256=sha,
        datasets=datasets,
        sent_back=_sent_back(session, key),
    )


def _sent_back(session: Session, changeset_id: int) -> tuple[SentBack, ...]:
    found = events.about(session, SEND_BACK, changeset_id)
    now = content(session, changeset_id) if found else ""
    return tuple(
        SentBack(one.reviewer, str(one.detail.get("reason", "")), one.at_ms, one.detail.get("sha256") == now)
        for one in found
    )


def _entries(session: Session, changeset_id: int) -> tuple[ChangesetEntry, ...]:
    query = """SELECT e.id, e.op, e.pair_id, e.new_pair_id, e.event_id, e.reason,
          CASE e.op WHEN 'add' THEN e.pair_id ELSE e.new_pair_id END, coalesce(s.labels,0)
        FROM changeset_entry e LEFT JOIN pair_state s ON s.pair_id=(CASE e.op WHEN 'add' THEN e.pair_id ELSE
          e.new_pair_id END) WHERE e.changeset_id=? ORDER BY e.id"""
    rows = fetch(session, query, (changeset_id,))
    attacks = data_rules.attack_pairs(session) if rows else frozenset()
    return tuple(ChangesetEntry(*row[:6], attack=row[6] in attacks, labels=row[7]) for row in rows)
