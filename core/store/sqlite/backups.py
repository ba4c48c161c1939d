"""Verified copies of the workspace database, and which of them are kept."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core import durable
from core.domain.errors import UserError, WorkspaceDamaged
from core.domain.ids import new_uid
from core.store.sqlite.connect import connect, pragma
from core.store.sqlite.errors import clear_errors
from core.store.sqlite.identity import quick_check

BACKUP_DIR = "backups"
_TIME_FORMAT = "%Y%m%d-%H%M%S"
_KEEP_ALL = timedelta(days=2)
_DAILY, _WEEKLY, _MONTHLY = 12, 10, 9
_NEVER_FEWER = 3
_COUNTED = ("reviewer", "pair", "rubric_version", "presentation", "judgement", "dataset", "dataset_item", "event_log")


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One copy: where it lies, when it was made, what for, and its size in bytes."""

    path: Path
    made: datetime
    why: str
    size: int


def copy_file(path: Path, why: str) -> Path:
    """Copy a database file that no writer of ours has open; see :func:`make`."""

    def copy(target: Path) -> None:
        with clear_errors("making a backup"):
            with closing(connect(path, "ro")) as source, closing(connect(target, "rwc")) as sink:
                source.backup(sink)

    return make(path, copy, why)


def make(path: Path, copy: Callable[[Path], None], why: str, target: Path | None = None) -> Path:
    """Make a verified copy of ``path`` that appears complete or not at all.

    Args:
        path: the workspace database.
        copy: writes one consistent state into the file it is given.
        why: part of the file name: "manual", "before-import".
        target: where to put it; into the workspace's backups folder when None.

    Raises:
        WorkspaceDamaged: the source is damaged; no copy was kept, so that it replaces no good one.
        UserError: the copy could not be written or verified.
    """
    timestamp = time.strftime(_TIME_FORMAT, time.localtime())
    final = target or _free_name(path.parent / BACKUP_DIR, f"workspace-{timestamp}-{why}")
    tmp = final.parent / f"{durable.TMP_PREFIX}{new_uid()}.db"
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        copy(tmp)
        _one_file(tmp)
        _verify(path, tmp)
        durable.Ops().sync_file(tmp)
        tmp.replace(final)
        durable.Ops().sync_dir(final.parent)
    except OSError as error:
        raise UserError(
            f"The backup cannot be written to {final.parent}: {error.strerror or error}. The workspace is untouched.",
            "Free some space or choose another place.",
        ) from error
    finally:
        for left in (tmp, Path(f"{tmp}-journal"), Path(f"{tmp}-wal"), Path(f"{tmp}-shm")):
            left.unlink(missing_ok=True)
    return final


def listed(folder: Path) -> list[BackupFile]:
    """Return the copies in a workspace's backups folder, newest first."""
    found = []
    for path in (folder / BACKUP_DIR).glob("workspace-*.db"):
        parts = path.stem.split("-", 3)
        try:
            made = datetime.strptime("-".join(parts[1:3]), _TIME_FORMAT)  # noqa: DTZ007 - file names carry local time
        except ValueError:
            continue
        found.append(BackupFile(path, made, parts[3] if len(parts) > 3 else "", path.stat().st_size))
    return sorted(found, key=lambda b: (b.made, b.path.name), reverse=True)


def thin(folder: Path, now: datetime | None = None) -> list[Path]:
    """Remove superfluous copies and return them. Nothing is removed while a copy is dated in the future."""
    files = listed(folder)
    gone = [b.path for b in superfluous(files, now or datetime.now())]  # noqa: DTZ005 - compared with file names
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
        newest: dict[object, BackupFile] = {}
        for backup in old:
            newest.setdefault(bucket(backup.made), backup)
        keep |= {b.path for b in list(newest.values())[:count]}
    return [b for b in ordered if b.path not in keep]


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the row counts that a copy must share with its source."""
    present = {r[0] for r in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")}
    tables = [t for t in _COUNTED if t in present]
    return {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}


def _one_file(path: Path) -> None:
    """Turn write-ahead logging off in the copy, so that it opens from read-only media."""
    with closing(connect(path, "rw")) as raw:
        raw.execute("PRAGMA journal_mode=DELETE").fetchone()


def _verify(path: Path, copy: Path) -> None:
    with clear_errors("checking the backup"), closing(connect(copy, "ro")) as made:
        if found := quick_check(made):
            raise WorkspaceDamaged(
                f"The workspace file is damaged ({found[0]}); no backup was kept, so that older good ones stay.",
                "Run Check workspace, and restore a good copy.",
            )
        with closing(connect(path, "ro")) as source:
            same = pragma(source, "user_version") == pragma(made, "user_version")
            before, after = row_counts(source), row_counts(made)
        # Labels may have been added since the copy was taken; nothing is ever removed.
        if not same or any(after[t] > before.get(t, 0) for t in after):
            raise UserError("The backup does not match the workspace and was deleted.", "Try again.")


def _free_name(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.db", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.db", number + 1
    return path
