"""Tables and columns of the ledger, derived from the event dataclasses.

Each field is a column, so that a field added to an event becomes a column without another change. Numbers are stored as
SQLite numbers, dicts and tuples as JSON text. SQLite stores NaN as NULL; NULL in a field that cannot be None is read as
NaN.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from core.domain.run_events import EvalDone, KlDone, PairMetrics, PhaseChanged, SampleDone, StepDone
from core.runs.ledger.layout import LedgerLayout, RowsTable

TABLES: dict[type, str] = {StepDone: "steps", EvalDone: "evals", KlDone: "kls", SampleDone: "samples"}
"""Events with a table of their own; all others are JSON in the table ``events``."""
TRAIN = "train"
DEV = "dev"
PROBE_TRAIN = "probe_train"
SCHEMA_VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LedgerColumn:
    """One field of an event as a column. ``kind`` is float, int, bool, str or json."""

    name: str
    kind: str
    optional: bool

    @property
    def ddl(self) -> str:
        """The column's definition in SQL."""
        types = {"float": "REAL", "int": "INTEGER", "bool": "INTEGER", "str": "TEXT", "json": "TEXT"}
        return f'"{self.name}" {types[self.kind]}'

    def encode(self, value: Any) -> Any:
        """Return the value that SQLite stores."""
        if value is None:
            return None
        if self.kind == "json":
            return json.dumps(value, ensure_ascii=False)
        return {"float": float, "int": int, "bool": int, "str": str}[self.kind](value)

    def decode(self, value: Any) -> Any:
        """Return the field's value."""
        if value is None:
            return math.nan if self.kind == "float" and not self.optional else None
        if self.kind == "json":
            decoded = json.loads(value)
            return tuple(decoded) if isinstance(decoded, list) else decoded
        return bool(value) if self.kind == "bool" else value


@cache
def columns(cls: type) -> tuple[LedgerColumn, ...]:
    """Return the columns of an event class or of :class:`PairMetrics`, without the per-pair rows."""
    hints = get_type_hints(cls)
    return tuple(_column(f.name, hints[f.name]) for f in fields(cls) if f.name != "rows")


def _column(name: str, hint: Any) -> LedgerColumn:
    args = get_args(hint)
    optional = type(None) in args
    if optional:
        hint = next(arg for arg in args if arg is not type(None))
    if get_origin(hint) is Union:
        raise TypeError(f"Field {name} has no single column type.")
    plain = {float: "float", int: "int", bool: "bool", str: "str"}
    return LedgerColumn(name, plain.get(hint, "json"), optional)


def encoded(value: Any) -> dict[str, Any]:
    """Return the column values of an event or pair row by name, in the order of its columns."""
    return {column.name: column.encode(getattr(value, column.name)) for column in columns(type(value))}


def decode(cls: type[T], row: sqlite3.Row) -> T:
    """Return the event or pair row in ``row``; columns that an older writer did not have keep their defaults."""
    present = set(row.keys())
    values = {c.name: c.decode(row[c.name]) for c in columns(cls) if c.name in present}
    return cls(**values)


def kind_of(event: StepDone | EvalDone) -> str:
    """Return the kind of the event's pair rows: "train", "dev" or "probe_train"."""
    if isinstance(event, StepDone):
        return TRAIN
    return PROBE_TRAIN if event.split == "train" else event.split


def _head_of(event: StepDone | EvalDone) -> dict[str, Any]:
    return {"step": event.step, "kind": kind_of(event)}


def _is_frequent(event: Any) -> bool:
    return isinstance(event, StepDone) or (isinstance(event, PhaseChanged) and event.phase != "save")


_PAIR_ROWS = RowsTable("pair_rows", PairMetrics, {"step": "INTEGER NOT NULL", "kind": "TEXT NOT NULL"}, _head_of)
RUN_LAYOUT = LedgerLayout(
    owner="run_id",
    tables=TABLES,
    rows={StepDone: _PAIR_ROWS, EvalDone: _PAIR_ROWS},
    indexes=(
        "CREATE UNIQUE INDEX IF NOT EXISTS step_once ON steps (attempt, step)",
        "CREATE INDEX IF NOT EXISTS pair_rows_step ON pair_rows (kind, step)",
        "CREATE INDEX IF NOT EXISTS pair_rows_pair ON pair_rows (pair_id, step)",
    ),
    is_frequent=_is_frequent,
)
"""The ledger of a run."""


def create(connection: sqlite3.Connection, layout: LedgerLayout = RUN_LAYOUT) -> None:
    """Create the tables, or add the columns that an older version did not have."""
    connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS attempts (attempt INTEGER PRIMARY KEY, at_ms INTEGER, resumed_from INTEGER)"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
        " event TEXT NOT NULL, json TEXT NOT NULL)"
    )
    for cls, table in layout.tables.items():
        _create_table(connection, table, "seq INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, at_ms INTEGER", cls)
    for rows in layout.row_tables:
        own = "".join(f", {name} {kind}" for name, kind in rows.head.items())
        head = f"id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, attempt INTEGER NOT NULL{own}"
        _create_table(connection, rows.name, head, rows.row)
    for statement in layout.indexes:
        connection.execute(statement)
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))


def _create_table(connection: sqlite3.Connection, table: str, head: str, cls: type) -> None:
    body = ", ".join(column.ddl for column in columns(cls))
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({head}, {body})")
    present = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    for column in columns(cls):
        if column.name not in present:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column.ddl}")


def insert(table: str, head: Iterable[str], cls: type) -> str:
    """Return the INSERT statement for ``head`` columns followed by the columns of ``cls``."""
    names = [*head, *(f'"{column.name}"' for column in columns(cls))]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
