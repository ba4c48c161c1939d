"""Decides what a file is before anything is written: a workspace, foreign, newer, older, empty or damaged."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.domain.errors import NotFound, WorkspaceDamaged, WorkspaceNewer
from core.store.sqlite.connect import APPLICATION_ID, connect, pragma

DB_FILE = "workspace.db"
SCHEMA = 10
"""The schema number this program reads and writes; equals the number of the newest migration."""
_QUICK_CHECK_BELOW = 48 * 1024 * 1024
"""Files up to this size are checked in full on opening (about 0.1 s); larger ones by *Check workspace*."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What was read from the file's header and meta table."""

    schema: int
    uuid: str


def db_path(folder: Path) -> Path:
    """Return the database file of a workspace folder."""
    return Path(folder) / DB_FILE


def inspect(path: Path, *, recover: bool = False) -> Identity:
    """Check that ``path`` is a workspace database this program may open; write nothing to it.

    Args:
        path: the database file.
        recover: the caller holds the workspace lock, so an interrupted change may be rolled back first.

    Raises:
        NotFound: there is no such file.
        WorkspaceDamaged: it is empty, not a plain file, foreign, or broken.
        WorkspaceNewer: a newer program made it.
    """
    _plain_file(path)
    try:
        return _read(path, "ro")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if recover and name in ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_CANTOPEN"):
            try:
                return _read(path, "rw")
            except sqlite3.Error as second:
                error = second
        raise WorkspaceDamaged(
            f"{path.name} in {path.parent} cannot be read as a workspace ({error}); nothing was written to it.",
            "If it was one, restore the newest copy in its backups folder.",
        ) from error


def quick_check(connection: sqlite3.Connection, limit: int = 20) -> list[str]:
    """Return what SQLite's quick_check finds wrong with pages and types; empty when it finds nothing."""
    usual = connection.text_factory
    # A report on a damaged file may quote bytes that are no UTF-8.
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        rows = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({limit})")]
    finally:
        connection.text_factory = usual
    # The first row may be a heading and several findings, one a line.
    found = [line for row in rows for line in row.splitlines() if not line.startswith("***")]
    return [] if rows == ["ok"] else found or rows


def _read(path: Path, mode: str) -> Identity:
    with closing(connect(path, "ro" if mode == "ro" else "rw")) as connection:
        application, schema = pragma(connection, "application_id"), pragma(connection, "user_version")
        if application != APPLICATION_ID:
            raise WorkspaceDamaged(
                f"{path} is a database of another program, not a workspace; nothing was written to it.",
                "Choose the folder of a workspace.",
            )
        if schema > SCHEMA:
            raise WorkspaceNewer(
                f"This workspace has format {schema}; this version of Pairwright reads up to {SCHEMA}. "
                "Nothing was written to it.",
                "Update Pairwright.",
            )
        if path.stat().st_size <= _QUICK_CHECK_BELOW and (found := quick_check(connection)):
            raise WorkspaceDamaged(
                f"{path} is damaged ({found[0]}); nothing was written to it.",
                "Restore the newest sound copy in its backups folder.",
            )
        row = connection.execute("SELECT value FROM meta WHERE key='uuid'").fetchone()
        if row is None:
            raise WorkspaceDamaged(f"{path} lacks its identity; nothing was written to it.", "Restore a backup.")
        return Identity(schema, row[0])


def _plain_file(path: Path) -> None:
    try:
        info = path.stat()
    except FileNotFoundError as error:
        raise NotFound(
            f"{path.parent} holds no workspace.", "Choose another folder, or make a workspace there."
        ) from error
    except OSError as error:
        raise WorkspaceDamaged(
            f"{path} cannot be read: {error.strerror}.", "Check the folder and its rights."
        ) from error
    if not stat.S_ISREG(info.st_mode):
        raise WorkspaceDamaged(f"{path} is not a file; nothing was written.", "Choose the folder of a workspace.")
    if info.st_size == 0:
        raise WorkspaceDamaged(
            f"{path} is empty; nothing was written to it.", "Restore the newest copy in its backups folder."
        )
