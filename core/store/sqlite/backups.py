"""Verified copies of the workspace database, and which of them are kept.

A copy counts only after its contents passed the same checks as *Check workspace* and its numbers of rows equal those of
the source at that moment. It is made under a temporary name in the same folder, synced and renamed.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from core import durable
from core.domain.errors import StorageFull, UserError, WorkspaceDamaged
from core.domain.ids import new_uid
from core.private_files import create_private_file, follow_folder, make_private_folder
from core.store.sqlite.connect import APPLICATION_ID, connect, pragma
from core.store.sqlite.copy_check import problems
from core.store.sqlite.errors import clear_errors
from core.unfinished import noted

BACKUP_DIR = "backups"
UNCHECKED = ".unchecked"
_TIME_FORMAT = "%Y%m%d-%H%M%S"
_KEEP_ALL = timedelta(days=2)
_DAILY, _WEEKLY, _MONTHLY = 12, 10, 9
_NEVER_FEWER = 3
_COUNTED = ("reviewer", "pair", "rubric_version", "presentation", "judgement", "dataset", "dataset_item", "event_log")
_SHOWN = {"reviewers": "reviewer", "rubric_versions": "rubric_version", "datasets": "dataset"}

Counts = dict[str, int]
Copy = Callable[[Path], Counts]
"""Writes one state of a database into an empty file and returns the row counts of that state in the source."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One copy.

    Attributes:
        path: where it lies.
        made: local time. why: "manual", "before-import", "timer". size: in bytes.
        uuid: of the workspace it is a copy of; "" when the file cannot be read or was not opened.
        counts: pairs, judgements, labels, events, reviewers, rubric versions and dataset versions in it.
        problem: why it cannot be used; "" when it can.
    """

    path: Path
    made: datetime
    why: str
    size: int
    uuid: str = ""
    counts: Counts = field(default_factory=dict)
    problem: str = ""


def copy_file(path: Path, why: str) -> Path:
    """Copy a database file that no writer of ours has open into its backups folder; see :func:`make`."""
    return make(path.parent / BACKUP_DIR, lambda target: copy_snapshot(path, target), why)


def copy_snapshot(path: Path, target: Path) -> Counts:
    """Copy one state of ``path`` into ``target`` while its writer may go on; the writer never waits for it."""
    with clear_errors("making a backup"), closing(connect(path, "ro")) as source:
        source.execute("BEGIN")
        counts = row_counts(source)
        with closing(connect(target, "rw")) as sink:
            source.backup(sink)
        return counts


def make(folder: Path, copy: Copy, why: str, target: Path | None = None, *, checked: bool = True) -> Path:
    """Make a verified copy that appears complete or not at all.

    Args:
        folder: of the copies; made when missing.
        copy: writes one consistent state into the file it is given.
        why: part of the file name: "manual", "before-import".
        target: the file to make instead of one named by time and reason.
        checked: False leaves the check of the contents to :func:`finish`; until then the file has another ending and
            counts as no backup.

    Raises:
        WorkspaceDamaged: the source is damaged; no copy was kept, so that it replaces no good one.
        UserError: the copy could not be written or verified.
    """
    final = target or _free_name(folder, f"workspace-{time.strftime(_TIME_FORMAT, time.localtime())}-{why}")
    tmp = final.parent / f"{durable.TMP_PREFIX}{new_uid()}.db"
    try:
        if target is None:
            make_private_folder(folder)
        else:
            final.parent.mkdir(parents=True, exist_ok=True)
        with noted(tmp):
            create_private_file(tmp)
            counts = copy(tmp)
            _one_file(tmp)
            _require_same_rows(tmp, counts)
            if checked:
                _require_sound(tmp)
            else:
                final = Path(f"{final}{UNCHECKED}")
            durable.Ops().sync_file(tmp)
            tmp.replace(final)
            durable.Ops().sync_dir(final.parent)
            follow_folder(final)
    except OSError as error:
        raise _unwritten(error, final.parent) from error
    finally:
        for left in (tmp, Path(f"{tmp}-journal"), Path(f"{tmp}-wal"), Path(f"{tmp}-shm")):
            left.unlink(missing_ok=True)
    return final


def finish(unchecked: Path) -> Path:
    """Check the contents of a copy that :func:`make` left unchecked; it then is a backup, or is removed.

    Raises:
        WorkspaceDamaged: its contents are damaged, and so are those of the workspace.
        UserError: it cannot be read or renamed.
    """
    final = unchecked.with_name(unchecked.name.removesuffix(UNCHECKED))
    try:
        _require_sound(unchecked)
        durable.move(unchecked, final)
    except WorkspaceDamaged:
        unchecked.unlink(missing_ok=True)
        raise
    except OSError as error:
        raise _unwritten(error, final.parent) from error
    return final


def unchecked_in(folder: Path) -> list[Path]:
    """Return the copies in a workspace's backups folder whose contents nobody has checked yet."""
    return sorted((folder / BACKUP_DIR).glob(f"workspace-*.db{UNCHECKED}"))


def _unwritten(error: OSError, folder: Path) -> UserError:
    kind = StorageFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else UserError
    return kind(
        f"The backup cannot be written to {folder}: {error.strerror or error}. The workspace is untouched.",
        "Free some space or choose another place.",
    )


