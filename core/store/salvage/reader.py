"""Reading the tables of a damaged file: from both ends with SQL, and what that leaves out from the pages.

Only a copy is opened; the damaged file itself is never written to.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.store.migrations.schema import STATEMENTS
from core.store.salvage.pages import PageFile

Row = dict[str, Any]
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a damaged file raises; SQLite's own message may quote bytes that are no text."""
SIDE_FILES = ("-wal", "-journal")
_KINDS: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "TEXT": (str,), "REAL": (int, float)}
REPLACED = "\ufffd"
"""Stands for bytes of a text that are no characters any more."""


class DamagedFile:
    """The tables of a damaged workspace file, read from a copy in ``place``."""

    def __init__(self, path: Path, place: Path) -> None:
        """Copy the file with its log and merge the log into the copy, where that can be read."""
        self._copy = place / "damaged.db"
        shutil.copyfile(path, self._copy)
        for suffix in SIDE_FILES:
            with suppress(OSError):
                shutil.copyfile(f"{path}{suffix}", f"{self._copy}{suffix}")
        with suppress(*_UNREADABLE), closing(sqlite3.connect(self._copy)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._shapes = _shapes()
        self.columns = {table: columns for table, columns in self._shapes.items() if columns[0].is_number}
        self._pages: dict[str, dict[int, Row]] | None = None

    def is_workspace(self) -> bool:
        """Return whether anything of a workspace can be read: one of its tables, or a row that has the shape of one."""
        with suppress(*_UNREADABLE), closing(self._open()) as raw:
            if self.columns.keys() & {name for (name,) in raw.execute("SELECT name FROM sqlite_schema")}:
                return True
        return any(self._by_page().values())

    def rows(self, table: str, key: str = "id", *, gapless: bool = False) -> Iterator[Row]:
        """Yield the readable rows of a table by name, in the order of ``key``; "" for a table without one number.

        Pages are looked at where SQL meets damage or a row that is none of the table, and in a ``gapless`` table also
        where numbers are missing: a page that was freed may hold a row that was deleted on purpose.
        """
        found, complete = self._by_sql(table, key)
        if key == "":
            yield from found
            return
        numbered = [row for row in found if isinstance(row.get(key), int)]
        by_key = {row[key]: row for row in numbered if not self.misfit(table, row)}
        most = max(self.highest(table), *by_key, 0) if gapless else 0
        if not complete or len(by_key) < max(len(found), most):
            for number, row in self._by_page().get(table, {}).items():
                by_key.setdefault(number, row)
        for row in numbered:
            by_key.setdefault(row[key], row)
        yield from (by_key[number] for number in sorted(by_key))

    def misfit(self, table: str, row: Row) -> str:
        """Return the name of a column that holds what no row of the table can hold; "" where there is none."""
        for column in self._shapes[table]:
            if column.name in row and not column.takes(row[column.name]):
                return column.name
        return ""

    def highest(self, table: str) -> int:
        """Return the highest id that the file says it gave out in ``table``; 0 where it cannot be read."""
        query = "SELECT seq FROM sqlite_sequence WHERE name=?"
        with suppress(*_UNREADABLE), closing(self._open()) as raw:
            found = raw.execute(query, (table,)).fetchone()
            return int(found[0]) if found and isinstance(found[0], int) and 0 < found[0] < 1 << 40 else 0
        return 0

    def _open(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self._copy, isolation_level=None)
        raw.text_factory = lambda data: data.decode("utf-8", "replace")
        raw.execute("PRAGMA writable_schema=ON")  # a damaged definition of one table hides no other
        raw.execute("PRAGMA cell_size_check=ON")
        raw.execute("PRAGMA trusted_schema=OFF")
        return raw

    def _by_sql(self, table: str, key: str) -> tuple[list[Row], bool]:
        """Return rows from the beginning up to the first damage, then from the end down; and whether all."""
        found: list[Row] = []
        seen: set[tuple] = set()
        for order in ("ASC", "DESC"):
            with suppress(*_UNREADABLE), closing(self._open()) as raw:
                names = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
                if not names:
                    return found, False
                by = ", ".join(f"{name} {order}" for name in ([key] if key else _primary(raw, table)))
                for values in raw.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY {by}"):
                    if values not in seen:
                        seen.add(values)
                        found.append(dict(zip(names, values, strict=True)))
                return found, order == "ASC"
        return found, False

    def _by_page(self) -> dict[str, dict[int, Row]]:
        """Return table -> id -> row of every row of a leaf page that has the shape of a row of the table."""
        if self._pages is None:
            self._pages = {table: {} for table in self.columns}
            for rowid, values in PageFile(self._copy).rows():
                for table, columns in self.columns.items():
                    if _fits(values, columns):
                        names = [column.name for column in columns]
                        row = dict(zip(names, values, strict=False))
                        row[names[0]] = rowid
                        self._pages[table].setdefault(rowid, row)
        return self._pages


@dataclass(frozen=True, slots=True)
class _ColumnShape:
    """A column of a table of a new workspace; ``is_number`` says that it is the number of the row."""

    name: str
    kind: str
    optional: bool
    is_number: bool

    def takes(self, value: Any) -> bool:
        """Return whether a row of the table can hold the value here."""
        if value is None:
            return self.optional
        return isinstance(value, _KINDS.get(self.kind, (str, int, float, bytes)))


def _shapes() -> dict[str, list[_ColumnShape]]:
    """Return the columns of each table of a new workspace."""
    found: dict[str, list[_ColumnShape]] = {}
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in STATEMENTS:
            fresh.execute(statement)
        for table, made in fresh.execute("SELECT name, sql FROM sqlite_schema WHERE type='table'").fetchall():
            by_row = "WITHOUT ROWID" not in (made or "") and not table.startswith("sqlite_")
            found[table] = [
                _ColumnShape(name, kind, not required, by_row and key == 1 and kind == "INTEGER")
                for _, name, kind, required, _, key in fresh.execute(f"PRAGMA table_info({table})").fetchall()
            ]
    return found


def _primary(raw: sqlite3.Connection, table: str) -> list[str]:
    keys = sorted((row[5], row[1]) for row in raw.execute(f"PRAGMA table_info({table})") if row[5])
    return [name for _, name in keys] or ["rowid"]


_LATER = 2
"""Columns that may be missing at the end of a long row, because a later version added them."""


def _fits(values: list[Any], columns: list[_ColumnShape]) -> bool:
    least = len(columns) - (_LATER if len(columns) > 4 * _LATER else 0)
    if not least <= len(values) <= len(columns) or values[0] is not None:
        return False
    for value, column in zip(values[1:], columns[1:], strict=False):
        if not column.takes(value) or (value is not None and column.name.endswith("sha256") and len(str(value)) != 64):
            return False
    return True
