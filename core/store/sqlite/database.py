"""The open workspace database: one writer thread, read-only readers, one object that owns both.

``write(job, label)`` runs ``job(session)`` in a transaction on the writer thread and returns its result after
COMMIT. ``read()`` gives a session that sees one snapshot and cannot write. Rows never leave ``core.store``.
"""

from __future__ import annotations

import shlex
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

from sqlmodel import Session

from core.domain.clock import now_ms
from core.domain.errors import UserError, WorkspaceDamaged, WorkspaceReplaced
from core.domain.ids import new_uid
from core.domain.names import checked_name, cleaned_name
from core.private_files import tighten
from core.store.sqlite.backups import Counts, copy_snapshot
from core.store.sqlite.commit_guard import CommitGuard
from core.store.sqlite.commit_mark import CommitMark, find_lead, read_mark
from core.store.sqlite.connect import connect
from core.store.sqlite.copy_check import IN_PROCESS_BELOW
from core.store.sqlite.errors import clear_errors
from core.store.sqlite.identity import SCHEMA, db_path, inspect
from core.store.sqlite.opened_file import place_of
from core.store.sqlite.opening import Opening, make_workspace, open_for_writing
from core.store.sqlite.safety_copies import SafetyCopies
from core.store.sqlite.unreadable import UnreadableText, unreadable_rows
from core.store.sqlite.write_context import WriteContext, mono_ms
from core.store.sqlite.writer import Priority, Writer, reader_engine

