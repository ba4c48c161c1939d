"""Open a ledger for reading, also on read-only media."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from json import JSONDecodeError
from pathlib import Path
from urllib.parse import quote

from core.domain.errors import BadInput, UserError
from core.unfinished import temporary_folder

_BUSY_S = 5.0
_OF_RUNS = ("meta", "events", "pair_rows")


@contextmanager
def open_ledger(path: Path, tables: Sequence[str] = _OF_RUNS) -> Iterator[sqlite3.Connection | None]:
    """Open the ledger read-only within the context; None when nothing with these ``tables`` was written yet.

    SQLite cannot open a file in WAL mode in a folder that may not be written to, because it needs a shared index beside
    it. Such a ledger is copied with its WAL to a temporary folder and read there.

    Raises:
        BadInput: when the file is damaged.
    """
    if not path.is_file():
        yield None
        return
    with ExitStack() as stack:
        connection = _connect(path)
        stack.callback(connection.close)
        if not _opens(connection, path):
            copy = stack.enter_context(temporary_folder(prefix="pairwright-ledger-"))
            connection = _connect(_copy(path, copy))
            stack.callback(connection.close)
        try:
            yield connection if _has_tables(connection, tables) else None
        except sqlite3.DatabaseError as error:
            raise _clear(error, path) from error
        except JSONDecodeError as error:  # raised by who reads a row: a page was cut off or overwritten
            raise _damaged(path) from error


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
    connection.row_factory = sqlite3.Row
    return connection


def _opens(connection: sqlite3.Connection, path: Path) -> bool:
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        return True
    except sqlite3.DatabaseError as error:
        if any(word in str(error) for word in ("unable to open", "readonly")):
            return False
        raise _clear(error, path) from error


def _has_tables(connection: sqlite3.Connection, tables: Sequence[str]) -> bool:
    marks = ", ".join("?" * len(tables))
    found = connection.execute(f"SELECT COUNT(*) FROM sqlite_master WHERE name IN ({marks})", tuple(tables))
    return found.fetchone()[0] == len(tables)


def _copy(path: Path, folder: Path) -> Path:
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.is_file():
            shutil.copyfile(source, folder / source.name)
    return folder / path.name


def _damaged(path: Path) -> BadInput:
    return BadInput(
        f"The ledger {path} is damaged; it was not changed.",
        "Restore the folder from a copy. The checkpoints and the result beside it are files of their own.",
    )


def _clear(error: sqlite3.DatabaseError, path: Path) -> UserError:
    if "malformed" in str(error) or "not a database" in str(error):
        return _damaged(path)
    return UserError(f"The ledger {path} cannot be read: {error}.", "Try again; nothing was changed.")
