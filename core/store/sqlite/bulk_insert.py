"""Inserting thousands of rows at once."""

from __future__ import annotations

from itertools import chain
from typing import Any

from sqlmodel import Session

_PARAMETERS = 30_000  # values bound in one statement; SQLite takes 32,766


def insert_many(session: Session, into: str, rows: list[Any]) -> None:
    """Insert rows of equal length, many per statement.

    ``into`` is the statement up to its column list; it is never built from data.

    With one statement per row this thread and the one that parses the next batch would take Python's lock in turn
    for each row. With hundreds of rows per statement SQLite works while Python parses.
    """
    if not rows:
        return
    connection = session.connection()
    per_statement = _PARAMETERS // len(rows[0])
    marks = f"({','.join('?' * len(rows[0]))})"
    for start in range(0, len(rows), per_statement):
        part = rows[start : start + per_statement]
        connection.exec_driver_sql(f"{into} VALUES{','.join([marks] * len(part))}", tuple(chain.from_iterable(part)))
