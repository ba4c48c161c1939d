"""Write the ledger: every event of a run, and one row for each pair and step, in one SQLite file.

Only the training process writes, through one connection; readers open the file read-only (``core.runs.run_reader``).
This also avoids the WAL-reset defect of SQLite before 3.51.3.

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
from core.domain.run_events import EvalDone, PairMetrics, PhaseChanged, RunEvent, RunStarted, StepDone, to_plain
from core.private_files import follow_folder
from core.runs.ledger import chain, schema

LEDGER = "ledger.sqlite"
_CLOSE_TRIES = 20
_CLOSE_PAUSE_S = 0.05


class LedgerWriter:
    """The one writer of a run's ledger.

    Args:
        path: the file; created when missing.
        run_id: stored in the file, so that a ledger in the wrong folder is refused.
        clock_ms: UTC milliseconds.

    Attributes:
        attempt: number of this attempt, one above the highest in the file.
    """

    def __init__(self, path: Path, run_id: str, *, clock_ms: Callable[[], int] = now_ms) -> None:
        self._clock_ms = clock_ms
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        follow_folder(path)  # before the log exists, which takes the rights of the file
        try:
            self._prepare(path, run_id)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, path: Path, run_id: str) -> None:
        try:
            shared = self._enter_wal()
            self._db.execute("PRAGMA trusted_schema=OFF")
            self._db.execute("PRAGMA mmap_size=0")
            with self._transaction(durable=True):
                schema.create(self._db)
                chain.create(self._db)
                self._db.execute("INSERT OR IGNORE INTO meta VALUES ('run_id', ?)", (run_id,))
        except sqlite3.DatabaseError as error:
            raise _clear(error, path) from error
        owner = self._db.execute("SELECT value FROM meta WHERE key = 'run_id'").fetchone()[0]
        if owner != run_id:
            raise BadInput(f"{path} belongs to another run ({owner}).", "Restore the folder from a copy.")
        if not shared:
            raise UserError(f"{path} cannot be shared with readers on this file system.", "Use a local disk.")
        self._seq = self._highest("seq", "events", *schema.TABLES.values())
        self._head = chain.head(self._db)[1]
        self.attempt = self._highest("attempt", "events", *schema.TABLES.values()) + 1

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

    def append(self, event: RunEvent) -> int:
        """Store one event with its rows in one transaction and return its number in the file.

        Raises:
            StorageFull: when there is no room; earlier rows are safe and the call may be repeated.
        """
        seq = self._seq + 1
        try:
            with self._transaction(durable=not _is_frequent(event)):
                head = self._insert(seq, event)
        except sqlite3.DatabaseError as error:
            raise _clear(error, Path(LEDGER)) from error
        self._seq, self._head = seq, head
        return seq

    def _insert(self, seq: int, event: RunEvent) -> str:
        """Insert the event and its rows; return its hash in the chain."""
        at_ms = self._clock_ms()
        table = schema.TABLES.get(type(event))
        if table is not None:
            statement = schema.insert(table, ("seq", "attempt", "at_ms"), type(event))
            row = {"seq": seq, "attempt": self.attempt, "at_ms": at_ms, **schema.encoded(event)}
            self._db.execute(statement, list(row.values()))
        else:
            text = json.dumps(to_plain(event), ensure_ascii=False)
            row = {"seq": seq, "attempt": self.attempt, "at_ms": at_ms, "event": event.event, "json": text}
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", list(row.values()))
        if isinstance(event, RunStarted):
            self._db.execute("INSERT INTO attempts VALUES (?, ?, ?)", (self.attempt, at_ms, event.resumed_from))
        pairs = self._insert_rows(seq, event) if isinstance(event, StepDone | EvalDone) and event.rows else []
        return chain.extend(self._db, self._head, seq, row, pairs)

    def _insert_rows(self, seq: int, event: StepDone | EvalDone) -> list[dict[str, Any]]:
        head = {"seq": seq, "attempt": self.attempt, "step": event.step, "kind": kind_of(event)}
        statement = schema.insert("pair_rows", tuple(head), PairMetrics)
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


def _is_frequent(event: RunEvent) -> bool:
    return isinstance(event, StepDone) or (isinstance(event, PhaseChanged) and event.phase != "save")


def kind_of(event: StepDone | EvalDone) -> str:
    """Return the kind of the event's pair rows: "train", "dev" or "probe_train"."""
    if isinstance(event, StepDone):
        return schema.TRAIN
    return schema.PROBE_TRAIN if event.split == "train" else event.split


def _clear(error: sqlite3.DatabaseError, path: Path) -> UserError:
    """Return SQLite's error as a user error."""
    text = str(error)
    if "full" in text:
        return StorageFull("There is no room left for the run's ledger; every step so far is safe.", "Free some space.")
    if "malformed" in text or "not a database" in text:
        return BadInput(f"{path} is damaged and was not changed.", "Restore the run folder from a copy.")
    return UserError(f"The run's ledger cannot be written: {text}. Every step so far is safe.", "Check the disk.")