T = TypeVar("T")
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
        missing: what was acknowledged earlier and was not found at opening, None when nothing is known to be missing.
        notes: sentences that the user should read and that no ``listener`` took.
        listener: gets such sentences from now on, on any thread.
    """

    def __init__(self, folder: Path, *, uuid: str, version: str, opening: Opening | None = None) -> None:
        self.folder, self.path = folder, db_path(folder)
        self.read_only, self.uuid, self.app_version = opening is None, uuid, version
        self.missing = opening.missing if opening else None
        self.notes = list(opening.notes) if opening else []
        self.listener: Callable[[str], None] | None = None
        self.session_id = new_uid()
        self._place = place_of(self.path)
        self._lock = opening.lock if opening else None
        self._guard = CommitGuard(self.path, uuid, opening.lock) if opening else None
        self._writer = Writer(self.path, self._guard) if self._guard else None
        self._readers = reader_engine(self._reader)
        self._copies = SafetyCopies(folder, uuid, self.mark)
        self._idle = threading.Condition()
        self._reading = 0
        self._closed = False
        if opening is not None:
            self._copies.check_left(lambda error: self.tell(f"A backup was not kept. {error.message}"))

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
            shown = checked_name(name, "workspace") if name else cleaned_name(_storable(folder.name), "workspace")
            make_workspace(folder, shown, version)
        if read_only:
            found = inspect(path, recover=False)
            if found.schema < SCHEMA:
                raise UserError(
                    "This workspace has an older format and cannot be read as it is; nothing was changed.",
                    f"Open it in the window, or run pairwright backup {shlex.quote(str(folder))}: "
                    "a backup is made first, then it is upgraded.",
                )
            return cls(folder, uuid=found.uuid, version=version)
        opening = open_for_writing(folder)
        try:
            return cls(folder, uuid=opening.uuid, version=version, opening=opening)
        except BaseException:
            opening.lock.release()
            raise

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
        except UnreadableText as error:
            raise self._named_row(error) from error
        finally:
            with self._idle:
                self._reading -= 1
                self._idle.notify_all()

    def write_context(self) -> WriteContext:
        """Return what all rows of one write carry: clocks, this opening, this version."""
        return WriteContext(now_ms(), mono_ms(), self.session_id, self.app_version)

    def tell(self, note: str) -> None:
        """Tell the user something that stops nothing."""
        if self.listener is not None:
            self.listener(note)
        else:
            self.notes.append(note)

    def mark(self) -> CommitMark:
        """Return how much is stored now: numbers of judgements, pairs and logged events."""
        with clear_errors("reading the workspace"), closing(self._reader()) as connection:
            return read_mark(connection, self.uuid)

    def lead_of(self, noted: CommitMark) -> CommitMark | None:
        """Return what a mark of this workspace knows more than the database, None when it knows nothing more."""
        with clear_errors("reading the workspace"), closing(self._reader()) as connection:
            return find_lead(connection, noted)

    def place_problem(self) -> WorkspaceReplaced | None:
        """Return what happened to the file or the lock of a workspace open for writing; None when all is well."""
        if self._closed or self._guard is None:
            return None
        found = self._guard.lost
        return None if self._closed else found

    def backup(self, why: str, target: Path | None = None) -> Path:
        """Make a verified copy, into the backups folder or as ``target``; labels are stored meanwhile.

        Raises:
            WorkspaceReplaced: the named file is not the open one.
            WorkspaceDamaged: it is damaged; no copy was kept and none was removed.
            UserError: the copy could not be written.
        """
        return self._copies.make(self._copy_to, why, target)

    def held_size(self) -> int:
        """Return the bytes that :meth:`rescue` writes."""
        return self._need_writer().held_size()

    def copy_before(self, what: str, *, check_later: bool = False) -> None:
        """Make a copy before a large change when anything was added since the newest one.

        A copy that cannot be made does not stop the change: :meth:`tell` says why there is none.

        Args:
            what: the change, for the name of the file: "import".
            check_later: let the change begin once the copy is written; its contents are checked meanwhile. Only then it
                counts as a backup, and closing waits for that.

        Raises:
            WorkspaceReplaced: the named file is not the open one; the change cannot be saved either.
        """
        if self.read_only:
            return

        def failed(error: UserError) -> None:
            self.tell(f"There is no backup from before the {what}. {error.message}")

        try:
            if not self.changed_since_backup():
                return
            if check_later and self.path.stat().st_size >= IN_PROCESS_BELOW:
                self._copies.make_and_check_later(self._copy_to, f"before-{what}", failed)
            else:
                self.backup(f"before-{what}")
        except WorkspaceReplaced:
            raise
        except UserError as error:
            failed(error)

    def changed_since_backup(self) -> bool:
        """Whether anything was added since the newest backup."""
        return self._copies.changed()

    def rescue(self, target: Path | None = None) -> Path:
        """Copy the database that is held open although its name is gone, and return where it lies.

        Without ``target`` it goes into the backups folder, or where that is gone too, into the user's data folder.

        Raises:
            WorkspaceDamaged: another program wrote into it; no copy was kept.
            UserError: the copy could not be written.
        """
        writer = self._need_writer()
        if target is not None:
            return self._copies.make(writer.copy_held, "rescue", target)
        return self._copies.rescue(writer.copy_held, writer.mark())

    def close(self) -> None:
        """Finish queued writes, close every connection and release the lock. Calling it again does nothing.

        A database that lost its name while it was open is copied first: closing would be its end.
        """
        with self._idle:
            if self._closed:
                return
        if self._guard is not None and self._guard.lost is not None:
            with suppress(UserError):
                self.rescue()
        self._copies.wait()
        with self._idle:
            self._closed = True
            deadline = time.monotonic() + _CLOSE_WAIT_S
            while self._reading and (left := deadline - time.monotonic()) > 0:
                self._idle.wait(left)
        self._readers.dispose()
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            if place_of(self.path) == self._place:
                tighten(self.folder)
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reader(self) -> sqlite3.Connection:
        try:
            connection = connect(self.path, "ro")
        except sqlite3.Error:
            if place_of(self.path) != self._place:
                raise _exchanged(self.path) from None
            raise
        if place_of(self.path) != self._place:
            connection.close()
            raise _exchanged(self.path)
        return connection

    def _named_row(self, error: UnreadableText) -> WorkspaceDamaged:
        """Return the sentence that names the row; finding it reads every text of the workspace."""
        with clear_errors("looking for the damage"), closing(self._reader()) as connection:
            rows = unreadable_rows(connection, 1)
        return WorkspaceDamaged(
            f"{rows[0] if rows else error.message} All other texts are untouched.",
            "Run Check workspace for all such rows, and restore a backup.",
        )

    def _copy_to(self, target: Path) -> Counts:
        """Copy one state of the named file, which must be the open one before and after."""
        self._check_place()
        counts = copy_snapshot(self.path, target)
        self._check_place()
        return counts

    def _check_place(self) -> None:
        if self._guard is not None:
            self._guard.check()
        elif place_of(self.path) != self._place:
            raise _exchanged(self.path)

    def _need_writer(self) -> Writer:
        if self._writer is None:
            raise UserError(
                "The workspace is open for reading only; nothing was saved.", "Open it for writing to make changes."
            )
        return self._writer


def _storable(name: str) -> str:
    """Return a folder's name as text that can be stored: bytes that are no UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()


def _exchanged(path: Path) -> WorkspaceReplaced:
    return WorkspaceReplaced(
        f"{path} is not the file any more that was opened; it is not read.",
        "Save a copy of what is open, or open the folder again.",
    )
