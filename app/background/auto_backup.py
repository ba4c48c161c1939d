"""Backups every so many minutes while something changes: in the background, without a word unless one fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.background.task_runner import TaskRunner
from app.notices import Notices
from app.settings.store import Settings
from core.domain.errors import UserError, WorkspaceReplaced

if TYPE_CHECKING:
    from core.services.application import Application

LOOK_MS = 60_000


class AutoBackup(QObject):
    """Looks once a minute whether a backup is due; ``made(Path)`` fires for each.

    A failure is told once, until a backup succeeds again.

    Args:
        clock: returns seconds, monotonic.
    """

    made = Signal(object)

    def __init__(
        self,
        tasks: TaskRunner,
        settings: Settings,
        notices: Notices,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._settings, self._notices, self._clock = tasks, settings, notices, clock
        self._services: Application | None = None
        self._since = 0.0
        self._told = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    def set_workspace(self, services: Application | None) -> None:
        """Begin with another workspace, or with none."""
        self._services = services if services is not None and not services.read_only else None
        self._since, self._told = self._clock(), False
        if self._services is None:
            self._timer.stop()
        else:
            self._timer.start()

    def look(self) -> None:
        """Make a backup when the time of the setting has passed and something was added since the newest one."""
        services, minutes = self._services, self._settings.get("backups.every_min")
        if services is None or not minutes or self._clock() - self._since < minutes * 60:
            return
        self._since = self._clock()
        self._tasks.query(
            lambda: services.workspace.backup_if_changed("timer"), self._take, self._fail, owner=self, key="backup"
        )

    def _take(self, path: Path | None) -> None:
        self._told = False
        if path is not None:
            self.made.emit(path)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, WorkspaceReplaced) or not isinstance(error, UserError):
            self._tasks.unhandled.emit(error)
        elif not self._told:
            self._told = True
            self._notices.post(f"No backup was made. {error.message}", "warn", hint=error.hint)


def back_up_and_close(services: Application, *, backup: bool) -> None:
    """Close a workspace after a last backup, if anything was added since the newest one; called off the UI thread.

    A backup that fails does not keep the workspace open; there is nobody left to tell.
    """
    try:
        if backup and not services.read_only:
            services.workspace.backup_if_changed("close")
    except UserError:
        pass
    finally:
        services.close()
