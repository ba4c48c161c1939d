"""Opening a workspace for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.services.application import Application


def open_workspace(path: Path, *, create: bool = False, read_only: bool = False, name: str = "") -> Application:
    """Open a workspace; see :meth:`core.services.application.Application.open`.

    The workspace libraries are imported here and not when the command line starts: commands that open no workspace
    start faster and work where no database library is installed.
    """
    from core.services.application import Application

    return Application.open(path, create=create, read_only=read_only, name=name)
