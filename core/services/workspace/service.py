"""The workspace as a whole: counts, integrity check, backups, event log."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, NotFound, UserError
from core.store import events, overview
from core.store.chain.sealer import Head
from core.store.chain_head import chain_head
from core.store.search.index import SearchIndex
from core.store.sqlite import backups, integrity
from core.store.sqlite.connect import connect
from core.store.sqlite.database import Session, Store
from core.store.sqlite.errors import clear_errors
from core.store.sqlite.identity import SCHEMA, db_path, inspect

ActivityItem = events.Event
Account = overview.Account
BackupFile = backups.BackupFile
ChainHead = Head
Finding = integrity.Finding
ImportAccount = overview.ImportAccount


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    """Identity of a workspace, and its counts of pairs, prompts, labelled, labels, judgements, reviewers and more."""

    path: Path
    uuid: str
    name: str
    counts: dict[str, int]
    read_only: bool
    schema: int
    created_ms: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Result of *Check workspace*: ``ok`` unless something serious is wrong."""

    findings: tuple[Finding, ...]
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing serious was found."""
        return not any(f.serious for f in self.findings)


@dataclass(frozen=True, slots=True)
class Accounting:
    """What became of every imported row, and of every pair for every reviewer."""

    pairs: int
    labelled: int
    reviewers: tuple[Account, ...]
    imports: tuple[ImportAccount, ...]

    @property
    def adds_up(self) -> bool:
        """Whether rows = imported + duplicates + rejected, and no reviewer has more labels than there are pairs."""
        rows = all(i.rows == i.imported + i.duplicates + i.rejected for i in self.imports)
        return rows and all(a.open >= 0 for a in self.reviewers) and self.labelled <= self.pairs


class WorkspaceService:
    """Counts, checks and backs up the workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def info(self) -> WorkspaceInfo:
        """Return identity and counts; costs a few milliseconds at any size."""
        with self._store.read() as session:
            meta, counts = overview.meta(session), overview.counts(session)
        size = self._store.path.stat().st_size
        return WorkspaceInfo(
            self._store.folder,
            meta["uuid"],
            meta.get("name", ""),
            counts,
            self._store.read_only,
            SCHEMA,
            int(meta.get("created_ms", 0)),
            size,
        )

    def rename(self, name: str) -> Outcome[str]:
        """Rename the workspace; its folder keeps its name."""
        name = name.strip()
        if not name:
            raise BadInput("A workspace needs a name.")
        self._store.write(lambda session: overview.rename(session, name), "renaming the workspace")
        return Outcome(name, Changes.WORKSPACE)

    def check(self, on_progress: integrity.Progress | None = None) -> CheckReport:
        """Check pages, references, chains, counts, contents and frozen hashes; delete a search index that is wrong.

        The index is made from the pairs, so nothing is lost with it; searches are slow until it is made anew.
        """
        began = time.monotonic()
        with clear_errors("checking the workspace"), closing(connect(self._store.path, "ro")) as connection:
            connection.execute("BEGIN")
            found = integrity.run(connection, self._store.folder, on_progress)
        with self._store.read() as session:
            counts = overview.counts(session)
            index = SearchIndex(self._store.folder, self._store.uuid, read_only=self._store.read_only)
            if wrong := index.verify(session):
                found += [Finding("search index", f"{text} It is made anew.", serious=False) for text in wrong]
                index.drop()
        return CheckReport(tuple(found), counts, time.monotonic() - began)

    def backup(self, to: Path | None = None, why: str = "manual") -> Path:
        """Make a verified copy of the database, into the backups folder or to ``to``; thin the folder by age.

        Raises:
            WorkspaceDamaged: the file is damaged; no copy was kept and none was removed.
            UserError: the copy could not be written.
        """
        if to is not None and Path(to).exists():
            raise BadInput(f"{to} exists already; nothing was written.", "Choose another name.")
        path = backups.make(self._store.path, self._store.copy_to, why, None if to is None else Path(to))
        if to is None:
            backups.thin(self._store.folder)
        return path

    def chain_head(self) -> ChainHead:
        """Return the last entry of the hash chain: who notes it elsewhere can prove later that nothing was altered."""
        with self._store.read() as session:
            return chain_head(session)

    def activity(self, limit: int = 50, before_id: int | None = None) -> list[ActivityItem]:
        """Return what happened, newest first; ``before_id`` continues a page."""
        with self._store.read() as session:
            return events.latest(session, limit, before_id)

    def accounting(self) -> Accounting:
        """Return what became of every imported row and of every pair for every reviewer."""
        with self._store.read() as session:
            counts = overview.counts(session)
            reviewers = tuple(overview.accounts(session))
            return Accounting(counts["pairs"], counts["labelled"], reviewers, tuple(overview.import_accounts(session)))

    def setting(self, key: str, default: str = "") -> str:
        """Return a setting of the workspace, as JSON text."""
        with self._store.read() as session:
            return overview.setting(session, key, default)

    def set_setting(self, key: str, value: str) -> Outcome[None]:
        """Store a setting of the workspace, as JSON text."""

        def job(session: Session) -> None:
            overview.set_setting(session, key, value)

        self._store.write(job, "saving a setting")
        return Outcome(None, Changes.SETTINGS)


def restore(backup: Path, to: Path) -> Path:
    """Make a new workspace folder at ``to`` from a backup file; no workspace is ever overwritten.

    Raises:
        BadInput: ``to`` is not an empty place, or the backup is not a sound workspace file.
    """
    backup, to = Path(backup), Path(to)
    if not backup.is_file():
        raise NotFound(f"There is no backup file {backup}.", "Name one of the files in a backups folder.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BadInput(f"{to} is not an empty folder; nothing was written there.", "Choose a new folder.")
    inspect(backup)
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{to} cannot be made: {error.strerror or error}.", "Choose another place.") from error

    def copy(target: Path) -> None:
        with closing(connect(backup, "ro")) as source, closing(connect(target, "rwc")) as sink:
            source.backup(sink)

    backups.make(backup, copy, "restore", db_path(to))
    return to


def backups_of(folder: Path) -> list[BackupFile]:
    """Return the copies in a workspace's backups folder, newest first, without opening the workspace."""
    return backups.listed(Path(folder))


def is_workspace(folder: Path) -> bool:
    """Return whether ``folder`` holds a workspace file, without opening it."""
    return db_path(Path(folder)).is_file()
