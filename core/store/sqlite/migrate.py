"""Making and upgrading ``workspace.db``: forward only, in one transaction, after a verified copy.

Alembic runs the numbered modules in ``migrations/versions`` without an ini file, on a connection of the one
factory, inside one BEGIN IMMEDIATE. Foreign keys are off around it, because a table rebuild with them on deletes
or breaks child rows; they are checked in full before the commit.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from core import durable
from core.domain.errors import StorageFull, UserError, WorkspaceDamaged
from core.domain.ids import new_uid
from core.private_files import create_private_file
from core.store.sqlite.connect import APPLICATION_ID, connect, pragma
from core.store.sqlite.errors import clear_errors
from core.store.sqlite.identity import SCHEMA, quick_check
from core.unfinished import noted

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_ROOM = 2.5
"""Free space an upgrade needs, in file sizes: the copy, the rewritten tables, and a reserve."""

Backup = Callable[[Path, str], Path]
"""Makes a verified copy of a database file; the second argument says what for."""


def build(target: Path, *, name: str, created_by: str) -> None:
    """Make a new workspace database that appears at ``target`` complete or not at all.

    Raises:
        UserError: when the folder cannot be written to or is full.
    """
    tmp = target.parent / f"{durable.TMP_PREFIX}{new_uid()}.db"
    try:
        create_private_file(tmp)
        with noted(tmp), clear_errors("making the workspace"), closing(connect(tmp, "rw")) as raw:
            with _transaction(raw) as connection:
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                _upgrade(connection, MIGRATIONS, SCHEMA)
                rows = {
                    "uuid": new_uid(),
                    "name": name,
                    "created_by": created_by,
                    "created_ms": str(int(time.time() * 1000)),
                }
                for row in rows.items():
                    connection.exec_driver_sql("INSERT INTO meta(key, value) VALUES(?, ?)", row)
        tmp.replace(target)
        durable.Ops().sync_dir(target.parent)
    except OSError as error:
        raise UserError(
            f"The workspace could not be made in {target.parent}: {error.strerror or error}.",
            "Choose a folder that you may write to.",
        ) from error
    finally:
        for left in (tmp, Path(f"{tmp}-journal")):
            left.unlink(missing_ok=True)


def migrate(path: Path, backup: Backup, *, scripts: Path = MIGRATIONS, target: int = SCHEMA) -> Path:
    """Bring an older workspace to schema ``target``; the caller holds the workspace lock.

    Returns:
        The verified copy that was made before.

    Raises:
        UserError: nothing was changed; the file is as it was, or was restored from the copy.
    """
    _need_room(path)
    copy = backup(path, f"before-format-{target}")
    try:
        with closing(connect(path, "rw")) as raw:
            with _transaction(raw) as connection:
                _upgrade(connection, scripts, target)
                if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                    raise WorkspaceDamaged(f"The upgrade would leave {len(broken)} rows without their parent.")
            if found := quick_check(raw):
                raise WorkspaceDamaged(f"The upgraded file is damaged: {found[0]}.")
    except BaseException as error:
        _restore(path, copy)
        raise UserError(
            f"The workspace could not be brought to format {target} ({error}). It is as it was before.",
            f"A copy lies at {copy}. Please report this.",
        ) from error
    return copy


@contextmanager
def _transaction(raw: sqlite3.Connection) -> Iterator[Connection]:
    """One explicit transaction on ``raw`` with foreign keys off outside it; rolls back on any error."""
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.connect() as connection:  # given back while ``raw`` is open, also where nothing could be begun
        raw.execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            yield connection
    raw.execute("PRAGMA foreign_keys=ON")
    assert pragma(raw, "foreign_keys") == 1


def _upgrade(connection: Connection, scripts: Path, target: int) -> None:
    # Imported here because alembic takes 0.4 s to import and only a new or older workspace needs it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, f"{target:04d}")
    connection.exec_driver_sql(f"PRAGMA user_version={int(target)}")


def _need_room(path: Path) -> None:
    need, free = int(path.stat().st_size * _ROOM), shutil.disk_usage(path.parent).free
    if free < need:
        raise StorageFull(
            f"Upgrading needs {need // 2**20 + 1} MB and {free // 2**20} MB are free; nothing was changed.",
            "Free some space and open the workspace again.",
        )


def _restore(path: Path, copy: Path) -> None:
    """Put the copy's pages back if the upgrade got as far as committing; a rolled-back file is left alone."""
    with closing(connect(path, "ro")) as now, closing(connect(copy, "ro")) as before:
        same = pragma(now, "user_version") == pragma(before, "user_version")
        sound = same and not quick_check(now)
    if sound:
        return
    with closing(connect(copy, "ro")) as before, closing(connect(path, "rw")) as now:
        before.backup(now)
