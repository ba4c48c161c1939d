"""Backups that are made without being asked for, and the copy of a file that lost its name."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from core.paths import user_data_dir
from core.store.sqlite import backups
from core.store.sqlite.backups import BACKUP_DIR, Copy
from core.store.sqlite.commit_mark import CommitMark
from core.store.sqlite.opened_file import place_of

RESCUED_DIR = "rescued"
REPLACED = "replaced"


class SafetyCopies:
    """Makes the copies of one open workspace; one at a time, on the thread of the caller.

    Args:
        folder: of the workspace.
        uuid: of the workspace.
        look: returns the mark of what is stored now.
    """

    def __init__(self, folder: Path, uuid: str, look: Callable[[], CommitMark]) -> None:
        self._folder, self._uuid, self._look = folder, uuid, look
        self._place = place_of(folder)
        self._one = threading.Lock()
        self._rescued: tuple[CommitMark, Path] | None = None

    def make(self, copy: Copy, why: str, target: Path | None = None) -> Path:
        """Make a verified copy; without ``target`` into the backups folder, which is then thinned by age."""
        with self._one:
            path = backups.make(self._folder / BACKUP_DIR, copy, why, target)
            if target is None:
                backups.thin(self._folder)
            return path

    def changed(self) -> bool:
        """Whether anything was added since the newest backup of this workspace; an empty workspace needs none."""
        now = self._look()
        if not now.judgements and not now.pairs:
            return False
        last = backups.newest(self._folder, self._uuid)
        return last is None or now.counts != tuple(
            last.counts.get(name, 0) for name in ("judgements", "pairs", "events")
        )

    def rescue(self, copy: Copy, mark: CommitMark) -> Path:
        """Copy a database that lost its name to where it is found: the backups folder, or the user's data folder.

        The second call for the same state returns the first copy.
        """
        with self._one:
            if self._rescued is not None and self._rescued[0].counts == mark.counts:
                return self._rescued[1]
            here = place_of(self._folder) == self._place != (0, 0)
            folder = self._folder / BACKUP_DIR if here else user_data_dir() / RESCUED_DIR
            path = backups.make(folder, copy, REPLACED)
            self._rescued = (mark, path)
            return path
