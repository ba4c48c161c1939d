"""What the window offers when a workspace file is damaged: salvage it, or restore one of its backups.

Both make a new folder beside the damaged one, which is never written to, and open it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.background.import_lock import IMPORT_LOCK
from app.background.task_runner import TaskRunner
from app.dialogs import Dialogs
from app.main_window.restore_dialog import RestoreDialog
from app.notices import Notices
from core.domain.errors import UserError

if TYPE_CHECKING:
    from core.services.workspace.service import BackupFile

SALVAGE, RESTORE, CLOSE = "Salvage…", "Restore a backup…", "Close"


class Rescue(QObject):
    """Offers ways out of a damaged workspace; ``open_folder`` opens what was made."""

    def __init__(
        self, tasks: TaskRunner, dialogs: Dialogs, notices: Notices, open_folder: Callable[[Path], None]
    ) -> None:
        super().__init__()
        self._tasks, self._dialogs, self._notices, self._open = tasks, dialogs, notices, open_folder

    def offer(self, error: UserError, path: Path) -> None:
        """Say what is wrong with the workspace at ``path`` and carry out what the user chooses."""
        folder = path.parent if path.name == "workspace.db" else path
        answer = self._dialogs.ask(
            "Cannot open the workspace",
            error.message,
            (SALVAGE, RESTORE, CLOSE),
            detail=f"{error.hint}\nSalvage brings what is readable into a new workspace beside this one and lists what "
            "is lost. Nothing is written to the damaged one.".strip(),
            kind="error",
        )
        if answer == SALVAGE:
            self._start(f"Salvage of {folder.name}", partial(_salvage, folder))
        elif answer == RESTORE:
            self._tasks.query(partial(_backups, folder), partial(self._choose, folder), owner=self)

    def _choose(self, folder: Path, found: list[BackupFile]) -> None:
        """Let the user choose one of the backups."""
        if not found:
            self._notices.post(f"{folder.name} has no backup.", "error", hint="Salvage it instead.")
            return
        dialog = RestoreDialog(self._dialogs.parent, self._tasks, folder.name, found, _check)
        backup = dialog.chosen if self._dialogs.run(dialog) else None
        dialog.deleteLater()
        if backup is not None:
            self._start(f"Restore of {folder.name}", partial(_restore, folder, backup))

    def _start(self, title: str, work: Callable[[], tuple[Path, str]]) -> None:
        self._tasks.job(title, lambda _: work(), self._made, owner=self)

    def _made(self, made: tuple[Path, str]) -> None:
        to, said = made
        self._notices.post(said, "ok", hint=str(to))
        self._open(to)


def _free(folder: Path, what: str) -> Path:
    """Return a new place beside ``folder``."""
    names = [f"{folder.name}-{what}", *(f"{folder.name}-{what}-{n}" for n in range(2, 1000))]
    return next(place for name in names if not (place := folder.parent / name).exists())


def _salvage(folder: Path) -> tuple[Path, str]:
    with IMPORT_LOCK:
        from core.services.workspace.salvage import salvage, sentence  # the window opens before the database libraries

    to = _free(folder, "salvaged")
    return to, sentence(salvage(folder, to))


def _backups(folder: Path) -> list[BackupFile]:
    with IMPORT_LOCK:
        from core.services.workspace.service import backups_of  # the window opens before the libraries

    return backups_of(folder)


def _check(path: Path) -> str:
    with IMPORT_LOCK:
        from core.services.workspace.service import check_backup  # the window opens before the libraries

    return check_backup(path)


def _restore(folder: Path, backup: BackupFile) -> tuple[Path, str]:
    with IMPORT_LOCK:
        from core.services.workspace.service import restore  # the window opens before the libraries

    to = _free(folder, "restored")
    restore(backup.path, to)
    return to, f"The backup of {backup.made:%Y-%m-%d %H:%M} was restored to {to.name}."
