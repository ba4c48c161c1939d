"""Opening the demo: a copy of the built workspace in the user's data folder, made again on request."""

from __future__ import annotations

import shutil
from pathlib import Path

from core import paths
from core.domain.errors import NotFound


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

    What was labelled in the copy stays until it is reset.
    """
    target = demo_folder()
    if reset:
        shutil.rmtree(target, ignore_errors=True)
    if not (target / "workspace.db").is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(built_demo(), target, dirs_exist_ok=True)
    return target
