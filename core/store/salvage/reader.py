"""Reading the tables of a damaged file: from both ends with SQL, and what that leaves out from the pages.

Only a copy is opened; the damaged file itself is never written to.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from core.store.migrations.schema import STATEMENTS
from core.store.salvage.pages import PageFile

Row = dict[str, Any]
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a damaged file raises; SQLite's own message may quote bytes that are no text."""
SIDE_FILES = ("-wal", "-journal")
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
        self.columns = _columns()
        self._pages: dict[str, dict[int, Row]] | None = None

    def is_workspace(self) -> bool:
        """Return whether anything of a workspace can be read: one of its tables, or a row that has the shape of one."""
        with suppress(*_UNREADABLE), closing(self._open()) as raw:
            if self.columns.keys() & {name for (name,) in raw.execute("SELECT name FROM sqlite_schema")}:
                return True
        return any(self._by_page().values())

    def rows(self, table: str, key: str = "id", *, gapless: bool = False) -> Iterator[Row]:
        """Yield the readable rows of a table by name, in the order of ``key``; "" for a table without one number.

        Pages are looked at where SQL meets damage, and in a ``gapless`` table also where numbers are missing: a page
        that was freed may hold a row that was deleted on purpose.
        """
        found, complete = self._by_sql(table, key)
        if key == "":
            yield from found
            return
        by_key = {row[key]: row for row in found if isinstance(row.get(key), int)}
        if not complete or (gapless and len(by_key) != max(self.highest(table), max(by_key, default=0))):
            for number, row in self._by_page().get(table, {}).items():
                by_key.setdefault(number, row)
        yield from (by_key[number] for number in sorted(by_key))

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
                        names = [name for name, _, _ in columns]
                        row = dict(zip(names, values, strict=False))
                        row[names[0]] = rowid
                        self._pages[table].setdefault(rowid, row)
        return self._pages


def _columns() -> dict[str, list[tuple[str, str, bool]]]:
    """Return (name, type, may be NULL) of the columns of each table whose first column is its row number."""
    found = {}
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statement in STATEMENTS:
            fresh.execute(statement)
        for (table,) in fresh.execute(
            "SELECT name FROM sqlite_schema WHERE type='table' AND sql NOT LIKE '%WITHOUT ROWID%'"
            " AND name NOT LIKE 'sqlite_%'"
        ).fetchall():
            info = fresh.execute(f"PRAGMA table_info({table})").fetchall()
            if info[0][5] == 1 and info[0][2] == "INTEGER":
                found[table] = [(name, kind, not required) for _, name, kind, required, _, _ in info]
    return found


def _primary(raw: sqlite3.Connection, table: str) -> list[str]:
    keys = sorted((row[5], row[1]) for row in raw.execute(f"PRAGMA table_info({table})") if row[5])
    return [name for _, name in keys] or ["rowid"]


_KINDS = {"INTEGER": int, "TEXT": str, "REAL": (int, float)}
_LATER = 2
"""Columns that may be missing at the end of a long row, because a later version added them."""


def _fits(values: list[Any], columns: list[tuple[str, str, bool]]) -> bool:
    least = len(columns) - (_LATER if len(columns) > 4 * _LATER else 0)
    if not least <= len(values) <= len(columns) or values[0] is not None:
        return False
    for value, (name, kind, optional) in zip(values[1:], columns[1:], strict=False):
        if value is None and optional:
            continue
        if not isinstance(value, _KINDS.get(kind, str)):
            return False
        if name.endswith("sha256") and len(str(value)) != 64:
            return False
    return True
