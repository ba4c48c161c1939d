"""*Check workspace* on feedback, decisions and changesets, in plain SQL; and the hash that an approval fixes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from core.domain.changeset import entries_sha256
from core.domain.ids import sha256_text

CONTENT = """SELECT e.op, p.sha256, coalesce(n.sha256,''), coalesce(f.sha256,''), e.reason FROM changeset_entry e
    JOIN pair p ON p.id=e.pair_id LEFT JOIN pair n ON n.id=e.new_pair_id
    LEFT JOIN feedback_event f ON f.id=e.event_id WHERE e.changeset_id=? ORDER BY e.id"""
"""What an approval covers: content hashes, which are the same in every workspace, and reasons."""
_ORDER = """SELECT s.id FROM feedback_step s LEFT JOIN feedback_step b ON b.id=s.supersedes
    WHERE (s.supersedes IS NOT NULL AND b.event_id IS NOT s.event_id) OR (s.supersedes IS NULL AND s.op='undo')"""


def content_sha256(rows: Sequence[Any]) -> str:
    """Return the hash over the changes of a changeset, from the rows of :data:`CONTENT`."""
    names = ("op", "pair", "new_pair", "event", "reason")
    return entries_sha256(dict(zip(names, row, strict=True)) for row in rows)


def problems(c: sqlite3.Connection) -> Iterator[str]:
    """Yield events, decisions and approved changesets that are not what was stored."""
    for key, sha, body in c.execute("SELECT id, sha256, body FROM feedback_event"):
        if sha256_text(body) != sha:
            yield f"The text of feedback event {key} is not what was stored."
    for (key,) in c.execute(_ORDER):
        yield f"Decision {key} about feedback does not follow one of the same event."
    for key, name, sha in c.execute("SELECT id, name, sha256 FROM changeset WHERE state='approved'").fetchall():
        if content_sha256(c.execute(CONTENT, (key,)).fetchall()) != sha:
            yield f"Changeset {name} is not what was approved."
