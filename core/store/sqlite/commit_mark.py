"""How far the workspace had been written, noted beside the database, so that a lost write-ahead log is noticed.

SQLite keeps the newest commits in ``workspace.db-wal`` until the writer moves them into the database. If that file is
deleted after a crash, or an older copy is put in place of the database, the database is sound and merely lacks its
newest rows: nothing in it tells. Therefore the writer notes after each commit how many judgements, pairs and logged
events there are, and the head of the hash chain: another state with as many rows has another head.

The note is written after COMMIT returned and is not synced with it: no label waits for a second sync. It is never ahead
of the database. What it can miss: after a power cut, what the system had not yet written of it (on Linux up to 30
seconds). After kill -9 it is exact. It is synced when the writer is idle and on closing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from core.domain.clock import now_ms
from core.private_files import FILE_MODE, follow_folder

MARK_FILE = ".last-commit"
_LENGTH = 512
"""Bytes of the file, always the same, so that a full disk cannot stop the note from being written."""

Place = tuple[int, int]
"""Device and inode of a file."""


@dataclass(frozen=True, slots=True)
class CommitMark:
    """How much a workspace held after a commit.

    Attributes:
        judgements, pairs, events: numbers of rows that only grow.
        at_ms: when it was noted, UTC milliseconds.
        uuid: of the workspace.
        database, log: device and inode of the database and of its write-ahead log, (0, 0) when not known.
        head: number and hash of the last entry of the hash chain, "17:3f2a..."; "" when not known.
    """

    judgements: int
    pairs: int
    events: int
    at_ms: int = 0
    uuid: str = ""
    database: Place = (0, 0)
    log: Place = (0, 0)
    head: str = ""

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of rows."""
        return self.judgements, self.pairs, self.events

    def lead(self, other: CommitMark) -> CommitMark | None:
        """Return how far this mark is ahead of ``other`` of the same workspace, None when it is not."""
        judgements, pairs, events = (max(0, a - b) for a, b in zip(self.counts, other.counts, strict=True))
        return CommitMark(judgements, pairs, events, self.at_ms, self.uuid) if judgements or pairs or events else None

    def is_state_of(self, other: CommitMark) -> bool:
        """Whether both are of one state: the same counts and, where both are known, the same head of the chain."""
        return self.counts == other.counts and (self.head == other.head or not self.head or not other.head)


def read_mark(connection: sqlite3.Connection, uuid: str = "") -> CommitMark:
    """Return the mark of what a connection sees now."""
    row = connection.execute(
        "SELECT (SELECT value FROM counter WHERE name='judgements'), (SELECT value FROM counter WHERE name='pairs'),"
        " (SELECT max(id) FROM event_log), (SELECT id || ':' || sha256 FROM chain ORDER BY id DESC LIMIT 1)"
    ).fetchone()
    judgements, pairs, events = (int(value or 0) for value in row[:3])
    return CommitMark(judgements, pairs, events, now_ms(), uuid, head=row[3] or "")


def find_lead(connection: sqlite3.Connection, noted: CommitMark) -> CommitMark | None:
    """Return what ``noted`` knows more than a database of the same workspace, None when it knows nothing more.

    A database whose chain does not hold the noted entry is another state: the mark returned then carries a head, and
    counts of 0 where the database holds as many rows as were noted.
    """
    lead = noted.lead(read_mark(connection))
    number, _, sha = noted.head.partition(":")
    if not sha or connection.execute("SELECT 1 FROM chain WHERE id=? AND sha256=?", (number, sha)).fetchone():
        return lead
    return replace(lead or CommitMark(0, 0, 0, noted.at_ms, noted.uuid), head=noted.head)


def read_noted(folder: Path) -> CommitMark | None:
    """Return the mark that was noted last in a workspace folder, None when there is none that can be read."""
    try:
        path = folder / MARK_FILE
        if not path.is_file():
            return None
        with path.open("rb") as handle:
            row = json.loads(handle.read(_LENGTH))
        judgements, pairs, events, at_ms = (int(row[key]) for key in ("judgements", "pairs", "events", "at_ms"))
        database, log = ((int(row[key][0]), int(row[key][1])) for key in ("database", "log"))
        head = str(row.get("head", ""))  # marks of earlier versions have none
        return CommitMark(judgements, pairs, events, at_ms, str(row["uuid"]), database, log, head)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def missing(folder: Path, uuid: str, lead_of: Callable[[CommitMark], CommitMark | None]) -> CommitMark | None:
    """Return what was acknowledged and is not in the database, None when nothing is known to be missing.

    ``lead_of`` is :func:`find_lead` on the database of the folder.

    The note is read before the database is looked at, because a writer may be at work: it notes after each commit.
    """
    noted = read_noted(folder)
    return lead_of(noted) if noted is not None and noted.uuid == uuid else None


def _encoded(mark: CommitMark) -> bytes:
    """Return a mark as JSON of a fixed length; put together by hand because every commit waits for it."""
    numbers = f'"judgements":{mark.judgements},"pairs":{mark.pairs},"events":{mark.events},"at_ms":{mark.at_ms}'
    places = f'"database":{list(mark.database)},"log":{list(mark.log)},"head":"{mark.head}"'
    return f'{{"uuid":"{mark.uuid}",{numbers},{places}}}'.encode().ljust(_LENGTH)


class MarkFile:
    """The open note of one workspace; a disk that refuses it never stops a commit."""

    def __init__(self, folder: Path) -> None:
        self._file: FileIO | None = None
        with suppress(OSError):
            handle = os.open(folder / MARK_FILE, os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0), FILE_MODE)
            self._file = FileIO(handle, "r+")
            follow_folder(folder / MARK_FILE)

    def write(self, mark: CommitMark) -> None:
        """Note a mark; it costs one write into the system's memory."""
        if self._file is not None:
            with suppress(OSError, ValueError):
                self._file.seek(0)
                self._file.write(_encoded(mark))

    def sync(self) -> None:
        """Wait until the note is on the disk."""
        if self._file is not None:
            with suppress(OSError, ValueError):
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close it."""
        self.sync()
        if self._file is not None:
            self._file.close()
            self._file = None