def listed(folder: Path) -> list[BackupFile]:
    """Return the copies in a workspace's backups folder, newest first, without opening them."""
    found: list[tuple[datetime, int, BackupFile]] = []
    for path in (folder / BACKUP_DIR).glob("workspace-*.db"):
        parts = path.stem.split("-", 3)
        try:
            made = datetime.strptime("-".join(parts[1:3]), _TIME_FORMAT)  # noqa: DTZ007 - file names carry local time
            about = path.stat()
        except (ValueError, OSError):
            continue
        backup = BackupFile(path, made, parts[3] if len(parts) > 3 else "", about.st_size)
        found.append((made, about.st_mtime_ns, backup))
    return [backup for _, _, backup in sorted(found, key=lambda entry: entry[:2], reverse=True)]


def described(folder: Path) -> list[BackupFile]:
    """Return the copies newest first, each with its workspace and counts; some milliseconds a file."""
    return [_described(backup) for backup in listed(folder)]


def newest(folder: Path, uuid: str) -> BackupFile | None:
    """Return the newest copy of this workspace that can be read, None when there is none."""
    found = map(_described, listed(folder))
    return next((backup for backup in found if not backup.problem and backup.uuid == uuid), None)


def _described(backup: BackupFile) -> BackupFile:
    path, plain = backup.path, (backup.path, backup.made, backup.why, backup.size)
    try:
        with closing(connect(path, "ro")) as connection:
            if pragma(connection, "application_id") != APPLICATION_ID:
                return BackupFile(*plain, problem="It is no workspace file.")
            if pragma(connection, "page_count") * pragma(connection, "page_size") != backup.size:
                return BackupFile(*plain, problem="It was cut short.")
            (uuid,) = connection.execute("SELECT value FROM meta WHERE key='uuid'").fetchone()
            counts = dict(connection.execute("SELECT name, value FROM counter").fetchall())
            (counts["events"],) = connection.execute("SELECT coalesce(max(id),0) FROM event_log").fetchone()
            for name, table in _SHOWN.items():
                (counts[name],) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    except (sqlite3.Error, OSError, TypeError, ValueError):
        return BackupFile(*plain, problem="It cannot be read.")
    return BackupFile(*plain, uuid, counts)


def thin(folder: Path, now: datetime | None = None) -> list[Path]:
    """Remove superfluous copies and return them. Nothing is removed while a copy is dated in the future.

    A copy that cannot be read any more neither counts nor is removed: it makes no good one superfluous.
    """
    now = now or datetime.now()  # noqa: DTZ005 - compared with file names
    files = listed(folder)
    if not superfluous(files, now):
        return []
    gone = [b.path for b in superfluous([b for b in map(_described, files) if not b.problem], now)]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def superfluous(files: Sequence[BackupFile], now: datetime) -> list[BackupFile]:
    """Return which of ``files`` to remove.

    All copies of two days are kept, then one a day, a week, a month, and always the last three.
    """
    ordered = sorted(files, key=lambda b: b.made, reverse=True)
    if ordered and ordered[0].made > now + timedelta(minutes=5):
        return []  # the clock is or was wrong, so that ages mean nothing
    keep = {b.path for b in ordered[:_NEVER_FEWER]} | {b.path for b in ordered if now - b.made <= _KEEP_ALL}
    old = [b for b in ordered if now - b.made > _KEEP_ALL]
    for count, bucket in (
        (_DAILY, lambda t: t.date()),
        (_WEEKLY, lambda t: t.isocalendar()[:2]),
        (_MONTHLY, lambda t: (t.year, t.month)),
    ):
        newest_in: dict[object, BackupFile] = {}
        for backup in old:
            newest_in.setdefault(bucket(backup.made), backup)
        keep |= {b.path for b in list(newest_in.values())[:count]}
    return [b for b in ordered if b.path not in keep]


def hold_the_same(one: Path, other: Path) -> bool:
    """Whether two database files are copies of one state of one workspace, as far as identity and row counts tell."""
    try:
        with closing(connect(one, "ro")) as a, closing(connect(other, "ro")) as b:
            return _state(a) == _state(b)
    except sqlite3.Error:
        return False


def _state(connection: sqlite3.Connection) -> tuple[object, ...]:
    meta = connection.execute("SELECT key, value FROM meta ORDER BY key").fetchall()
    return pragma(connection, "user_version"), meta, row_counts(connection)


def row_counts(connection: sqlite3.Connection) -> Counts:
    """Return the row counts that a copy must share with its source."""
    present = {r[0] for r in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    tables = [t for t in _COUNTED if t in present]
    return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def _one_file(path: Path) -> None:
    """Turn write-ahead logging off in the copy, so that it opens from read-only media."""
    with clear_errors("making a backup"), closing(connect(path, "rw")) as raw:
        raw.execute("PRAGMA journal_mode=DELETE").fetchone()


def _require_sound(copy: Path) -> None:
    if found := problems(copy):
        raise WorkspaceDamaged(
            f"The workspace file is damaged ({found[0].rstrip('.')}). No backup was kept, so older good ones stay.",
            "Run Check workspace, and restore a good copy.",
        )


def _require_same_rows(copy: Path, counts: Counts) -> None:
    with clear_errors("checking the backup"), closing(connect(copy, "ro")) as made:
        if row_counts(made) != counts:
            raise UserError("The backup does not match the workspace and was deleted.", "Try again.")


def _free_name(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.db", 2
    while path.exists() or Path(f"{path}{UNCHECKED}").exists():
        path, number = folder / f"{stem}-{number}.db", number + 1
    return path
