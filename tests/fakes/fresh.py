"""Empty workspaces, made once and copied: making one costs as much as a dozen tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from core.services.application import Application
from core.store.sqlite.identity import db_path


def fresh(folder: Path) -> Application:
    """Open a new workspace with nothing in it."""
    folder.mkdir(parents=True)
    db_path(folder).write_bytes(_empty())
    return Application.open(folder)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as place:
        Application.open(Path(place) / "ws", create=True).close()
        return db_path(Path(place) / "ws").read_bytes()
