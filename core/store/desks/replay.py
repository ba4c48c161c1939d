"""The rows of a desk that its hash chain covers, and a database in memory that verifies them again.

A desk sends back its rows as they are, with its own ids: only so its chain can be verified, then and later. The texts
of pairs are not among them, because the chain covers their hashes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlmodel import Session

from core.domain.errors import BadInput
from core.store.chain import verify
from core.store.chain.material import LOGS
from core.store.chain.registers import REGISTERS
from core.store.migrations.schema import STATEMENTS
from core.store.plain import fetch

Table = dict[str, Any]
"""``{"columns": [...], "rows": [[...], ...]}``; the first columns name the row."""
_PARTS = (
    "dataset_item", "dataset_item_judgement", "dataset_rubric", "dataset_left_out", "suite_item", "vote_item",
    "changeset_entry", "batch_slot", "bundle_slot",
)  # fmt: skip
TABLES = (
    *(log.table for log in LOGS), *(register.table for register in REGISTERS), *_PARTS, "pair_source", "chain",
    "chain_row",
)  # fmt: skip
"""The tables that the chain covers, and the chain."""
_WITHOUT_TEXT = {"pair": ("a_text", "b_text")}


def rows_of(session: Session) -> dict[str, Table]:
    """Return the covered rows of a workspace by table; tables without rows are left out."""
    found = {}
    for table in TABLES:
        columns = [row[1] for row in fetch(session, f"PRAGMA table_info({table})")]
        shown = ["''" if name in _WITHOUT_TEXT.get(table, ()) else name for name in columns]
        rows = [list(row) for row in fetch(session, f"SELECT {', '.join(shown)} FROM {table} ORDER BY 1, 2")]
        if rows:
            found[table] = {"columns": columns, "rows": rows}
    return found


def replay(tables: Mapping[str, Table]) -> sqlite3.Connection:
    """Return a database in memory with these rows, without guards; close it.

    Raises:
        BadInput: a table or a row is not one of a desk.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statement in STATEMENTS:
            if not statement.startswith(("CREATE TRIGGER", "INSERT", "DROP TRIGGER")):
                connection.execute(statement)
        for table, held in tables.items():
            _insert(connection, table, held)
    except (sqlite3.Error, KeyError, TypeError, ValueError, OverflowError) as error:
        connection.close()
        raise BadInput(f"The bundle holds rows that no desk has ({error}).", "Ask for the file again.") from error
    return connection


def _insert(connection: sqlite3.Connection, table: str, held: Table) -> None:
    known = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] if table in TABLES else []
    columns = held["columns"]
    if not known or not isinstance(columns, list) or not set(columns) <= set(known):
        raise ValueError(f"{str(table)[:40]!r} is not a table of a desk")
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table}({', '.join(columns)}) VALUES({marks})", held["rows"])


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is not as the desk's chain recorded it."""
    yield from verify.problems(connection)


def added(before: Mapping[str, Table], now: Mapping[str, Table]) -> dict[str, Table]:
    """Return the rows of ``now`` that are not in ``before``, by table."""
    found = {}
    for table, held in now.items():
        known = {_frozen(row) for row in before.get(table, {}).get("rows", ())}
        rows = [row for row in held["rows"] if _frozen(row) not in known]
        if rows:
            found[table] = {"columns": held["columns"], "rows": rows}
    return found


def union(parts: Iterable[Mapping[str, Table]]) -> dict[str, Table]:
    """Return the rows of several parts, oldest first: of a row that changed the newest state counts."""
    found: dict[str, Table] = {}
    for part in parts:
        for table, held in part.items():
            kept = found.setdefault(table, {"columns": held["columns"], "rows": []})
            keys = 3 if table == "chain_row" else 2 if table in _LINKS else 1
            rows = {_frozen(row[:keys]): row for row in kept["rows"]}
            rows |= {_frozen(row[:keys]): row for row in held["rows"]}
            kept["rows"] = list(rows.values())
    return found


_LINKS = ("pair_source", "dataset_item", "dataset_rubric", "dataset_left_out", "suite_item")


def _frozen(row: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(row)
