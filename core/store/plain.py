"""Helpers of the repositories: one-row inserts, wide selects, JSON columns, lists of ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Result, Select, insert
from sqlalchemy.orm import Session as OrmSession
from sqlmodel import Session, SQLModel

from core.store.sqlite.unreadable import UnreadableText

CHUNK = 500
"""Ids in one IN list; well below SQLite's limit of bound parameters."""


def insert_row(session: Session, table: type[SQLModel], /, **values: Any) -> int:
    """Insert one row and return its id. Twice as fast as adding an object, and it never updates by mistake."""
    result = session.connection().execute(insert(table), values)
    key = result.inserted_primary_key
    return int(key[0]) if key and isinstance(key[0], int) else 0


def wide_select(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Return a select of any number of columns; the one of SQLModel is typed for up to four."""
    return Select(*columns)


def execute(session: Session, query: Select[*tuple[Any, ...]]) -> Result[*tuple[Any, ...]]:
    """Run a :func:`wide_select`."""
    return OrmSession.execute(session, query)


def fetch(session: Session, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """Return the rows of a query written in SQL; ``values`` stand for its question marks."""
    return list(session.connection().exec_driver_sql(sql, values).all())


def read_json(text: str) -> Any:
    """Return the value of a JSON column; '' stands for nothing known."""
    try:
        return json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise UnreadableText("A stored value is no JSON any more.", "Restore a backup.") from error


def chunks(ids: Iterable[int], size: int = CHUNK) -> Iterator[list[int]]:
    """Cut ids into lists short enough for one statement."""
    part: list[int] = []
    for one in ids:
        part.append(one)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part


def only_id(row: Any) -> int:
    """Return the id of a stored row, which is never None."""
    assert row.id is not None
    return int(row.id)
