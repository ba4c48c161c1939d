"""Opening a review bundle as a desk: a workspace of its own, made of the file, in a new folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from app.background.import_lock import IMPORT_LOCK
from app.background.task import TaskControl
from app.context import AppContext
from app.main_window.workspace_switch import WorkspaceSwitch

FILES = "Review bundle (*.bundle);;All files (*)"


class Desks(QObject):
    """Asks for a bundle and a place, makes the desk there in the background, and opens it."""

    def __init__(self, context: AppContext, switch: WorkspaceSwitch, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._switch = context, switch
        context.actions.bind("global.desk", self.ask)

    def ask(self) -> None:
        """Ask for the file and for where the folder of the desk shall be; it is named after the file."""
        dialogs = self._context.dialogs
        file = dialogs.open_file("Open a review bundle", FILES)
        place = dialogs.open_folder("Where the folder of the desk shall be") if file is not None else None
        if file is not None and place is not None:
            self.open(Path(file), Path(place) / f"desk {Path(file).stem}")

    def open(self, file: Path, folder: Path) -> None:
        """Make a desk of a bundle in a new folder and open it; a refused file leaves nothing behind."""

        def work(_: TaskControl) -> Path:
            make_desk(file, folder)
            return folder

        self._context.tasks.job("Opening a review bundle", work, self._switch.open, owner=self)


def make_desk(file: Path, folder: Path) -> None:
    """Make a desk; the import is here because the window opens before the database libraries."""
    with IMPORT_LOCK:
        from core.services.bundles.desk import open_desk  # the window opens before the database libraries

    open_desk(file, folder)
