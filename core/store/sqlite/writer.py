"""The one thread that writes: one connection, one queue, one transaction per job.

Two connections that commit or checkpoint one WAL file at once can corrupt it in SQLite up to 3.51.2; a single
writer that alone checkpoints rules that out and makes "database is locked" impossible inside the program.
A label job overtakes queued import batches, so that a reviewer never waits for an import.
"""

from __future__ import annotations

import itertools
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, closing
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlmodel import Session

from core.domain.errors import UserError
from core.store.chain.known_rows import known_digests
from core.store.chain.sealer import Sealer
from core.store.sqlite.backups import Counts, row_counts
from core.store.sqlite.commit_guard import CommitGuard
from core.store.sqlite.commit_mark import CommitMark, read_mark
from core.store.sqlite.connect import connect, enter_wal, leave_wal, pragma
from core.store.sqlite.engines import reading_engine, writing_engine
from core.store.sqlite.errors import clear_errors

T = TypeVar("T")
_IDLE_S = 0.5
_WAL_LIMIT = 64 * 1024 * 1024


class Priority(IntEnum):
    """Which of several waiting jobs runs first."""

    LABEL = 0
    NORMAL = 10
    BULK = 20
    CLOSE = 99


class Writer:
    """Runs jobs one after the other on its own thread and connection. Close it exactly once."""

    def __init__(self, path: Path, guard: CommitGuard) -> None:
        """Open the connection and start the thread. ``guard`` was made before, so that it saw the file first.

        Raises:
            UserError: when the file cannot be opened for writing.
        """
        self._guard = guard
        self._wal = Path(f"{path}-wal")
        self._queue: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._gate = threading.Lock()
        self._closed = False
        self._dirty = False
        with clear_errors("opening the workspace"), ExitStack() as on_error:
            self._raw = connect(path, "rw")
            on_error.callback(self._raw.close)
            enter_wal(self._raw)
            self._sealer = Sealer(self._raw)
            self._sealer.seal_found()
            # As long as another connection has the log open, closing the writer leaves log and file as they are.
            self._bystander = connect(path, "ro")
            on_error.callback(self._bystander.close)
            self._bystander.execute("SELECT count(*) FROM meta").fetchone()
            guard.opened(read_mark(self._raw))
            on_error.pop_all()
        self._engine = _engine(self._raw)
        self._thread = threading.Thread(target=self._run, name="workspace-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Session], T], label: str, priority: Priority = Priority.NORMAL) -> Future[T]:
        """Queue ``job``; the future resolves after COMMIT returned, or with the reason why nothing was saved."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(self._transact(job, label))
            except BaseException as error:  # noqa: BLE001 - the caller's thread raises it; this thread continues
                future.set_exception(error)

        self._put(priority, work)
        return future

    def write(self, job: Callable[[Session], T], label: str, priority: Priority = Priority.NORMAL) -> T:
        """Run ``job`` in a transaction and return its result after COMMIT."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a write job may not wait for another write job")
        return self.submit(job, label, priority).result()

    def copy_held(self, target: Path) -> Counts:
        """Copy the file that is held open, whatever its name leads to now; return the row counts of what was copied.

        Labels wait meanwhile; see :func:`core.store.sqlite.backups.copy_snapshot` for the copy of a file with a name.
        """

        def copy() -> Counts:
            counts = row_counts(self._raw)
            with closing(connect(target, "rw")) as sink:
                self._raw.backup(sink)
            return counts

        with clear_errors("making a backup"):
            return self._between_jobs(copy)

    def held_size(self) -> int:
        """Return the bytes of the file that is held open, its log included."""
        with clear_errors("reading the workspace"):
            return self._between_jobs(lambda: pragma(self._raw, "page_count") * pragma(self._raw, "page_size"))

    def mark(self) -> CommitMark:
        """Return how much the file that is held open holds."""
        with clear_errors("reading the workspace"):
            return self._between_jobs(lambda: read_mark(self._raw))

    def _between_jobs(self, work: Callable[[], T]) -> T:
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - the caller's thread raises it; this thread continues
                future.set_exception(error)

        self._put(Priority.NORMAL, run)
        return future.result()

    def close(self) -> None:
        """Finish what is queued, move the log into the file, close the connection and end the thread."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put((Priority.CLOSE, next(self._numbers), None))
        self._thread.join()

    def _put(self, priority: Priority, work: Callable[[], None]) -> None:
        with self._gate:
            if self._closed:
                raise UserError("The workspace is closed; nothing was saved.", "Open it again.")
            self._queue.put((priority, next(self._numbers), work))

    def _run(self) -> None:
        while True:
            try:
                _, _, work = self._queue.get(timeout=_IDLE_S if self._dirty else None)
            except queue.Empty:
                self._checkpoint()
                continue
            if work is None:
                break
            work()
            if self._dirty and self._wal_size() > _WAL_LIMIT:
                self._checkpoint()
        self._end()

    def _transact(self, job: Callable[[Session], T], label: str) -> T:
        with clear_errors(label), self._guard.writing():
            self._dirty = True
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                value = job(session)
                session.flush()
                self._sealer.seal(known_digests(session))
                mark = read_mark(self._raw)
                self._guard.check()  # so that nothing is written into a file that nobody will find
            self._guard.check()
            self._guard.committed(mark)
            return value

    def _checkpoint(self) -> None:
        """Move the log into the file. PASSIVE never waits for readers, so a queued label does not either."""
        self._dirty = False
        with self._guard.writing():
            if self._guard.lost is not None:
                return
            whole = False
            try:
                busy, frames, moved = self._raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                whole = not busy and frames == moved
            except sqlite3.Error:  # a full disk loses nothing here: the log keeps every commit until there is space
                return
            finally:
                self._guard.checkpointed(whole)

    def _wal_size(self) -> int:
        try:
            return self._wal.stat().st_size
        except OSError:
            return 0

    def _end(self) -> None:
        lost = self._guard.lost is not None
        try:
            if not lost:
                self._bystander.close()
                self._raw.execute("PRAGMA optimize")
                self._guard.committed(read_mark(self._raw))
                leave_wal(self._raw)
        except sqlite3.Error:  # the log is kept and read at the next start; closing must still release the file
            pass
        finally:
            self._engine.dispose()
            self._raw.close()
            self._bystander.close()
            self._guard.closed(lost)


def _engine(raw: sqlite3.Connection) -> Engine:
    engine = writing_engine(lambda: raw)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: a job never finds out half-way that it may not write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reader_engine(creator: Callable[[], Any]) -> Engine:
    """Return an engine whose pooled read-only connections see one snapshot a transaction."""
    engine = reading_engine(creator)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
