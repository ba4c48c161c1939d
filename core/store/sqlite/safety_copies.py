"""Backups that are made without being asked for, and the copy of a file that lost its name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from core.domain.errors import UserError
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
        self._checks: list[threading.Thread] = []
        self._rescued: tuple[CommitMark, Path] | None = None

    def make(self, copy: Copy, why: str, target: Path | None = None) -> Path:
        """Make a verified copy; without ``target`` into the backups folder, which is then thinned by age."""
        with self._one:
            path = backups.make(self._folder / BACKUP_DIR, copy, why, target)
            if target is None:
                backups.thin(self._folder)
            return path

    def make_and_check_later(self, copy: Copy, why: str, failed: Callable[[UserError], None]) -> None:
        """Make a copy into the backups folder and check its contents while the caller goes on.

        Args:
            copy: see :func:`core.store.sqlite.backups.make`.
            why: likewise.
            failed: told, on another thread, why there is no backup after all.

        Raises:
            UserError: the copy could not be made.
        """
        with self._one:
            path = backups.make(self._folder / BACKUP_DIR, copy, why, checked=False)
        self._check_later([path], failed)

    def check_left(self, failed: Callable[[UserError], None]) -> None:
        """Check what a killed program left unchecked while the caller goes on."""
        if left := backups.unchecked_in(self._folder):
            self._check_later(left, failed)

    def wait(self) -> None:
        """Wait until no check is running; each takes some 0.1 s for 1,000 pairs, in a process of its own."""
        while self._checks:
            self._checks.pop().join()

    def _check_later(self, paths: Sequence[Path], failed: Callable[[UserError], None]) -> None:
        def work() -> None:
            for path in paths:
                try:
                    backups.finish(path)
                except UserError as error:
                    failed(error)
            with self._one:
                backups.thin(self._folder)

        check = threading.Thread(target=work, name="backup-check")
        check.start()
        self._checks.append(check)

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
