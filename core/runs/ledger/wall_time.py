"""Attempts and pauses of a run or an evaluation, from the times in its ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause of an attempt, in UTC milliseconds."""

    attempt: int
    begin_ms: int
    end_ms: int | None
    """None while it lasts."""

    def overlap_ms(self, begin_ms: int, end_ms: int) -> int:
        """Return the milliseconds of ``begin_ms`` to ``end_ms`` that were spent in this pause."""
        return max(0, min(end_ms, end_ms if self.end_ms is None else self.end_ms) - max(begin_ms, self.begin_ms))


def attempt_spans(
    db: sqlite3.Connection, tables: Sequence[str], live_until_ms: int | None = None
) -> list[tuple[int, int]]:
    """Return begin and end of each attempt in UTC milliseconds.

    Args:
        db: the ledger.
        tables: those that hold its events.
        live_until_ms: the time now when a process works on it, else None.
    """
    begins = db.execute("SELECT attempt, at_ms FROM attempts ORDER BY attempt").fetchall()
    spans = []
    for number, (attempt, begin) in enumerate(begins, 1):
        end = live_until_ms if number == len(begins) and live_until_ms is not None else _last_ms(db, tables, attempt)
        spans.append((begin, max(begin, end)))
    return spans


def _last_ms(db: sqlite3.Connection, tables: Sequence[str], attempt: int) -> int:
    """Return the time of the last event of ``attempt``."""
    query = "SELECT at_ms FROM {} WHERE attempt = ? ORDER BY seq DESC LIMIT 1"
    found = (db.execute(query.format(table), (attempt,)).fetchone() for table in tables)
    return max((row[0] for row in found if row), default=0)


def pauses_of(db: sqlite3.Connection, tables: Sequence[str]) -> list[Pause]:
    """Return the pauses of all attempts, oldest first."""
    pauses: list[Pause] = []
    begin: tuple[int, int] | None = None
    query = "SELECT attempt, at_ms, json FROM events WHERE event = 'state' ORDER BY seq"
    for attempt, at_ms, text in db.execute(query):
        if begin is not None:
            pauses.append(Pause(begin[0], begin[1], at_ms if attempt == begin[0] else _last_ms(db, tables, begin[0])))
            begin = None
        if json.loads(text)["state"] == "paused":
            begin = (attempt, at_ms)
    if begin is not None:
        newest = db.execute("SELECT MAX(attempt) FROM attempts").fetchone()[0]
        pauses.append(Pause(*begin, None if newest == begin[0] else _last_ms(db, tables, begin[0])))
    return pauses


def paused_ms(pauses: Sequence[Pause], begin_ms: int, end_ms: int) -> int:
    """Return the milliseconds of a span that were spent paused."""
    return sum(pause.overlap_ms(begin_ms, end_ms) for pause in pauses)
