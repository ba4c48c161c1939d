"""What the window offers when a workspace file is damaged: salvage it, or restore its newest backup.

Both make a new folder beside the damaged one, which is never written to, and open it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from app.background.import_lock import IMPORT_LOCK
from app.background.task_runner import TaskRunner
from app.dialogs import Dialogs
from app.notices import Notices
from core.domain.errors import UserError

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
        if answer in (SALVAGE, RESTORE):
            what, work = ("Salvage", _salvage) if answer == SALVAGE else ("Restore", _restore)
            self._tasks.job(f"{what} of {folder.name}", lambda _: work(folder), self._made, owner=self)

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


def _restore(folder: Path) -> tuple[Path, str]:
    with IMPORT_LOCK:
        from core.services.workspace.service import backups_of, restore  # the window opens before the libraries

    to = _free(folder, "restored")
    for backup in backups_of(folder):
        try:
            restore(backup.path, to)
        except UserError:
            continue
        return to, f"The backup of {backup.made:%Y-%m-%d %H:%M} was restored to {to.name}."
    raise UserError(f"{folder.name} has no backup that can be restored.", "Salvage it instead.")
