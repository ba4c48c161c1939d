"""The workspace as a whole: counts, integrity check, backups, event log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted, size_words, verb
from core.domain.errors import BadInput, UserError
from core.domain.judgement import ReviewerKind
from core.domain.names import checked_name
from core.place_risks import place_risks
from core.services.importing import downloads
from core.services.workspace import folder_checks, missing_work, restoring
from core.store import events, overview
from core.store.chain.sealer import Head
from core.store.chain_head import chain_head
from core.store.search.index import SearchIndex
from core.store.sqlite import backups, integrity
from core.store.sqlite.connect import connect
from core.store.sqlite.copy_check import problems as copy_problems
from core.store.sqlite.database import Session, Store
from core.store.sqlite.errors import clear_errors
from core.store.sqlite.identity import SCHEMA, db_path

ActivityItem = events.Event
Account = overview.Account
BackupFile = backups.BackupFile
ChainHead = Head
Finding = integrity.Finding
ImportAccount = overview.ImportAccount
Loss = missing_work.Loss
restore = restoring.restore


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
        name = checked_name(name, "workspace")
        self._store.write(lambda session: overview.rename(session, name), "renaming the workspace")
        return Outcome(name, Changes.WORKSPACE)

    def check(self, on_progress: integrity.Progress | None = None, exports: Sequence[Path] = ()) -> CheckReport:
        """Check pages, references, counts, contents, the hash chain, run folders, exports and backups, and for losses.

        Exports are those in the workspace's folder and the folders ``exports``.

        A search index that is wrong is deleted: it is made from the pairs, so nothing is lost with it; searches are
        slow until it is made anew.
        """
        began = time.monotonic()
        lost = self.losses()
        with clear_errors("checking the workspace"), closing(connect(self._store.path, "ro")) as connection:
            connection.execute("BEGIN")
            found = integrity.run(connection, self._store.folder, on_progress)
            found += folder_checks.findings(connection, self._store.folder, exports)
        with self._store.read() as session:
            counts = overview.counts(session)
            index = SearchIndex(self._store.folder, self._store.uuid, read_only=self._store.read_only)
            if wrong := index.verify(session):
                found += [Finding("search index", f"{text} It is made anew.", serious=False) for text in wrong]
                index.drop()
        found += _downloaded(self._store.folder)
        found += [integrity.Finding("saved work", f"{loss.words} {self.newest_backup()}") for loss in lost]
        return CheckReport(tuple(found), counts, time.monotonic() - began)

    def backup(self, to: Path | None = None, why: str = "manual") -> Path:
        """Make a verified copy of the database, into the backups folder or to ``to``; thin the folder by age.

        Raises:
            WorkspaceDamaged: the file is damaged; no copy was kept and none was removed.
            UserError: the copy could not be written.
        """
        if to is not None and Path(to).exists():
            raise BadInput(f"{to} exists already; nothing was written.", "Choose another name.")
        return self._store.backup(why, None if to is None else Path(to))

    def backup_if_changed(self, why: str) -> Path | None:
        """Make a verified copy when anything was added since the newest one; None when nothing was.

        Raises:
            UserError: see :meth:`backup`.
        """
        return self._store.backup(why) if self._store.changed_since_backup() else None

    def backups(self) -> list[BackupFile]:
        """Return the copies in the backups folder with their counts, newest first; some milliseconds a file."""
        return backups.described(self._store.folder)

    def place_problem(self) -> UserError | None:
        """Return what happened to the open file or its lock (moved, deleted, replaced); None when all is well."""
        return self._store.place_problem()

    def rescue(self, to: Path | None = None) -> Path:
        """Copy the database that is held open although its name is gone.

        Args:
            to: a new folder, which becomes a workspace; without it the copy is one file in the backups folder, or
                where that is gone too, in the user's data folder.

        Returns:
            The folder ``to``, or the file.
        """
        if to is None:
            return self._store.rescue()
        return restoring.fill_folder(Path(to), self._store.rescue, self._store.held_size())

    def put_back(self) -> bool:
        """Write what is held open under the workspace's name again, when no file has it; return whether that was done.

        Raises:
            UserError: the copy could not be written.
        """
        free = self._store.folder.is_dir() and not self._store.path.exists()
        if free and self.place_problem() is not None:
            self._store.rescue(self._store.path)
            return True
        return False

    def restore_backup(self, backup: Path, to: Path) -> Path:
        """Make a new workspace at ``to`` from a backup; this one is copied before, if anything was added to it.

        Raises:
            UserError: see :func:`restore`.
        """
        if self.place_problem() is None:
            self._store.copy_before("restore")
        return restoring.restore(backup, to)

    def record_losses(self) -> None:
        """Store in the workspace what its opening found missing; called once after opening."""
        missing_work.record(self._store)

    def losses(self) -> list[Loss]:
        """Return what was saved once and is missing now, until :meth:`accept_losses`."""
        return missing_work.found(self._store)

    def accept_losses(self) -> Outcome[int]:
        """Stop telling of what is missing; the event log keeps it, and that it was accepted."""
        return Outcome(missing_work.accept(self._store), Changes.WORKSPACE)

    def newest_backup(self) -> str:
        """Return a sentence that names the newest backup that can be read."""
        return missing_work.newest_backup_words(self._store)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Let ``listener`` get sentences that stop nothing, such as a copy that could not be made; on any thread."""
        self._store.listener = listener

    def notes(self, *, with_losses: bool = True) -> list[str]:
        """Return what the user should know about this opening: changes on the way, unsafe places, missing work."""
        risks = [risk.words for risk in place_risks(self._store.folder)]
        if not with_losses:
            return [*self._store.notes, *risks]
        lost = [f"{loss.words} {self.newest_backup()}" for loss in self.losses()]
        return [*self._store.notes, *risks, *lost]

    def chain_head(self) -> ChainHead:
        """Return the last entry of the hash chain: who notes it elsewhere can prove later that nothing was altered."""
        with self._store.read() as session:
            return chain_head(session)

    def activity(self, limit: int = 50, before_id: int | None = None) -> list[ActivityItem]:
        """Return what happened, newest first; ``before_id`` continues a page."""
        with self._store.read() as session:
            return events.latest(session, limit, before_id)

    def labels_by_kind(self) -> dict[ReviewerKind, int]:
        """Return how many labels count now, by who made them: people, imported files, stated rules."""
        with self._store.read() as session:
            return overview.labels_by_kind(session)

    def labels_by_reviewer(self) -> dict[int, int]:
        """Return reviewer -> labels that count now."""
        with self._store.read() as session:
            return overview.labels_by_reviewer(session)

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


def backups_of(folder: Path) -> list[BackupFile]:
    """Return the copies in a workspace's backups folder, newest first, with counts, without opening the workspace."""
    return backups.described(Path(folder))


def check_backup(path: Path) -> str:
    """Return what is wrong with a copy; empty when it passes what *Check workspace* looks for. Seconds when large."""
    return next(iter(copy_problems(Path(path))), "")


def is_workspace(folder: Path) -> bool:
    """Return whether ``folder`` holds a workspace file, without opening it."""
    return db_path(Path(folder)).is_file()


def _downloaded(folder: Path) -> list[Finding]:
    """Return a note about the files downloaded from the hub, which nothing removes by itself."""
    files = downloads.listed(folder)
    if not files:
        return []
    size = size_words(sum(one.size for one in files))
    told = f"{counted(len(files), 'downloaded file')} in downloads {verb(len(files), 'takes', 'take')} {size}."
    hint = "Pairs that were imported do not need them: downloads WORKSPACE --clear removes them."
    return [Finding("downloads", told, serious=False, hint=hint)]
