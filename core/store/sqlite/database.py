"""The open workspace database: one writer thread, read-only readers, one object that owns both.

``write(job, label)`` runs ``job(session)`` in a transaction on the writer thread and returns its result after
COMMIT. ``read()`` gives a session that sees one snapshot and cannot write. Rows never leave ``core.store``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self, TypeVar

from sqlmodel import Session

from core import durable
from core.domain.clock import now_ms
from core.domain.errors import BadInput, UserError, WorkspaceDamaged
from core.domain.ids import new_uid
from core.file_lock import HeldLock
from core.store.sqlite.backups import copy_file
from core.store.sqlite.connect import connect
from core.store.sqlite.errors import clear_errors
from core.store.sqlite.identity import SCHEMA, db_path, inspect
from core.store.sqlite.lock import lock_workspace
from core.store.sqlite.migrate import build, migrate
from core.store.sqlite.write_context import WriteContext, mono_ms
from core.store.sqlite.writer import Priority, Writer, reader_engine

T = TypeVar("T")
_OWN_ENTRIES = {
    ".lock",
    "runs",
    "models",
    "backups",
    "exports",
    "rejects",
    "search",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
}
_SWEPT = ("backups", "exports", "models", "rejects")
"""Folders in which opening removes what an interrupted write left, once it is old: programs that only read the
workspace also make backups and exports there, while another one holds the lock."""
_LEFT_BEHIND_S = 24 * 3600.0
_CLOSE_WAIT_S = 5.0


class Store:
    """An open workspace database. Make one with :meth:`open`; all methods may be called from any thread.

    Attributes:
        folder: the workspace folder.
        path: its ``workspace.db``.
        read_only: True when nothing can be written.
        uuid: the workspace's identity.
        session_id: names this opening in every row it writes.
        app_version: stored with judgements.
    """

    def __init__(self, folder: Path, *, read_only: bool, lock: HeldLock | None, uuid: str, version: str) -> None:
        self.folder, self.path = folder, db_path(folder)
        self.read_only, self.uuid, self.app_version = read_only, uuid, version
        self.session_id = new_uid()
        self._lock = lock
        self._writer = None if read_only else Writer(self.path)
        self._readers = reader_engine(lambda: connect(self.path, "ro"))
        self._idle = threading.Condition()
        self._reading = 0
        self._closed = False

    @classmethod
    def open(
        cls, folder: Path, *, create: bool = False, read_only: bool = False, name: str = "", version: str = "0"
    ) -> Store:
        """Open the workspace in ``folder``, upgrading an older one after a backup.

        Args:
            folder: the workspace folder.
            create: make a workspace there when there is none.
            read_only: take no lock and write nothing; works while another program has it open.
            name: what a new workspace is called; the folder's name when empty.
            version: of this program, stored with what it writes.

        Raises:
            NotFound: there is no workspace and ``create`` is False.
            WorkspaceInUse, WorkspaceNewer, WorkspaceDamaged: nothing was written.
        """
        folder = Path(folder).expanduser().absolute()
        path = db_path(folder)
        if create and not path.exists() and not read_only:
            _make(folder, name or _storable(folder.name), version)
        found = inspect(path, recover=False) if read_only else None
        if found is not None:
            if found.schema < SCHEMA:
                raise UserError(
                    "This workspace has an older format and cannot be read as it is; nothing was changed.",
                    "Open it once for writing; it is upgraded after a backup.",
                )
            return cls(folder, read_only=True, lock=None, uuid=found.uuid, version=version)
        return _open_for_writing(cls, folder, version)

    def write(self, job: Callable[[Session], T], label: str, priority: Priority = Priority.NORMAL) -> T:
        """Run ``job`` in one transaction on the writer thread; return its result after COMMIT.

        Args:
            job: gets a session; must not keep it, and must return plain or domain values.
            label: what is being done, for messages: "saving a label".
            priority: which of several waiting jobs runs first.

        Raises:
            UserError: nothing of the job was saved.
        """
        return self._need_writer().write(job, label, priority)

    def submit(self, job: Callable[[Session], T], label: str, priority: Priority = Priority.NORMAL) -> Future[T]:
        """Queue ``job`` and return at once; see :meth:`write`."""
        return self._need_writer().submit(job, label, priority)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one snapshot and cannot write. Keep it short: checkpoints wait for it."""
        with self._idle:
            if self._closed:
                raise UserError("The workspace is closed.", "Open it again.")
            self._reading += 1
        try:
            with clear_errors("reading the workspace"), Session(self._readers, expire_on_commit=False) as session:
                yield session
        finally:
            with self._idle:
                self._reading -= 1
                self._idle.notify_all()

    def write_context(self) -> WriteContext:
        """Return what all rows of one write carry: clocks, this opening, this version."""
        return WriteContext(now_ms(), mono_ms(), self.session_id, self.app_version)

    def copy_to(self, target: Path) -> None:
        """Copy one state of the database into a new file at ``target`` with SQLite's backup API."""
        with clear_errors("copying the workspace"), closing(connect(target, "rwc")) as copy:
            if self._writer is not None:
                self._writer.backup(copy)
            else:
                with closing(connect(self.path, "ro")) as source:
                    source.backup(copy)

    def close(self) -> None:
        """Finish queued writes, close every connection and release the lock. Calling it again does nothing."""
        with self._idle:
            if self._closed:
                return
            self._closed = True
            deadline = time.monotonic() + _CLOSE_WAIT_S
            while self._reading and (left := deadline - time.monotonic()) > 0:
                self._idle.wait(left)
        self._readers.dispose()
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _need_writer(self) -> Writer:
        if self._writer is None:
            raise UserError(
                "The workspace is open for reading only; nothing was saved.", "Open it for writing to make changes."
            )
        return self._writer


def _storable(name: str) -> str:
    """Return a folder's name as text that can be stored: bytes that are no UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()


def _open_for_writing(cls: type[Store], folder: Path, version: str) -> Store:
    # Inspected before the lock is taken, so that a refused file gets no lock file beside it.
    _refuse_early(db_path(folder))
    lock = lock_workspace(folder)
    try:
        found = inspect(db_path(folder), recover=True)
        if found.schema < SCHEMA:
            migrate(db_path(folder), copy_file)
        durable.sweep(folder)
        for name in _SWEPT:
            durable.sweep(folder / name, older_than_s=_LEFT_BEHIND_S)
        return cls(folder, read_only=False, lock=lock, uuid=found.uuid, version=version)
    except BaseException:
        lock.release()
        raise


def _refuse_early(path: Path) -> None:
    try:
        inspect(path)
    except WorkspaceDamaged as error:
        # An interrupted change may need only its rollback, which is allowed while the lock is held.
        if not Path(f"{path}-journal").exists() and not Path(f"{path}-wal").exists():
            raise error


def _make(folder: Path, name: str, version: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = {p.name for p in folder.iterdir()} - _OWN_ENTRIES
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}.", "Choose another place.") from error
    if strange := sorted(n for n in others if not n.startswith(durable.TMP_PREFIX)):
        raise BadInput(
            f"{folder} already holds other files ({strange[0]}, ...); nothing was made there.",
            "Choose an empty folder for the workspace.",
        )
    build(db_path(folder), name=name, created_by=f"pairwright {version}")
