"""Which salvaged rows are not what the hash chain of the damaged file sealed; what rows are called."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from core.store.salvage.reader import Row

_SEALED = ("pair", "presentation", "judgement", "event_log")


def noun_of(table: str) -> str:
    """Return what a row of a table is called in a sentence."""
    return {"event_log": "Event", "rubric_version": "Rubric version", "import_batch": "Part of an import",
        "feedback_event": "Feedback event", "feedback_step": "Decision about feedback",
        "consent_entry": "Statement of consent",
        "failure_step": "Look at a failure", "audit_draw": "Sample of an audit",
        "audit_label": "Label of an audit", "vote_round": "Round of votes",
        "vote_item": "Item of a round of votes", "batch_draw": "Draw of a batch", "batch_slot": "Slot",
        "slot_assignment": "Assignment of a slot", "slot_presentation": "Showing of a slot",
        "change_request": "Change request", "adjudication": "Decision on a disagreement",
        "reviewer_state": "Statement about a reviewer", "bundle": "Review bundle",
        "bundle_slot": "Slot of a review bundle",
        "bundle_merge": "Merge of a review bundle"}.get(table, table.capitalize())  # fmt: skip


def differing(raw: sqlite3.Connection, entries: Iterator[Row], digests: Callable[..., str]) -> Iterator[str]:
    """Yield which rows, all of them there, are not what the chain of the damaged file sealed."""
    before: Row | None = None
    for entry in entries:
        noted = str(entry.get("digests", "")).split(" ")
        for n, table in enumerate(_SEALED):
            column = f"{table}_to"
            after, upto = (before[column] if before else 0), entry[column]
            if not isinstance(after, int) or not isinstance(upto, int) or upto <= after or n >= len(noted):
                continue
            query = f"SELECT count(*) FROM {table} WHERE id>? AND id<=?"
            (count,) = raw.execute(query, (after, upto)).fetchone()
            if count == upto - after and digests(table, after, upto)[: len(noted[n])] != noted[n]:
                span = f"{upto}" if upto - after == 1 else f"{after + 1} to {upto}"
                yield f"{noun_of(table)} {span}: read, but not as the hash chain sealed it; compare with a backup."
        before = entry
