"""Inserting thousands of rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from sqlmodel import Session

_SIZES = (1000, *(1 << power for power in range(9, -1, -1)))
"""Rows of one statement: a few sizes only, because a statement of a new size is compiled, and that costs three times as
much as running it. SQLite binds 32,766 values, so a row has at most 32 columns that vary."""


def insert_many(session: Session, into: str, rows: Sequence[Any], same: Mapping[str, Any] | None = None) -> None:
    """Insert rows of equal length, many per statement.

    With one statement per row this thread and the one that parses the next batch would take Python's lock in turn
    for each row, and SQLite would set up its triggers for each. With hundreds of rows per statement SQLite works while
    Python parses.

    Args:
        session: of the transaction.
        into: the table and the columns of the rows, ``pair_flag(pair_id, flags)``; never built from data.
        rows: the values of each row.
        same: column -> value of the columns that are alike in all rows; bound once for each statement.
    """
    if not rows:
        return
    run = session.connection().exec_driver_sql
    same = same or {}
    width = len(rows[0])
    names = "".join(f", {name}" for name in same)
    values = "".join(f", column{number}" for number in range(1, width + 1))
    head = f"INSERT INTO {into.removesuffix(')')}{names}) SELECT {values[2:]}{', ?' * len(same)} FROM (VALUES"
    marks = f"({','.join('?' * width)})"
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            part = rows[start : start + size]
            run(f"{head}{','.join([marks] * size)})", (*same.values(), *chain.from_iterable(part)))
            start += size
