"""The hash chain of a ledger: each stored event has a hash over its rows and the event before.

A row that is changed, added or removed later by anything but the run breaks it. Ledgers of earlier versions have none;
where such a run is taken up again, the chain begins there.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from core.runs.ledger.layout import LedgerLayout
from core.runs.ledger.schema import RUN_LAYOUT

TABLE = "chain"
_START = "0" * 64
Values = dict[str, Any]


def create(connection: sqlite3.Connection) -> None:
    """Create the table of the chain."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL)")


def head(connection: sqlite3.Connection) -> tuple[int, str]:
    """Return the number of the last event with a hash, and the hash; 0 where there is none."""
    if not _exists(connection):
        return 0, _START
    found = connection.execute(f"SELECT seq, sha256 FROM {TABLE} ORDER BY seq DESC LIMIT 1").fetchone()
    return (found[0], found[1]) if found else (0, _START)


def extend(connection: sqlite3.Connection, before: str, seq: int, event: Values, pairs: Iterable[Values]) -> str:
    """Store the hash of an event in the open transaction and return it."""
    sha = event_sha256(before, event, pairs)
    connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", (seq, sha))
    return sha


def event_sha256(before: str, event: Values, pairs: Iterable[Values]) -> str:
    """Return the hash of an event's row and of its pair rows after the hash ``before``.

    Columns without a value do not count, so that a column that a later version adds changes no hash.
    """
    digest = hashlib.sha256(before.encode())
    for row in (event, *pairs):
        known = {name: _stored(value) for name, value in row.items() if value is not None and value == value}
        digest.update(json.dumps(known, sort_keys=True, separators=(",", ":")).encode())
    return digest.hexdigest()


def _stored(value: Any) -> Any:
    """Return the value as SQLite gives it back: it stores -0.0 as 0.0."""
    return value + 0.0 if isinstance(value, float) else value


def problems(connection: sqlite3.Connection, layout: LedgerLayout = RUN_LAYOUT) -> Iterator[str]:
    """Yield what the chain of a ledger does not bear out."""
    if not _exists(connection):
        return
    chained = connection.execute(f"SELECT seq, sha256 FROM {TABLE} ORDER BY seq").fetchall()
    if not chained:
        return
    first, last = chained[0][0], chained[-1][0]
    events: dict[int, Values] = {}
    for table in layout.event_tables:
        events |= _rows(connection, table, first)
    tables = [_own_rows(connection, table.name, first) for table in layout.row_tables]
    pairs = groupby(heapq.merge(*tables, key=lambda row: row["seq"]), key=lambda row: row["seq"])
    pair_seq, pair_rows = next(pairs, (None, iter(())))
    before = _START
    for seq, stored in chained:
        own: list[Values] = []
        while pair_seq is not None and pair_seq <= seq:
            rows = list(pair_rows)
            own, pair_seq = (rows if pair_seq == seq else own), None
            pair_seq, pair_rows = next(pairs, (None, iter(())))
        event = events.pop(seq, None)
        if event is None:
            yield f"Event {seq} of the ledger is missing."
        elif event_sha256(before, event, own) != stored:
            yield f"Event {seq} of the ledger was altered after it was stored, or the one before it."
        before = stored
    if events:
        yield f"{len(events)} events of the ledger were added after its own (up to event {last})."


def _exists(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name=?", (TABLE,)).fetchone()
    return found is not None


def _rows(connection: sqlite3.Connection, table: str, first: int) -> dict[int, Values]:
    cursor = connection.execute(f"SELECT * FROM {table} WHERE seq>=? ORDER BY seq", (first,))
    names = [column[0] for column in cursor.description]
    return {row[names.index("seq")]: dict(zip(names, row, strict=True)) for row in cursor}


def _own_rows(connection: sqlite3.Connection, table: str, first: int) -> Iterator[Values]:
    cursor = connection.execute(f"SELECT * FROM {table} WHERE seq>=? ORDER BY id", (first,))
    names = [column[0] for column in cursor.description]
    for row in cursor:
        values = dict(zip(names, row, strict=True))
        del values["id"]
        yield values
