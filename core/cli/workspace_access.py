"""Opening a workspace for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.output import say_note

if TYPE_CHECKING:
    from core.services.application import Application


def open_workspace(path: Path, *, create: bool = False, read_only: bool = False, name: str = "") -> Application:
    """Open a workspace; see :meth:`core.services.application.Application.open`.

    The workspace libraries are imported here and not when the command line starts: commands that open no workspace
    start faster and work where no database library is installed. What should be known about a workspace that is opened
    for writing (missing work, an unsafe place) is said on standard error.
    """
    from core.services.application import Application

    app = Application.open(path, create=create, read_only=read_only, name=name)
    if not read_only:
        app.workspace.listen(say_note)
        for note in app.workspace.notes():
            say_note(note)
    return app
