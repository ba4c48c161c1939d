"""Opening the demo: a copy of the built workspace in the user's data folder, made again on request."""

from __future__ import annotations

import shutil
from pathlib import Path

from core import durable, paths
from core.domain.errors import NotFound
from core.domain.ids import new_uid
from core.store.lock import WorkspaceLock


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
    """Return where the user's copy of the demo lies."""
    return paths.user_data_dir() / "demo"


def open_demo(*, reset: bool = False) -> Path:
    """Return the user's copy of the demo, copied at the first call or when ``reset``.

    What was labelled in the copy stays until it is reset. The copy appears complete or not at all.

    Raises:
        WorkspaceInUse: it is to be reset while a window has it open; nothing was removed.
        StorageFull, UserError: there is no room, or the place cannot be written.
    """
    target = demo_folder()
    there = (target / "workspace.db").is_file()
    if there and not reset:
        return target
    if there:
        WorkspaceLock(target).release()
    new = target.parent / f"{durable.TMP_PREFIX}{new_uid()}"
    with durable.clear_errors(target):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(built_demo(), new)
            shutil.rmtree(target, ignore_errors=True)
            new.rename(target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return target
