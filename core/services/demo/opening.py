"""Opening the demo: a copy of the built workspace in the user's data folder; it can be reset."""

from __future__ import annotations

import itertools
import shutil
import sys
from pathlib import Path

from core import durable, paths
from core.domain.errors import NotFound
from core.domain.ids import new_uid
from core.private_files import tighten
from core.store.workspace_lock import LOCK_FILE, lock_workspace
from core.unfinished import noted

_LEFT_BEHIND_S = 24 * 3600.0
"""Age of what a killed copy left; a younger one may be at work."""


def built_demo() -> Path:
    """Return the built workspace that comes with the program.

    Raises:
        NotFound: when this copy of the program has none.
    """
    folder = paths.resources_dir() / "demo" / "workspace"
    if not (folder / "workspace.db").is_file():
        raise NotFound(
            "This copy of Pairwright has no built demo workspace.", "Run: pairwright demo --headless --out DIR"
        )
    return folder


def demo_folder() -> Path:
    """Return the folder of the user's copy of the demo."""
    return paths.user_data_dir() / "demo"


def open_demo(*, reset: bool = False) -> Path:
    """Return the user's copy of the demo, copied at the first call or when ``reset``.

    What was labelled in the copy stays until it is reset. The copy appears complete or not at all. A folder in its
    place that has lost its database, but may hold backups and runs, is never removed: it is kept beside the copy.

    Raises:
        WorkspaceInUse: it is to be reset while a window has it open; nothing was removed.
        StorageFull, UserError: there is no room, or the place cannot be written.
    """
    target = demo_folder()
    there = (target / "workspace.db").is_file()
    if there and not reset:
        return target
    lock = lock_workspace(target) if target.is_dir() else None
    new = target.parent / f"{durable.TMP_PREFIX}{new_uid()}"
    try:
        with durable.clear_errors(target), noted(new):
            target.parent.mkdir(parents=True, exist_ok=True)
            durable.sweep(target.parent, older_than_s=_LEFT_BEHIND_S)
            shutil.copytree(built_demo(), new)
            tighten(new)
            if lock is not None and sys.platform == "win32":
                lock.release()  # no folder with an open file is renamed there
            old = _swap(new, target)
    finally:
        if lock is not None:
            lock.release()
        shutil.rmtree(new, ignore_errors=True)
    if old is not None and (there or not any(path.name != LOCK_FILE for path in old.iterdir())):
        shutil.rmtree(old, ignore_errors=True)
    return target


def _swap(new: Path, target: Path) -> Path | None:
    """Put ``new`` in the place of ``target`` and return the new path of what was there, if anything."""
    old = None
    if target.exists():
        names = (target.with_name(f"{target.name}-{number}") for number in itertools.count(1))
        old = next(name for name in names if not name.exists())
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old is not None:
            old.rename(target)
        raise
    return old
