"""The one place that makes SQLite connections, so that all have the same settings.

Every pragma is read back: SQLite ignores a misspelt or unsupported one silently.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Literal

from core.domain.errors import UserError

Mode = Literal["ro", "rw", "rwc"]

APPLICATION_ID = 0x50524546
"""Marks a file as a workspace database ("PREF")."""
BUSY_MS = 5000

_EVERY: dict[str, int] = {
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "busy_timeout": BUSY_MS,
    "mmap_size": 0,
    "temp_store": 2,
}
_READER: dict[str, int] = {"query_only": 1, "wal_autocheckpoint": 0}
# The writer checkpoints by hand when it is idle, so that no label waits for a checkpoint. Its cache, in KiB, holds all
# pages that a batch of an import changes; with a smaller one they are written and read again before the commit.
_WRITER: dict[str, int] = {"synchronous": 2, "wal_autocheckpoint": 0, "cache_size": -16_384}
_MAC: dict[str, int] = {"fullfsync": 1, "checkpoint_fullfsync": 1}


def connect(path: Path, mode: Mode) -> sqlite3.Connection:
    """Open ``path`` in autocommit mode with the settings that every connection has.

    Args:
        path: the database file.
        mode: "ro" reads only and cannot write even by mistake; "rw" needs the file; "rwc" may create it.

    Raises:
        sqlite3.Error: when the file cannot be opened.
    """
    return _opened(path, f"mode={mode}", _READER if mode == "ro" else _WRITER)


def connect_alone(path: Path) -> sqlite3.Connection:
    """Open ``path`` for reading what the file itself holds, without its write-ahead log and without locks.

    Only for a look at a file that nobody changes meanwhile: what it reads then is undefined.

    Raises:
        sqlite3.Error: when the file cannot be opened.
    """
    return _opened(path, "mode=ro&immutable=1", _READER)


def _opened(path: Path, words: str, pragmas: dict[str, int]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{Path(path).resolve().as_uri()}?{words}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_MS / 1000,
    )
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        _set(connection, _EVERY)
        _set(connection, pragmas)
        if sys.platform == "darwin":
            _set(connection, _MAC)
    except BaseException:
        connection.close()
        raise
    return connection


def enter_wal(connection: sqlite3.Connection) -> None:
    """Switch the writer's file to write-ahead logging, so that readers never wait for it.

    Raises:
        UserError: where the file system cannot share memory between connections.
    """
    (journal,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if journal != "wal":
        raise UserError(
            "This folder's file system cannot hold an open workspace safely; nothing was changed.",
            "Move the workspace to a local disk.",
        )


def leave_wal(connection: sqlite3.Connection) -> bool:
    """Move the log into the file, so that a closed workspace is one file; False while another process reads it."""
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        (journal,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError:
        return False
    return journal == "delete"


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return the value of an integer pragma; one without an answer counts as 0 (a build without mmap)."""
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return int(row[0]) if row else 0


def _set(connection: sqlite3.Connection, values: dict[str, int]) -> None:
    for name, value in values.items():
        connection.execute(f"PRAGMA {name}={value}")
        if (found := pragma(connection, name)) != value:
            raise RuntimeError(f"SQLite refused PRAGMA {name}={value} and keeps {found}")
