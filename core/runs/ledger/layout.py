"""Which tables a ledger has: one layout for runs, one for evaluations; the writer and the hash chain read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RowsTable:
    """The table of the rows that an event carries in its field ``rows``.

    Attributes:
        name: of the table. row: the class of a row; each of its fields is a column.
        head: definitions in SQL of the columns before those, after id, seq and attempt.
        head_of: returns the values of these columns from the event.
    """

    name: str
    row: type
    head: Mapping[str, str]
    head_of: Callable[[Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LedgerLayout:
    """The tables of a ledger.

    Attributes:
        owner: the key of the file's owner in the table ``meta``.
        tables: table by class of the events that have one of their own; all others are JSON in ``events``.
        rows: table by class of the events that carry rows.
        indexes: further statements in SQL.
        is_frequent: whether an event commits without waiting for the disk.
    """

    owner: str
    tables: Mapping[type, str]
    rows: Mapping[type, RowsTable]
    indexes: tuple[str, ...]
    is_frequent: Callable[[Any], bool]

    @property
    def event_tables(self) -> tuple[str, ...]:
        """Every table that holds events."""
        return ("events", *self.tables.values())

    @property
    def row_tables(self) -> tuple[RowsTable, ...]:
        """Every table of rows, once."""
        return tuple({table.name: table for table in self.rows.values()}.values())

    @property
    def marks(self) -> tuple[str, ...]:
        """Tables that every ledger of this layout has."""
        return ("meta", "events", *(table.name for table in self.row_tables))
