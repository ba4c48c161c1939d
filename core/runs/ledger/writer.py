"""Write a ledger: every event of a run or an evaluation, and the rows of each, in one SQLite file.

Only the process that works on the folder writes, through one connection; readers open the file read-only
(``core.runs.run_reader``). This also avoids the WAL-reset defect of SQLite before 3.51.3.

Durability: each event is one transaction. Steps, and progress within a phase, commit with ``synchronous=NORMAL``: they
do not wait for the disk, and a killed process loses nothing, because the operating system holds committed pages. Every
other event commits with ``FULL``, which forces all earlier steps to the disk. The engine reports "save" before it
writes a checkpoint. After a power cut the ledger therefore reaches at least to the newest checkpoint, and a resumed run
has no gap.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.domain.clock import now_ms
from core.domain.errors import BadInput, StorageFull, UserError
from core.domain.evaluation_events import STARTED
from core.domain.run_events import to_plain
from core.private_files import follow_folder
from core.runs.ledger import chain, schema
from core.runs.ledger.layout import LedgerLayout

LEDGER = "ledger.sqlite"
_CLOSE_TRIES = 20
_CLOSE_PAUSE_S = 0.05


class LedgerWriter:
    """The one writer of a ledger.

    Args:
        path: the file; created when missing.
        owner: id of the run or evaluation; stored in the file, so that a ledger in the wrong folder is refused.
        layout: its tables.
        clock_ms: UTC milliseconds.

    Attributes:
        attempt: number of this attempt, one above the highest in the file.
    """

    def __init__(
        self,
        path: Path,
        owner: str,
        *,
        layout: LedgerLayout = schema.RUN_LAYOUT,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._clock_ms = clock_ms
        self._layout = layout
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        follow_folder(path)  # before the log exists, which takes the rights of the file
        try:
            self._prepare(path, owner)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, path: Path, wanted: str) -> None:
        try:
            shared = self._enter_wal()
            self._db.execute("PRAGMA trusted_schema=OFF")
            self._db.execute("PRAGMA mmap_size=0")
            with self._transaction(durable=True):
                schema.create(self._db, self._layout)
                chain.create(self._db)
                self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (self._layout.owner, wanted))
        except sqlite3.DatabaseError as error:
            raise _clear(error, path) from error
        owner = self._db.execute("SELECT value FROM meta WHERE key = ?", (self._layout.owner,)).fetchone()[0]
        if owner != wanted:
            noun = self._layout.owner.removesuffix("_id")
            raise BadInput(f"{path} belongs to another {noun} ({owner}).", "Restore the folder from a copy.")
        if not shared:
            raise UserError(f"{path} cannot be shared with readers on this file system.", "Use a local disk.")
        self._seq = self._highest("seq", *self._layout.event_tables)
        self._head = chain.head(self._db)[1]
        self.attempt = self._highest("attempt", *self._layout.event_tables) + 1

    def _enter_wal(self) -> bool:
        """Switch to WAL mode; a reader that has the file open only delays it."""
        for _ in range(_CLOSE_TRIES):
            if self._db.execute("PRAGMA journal_mode=WAL").fetchone()[0].lower() == "wal":
                return True
            time.sleep(_CLOSE_PAUSE_S)
        return False

    def _highest(self, column: str, *tables: str) -> int:
        parts = " UNION ALL ".join(f"SELECT MAX({column}) AS top FROM {table}" for table in tables)
        return self._db.execute(f"SELECT COALESCE(MAX(top), 0) FROM ({parts})").fetchone()[0]

    def append(self, event: Any) -> int:
        """Store one event with its rows in one transaction and return its number in the file.

        Raises:
            StorageFull: when there is no room; earlier rows are safe and the call may be repeated.
        """
        seq = self._seq + 1
        try:
            with self._transaction(durable=not self._layout.is_frequent(event)):
                head = self._insert(seq, event)
        except sqlite3.DatabaseError as error:
            raise _clear(error, Path(LEDGER)) from error
        self._seq, self._head = seq, head
        return seq

    def _insert(self, seq: int, event: Any) -> str:
        """Insert the event and its rows; return its hash in the chain."""
        at_ms = self._clock_ms()
        table = self._layout.tables.get(type(event))
        if table is not None:
            statement = schema.insert(table, ("seq", "attempt", "at_ms"), type(event))
            row = {"seq": seq, "attempt": self.attempt, "at_ms": at_ms, **schema.encoded(event)}
            self._db.execute(statement, list(row.values()))
        else:
            text = json.dumps(to_plain(event, rows=False), ensure_ascii=False)
            row = {"seq": seq, "attempt": self.attempt, "at_ms": at_ms, "event": event.event, "json": text}
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", list(row.values()))
        if isinstance(event, STARTED):
            self._db.execute("INSERT INTO attempts VALUES (?, ?, ?)", (self.attempt, at_ms, event.resumed_from))
        return chain.extend(self._db, self._head, seq, row, self._insert_rows(seq, event))

    def _insert_rows(self, seq: int, event: Any) -> list[dict[str, Any]]:
        table = self._layout.rows.get(type(event))
        if table is None or not event.rows:
            return []
        head = {"seq": seq, "attempt": self.attempt, **table.head_of(event)}
        statement = schema.insert(table.name, tuple(head), table.row)
        rows = [{**head, **schema.encoded(row)} for row in event.rows]
        self._db.executemany(statement, (list(row.values()) for row in rows))
        return rows

    @contextmanager
    def _transaction(self, *, durable: bool) -> Iterator[None]:
        self._db.execute("PRAGMA synchronous=FULL" if durable else "PRAGMA synchronous=NORMAL")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def close(self, *, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Close and leave one file that can be read from read-only media.

        Returns:
            Whether the file left WAL mode. A reader that has it open prevents that; on read-only media readers then
            use a copy.
        """
        if not self._open:
            return True
        plain = False
        for _ in range(_CLOSE_TRIES):
            plain = self._leave_wal()
            if plain:
                break
            sleep(_CLOSE_PAUSE_S)
        self._db.close()
        return plain

    @property
    def _open(self) -> bool:
        try:
            return self._db.total_changes >= 0
        except sqlite3.ProgrammingError:
            return False

    def _leave_wal(self) -> bool:
        try:
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA busy_timeout=0")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return self._db.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "delete"
        except sqlite3.DatabaseError:
            return False


def _clear(error: sqlite3.DatabaseError, path: Path) -> UserError:
    """Return SQLite's error as a user error."""
    text = str(error)
    if "full" in text:
        return StorageFull(
            "There is no room left for the ledger; everything up to the last event is safe.", "Free some space."
        )
    if "malformed" in text or "not a database" in text:
        return BadInput(f"{path} is damaged and was not changed.", "Restore the folder from a copy.")
    return UserError(
        f"The ledger cannot be written: {text}. Everything up to the last event is safe.", "Check the disk."
    )
