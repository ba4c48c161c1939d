"""Work that was saved once and is missing now: told when a workspace is opened, read in a dialog, accepted there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject

from app.context import AppContext
from app.local_time import local_time
from core.domain.changes import Outcome
from core.domain.counting import counted, verb

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.workspace.service import Loss

TITLE = "Missing work"
BACKUPS, ACCEPT, CLOSE = "See the backups", "Accept the loss", "Close"


class _Missing(NamedTuple):
    """What is missing, and a sentence about the newest backup."""

    losses: Sequence[Loss]
    backup: str


class MissingWork(QObject):
    """Tells of losses that nobody has accepted, shows them, and accepts them."""

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._services: Application | None = None
        context.actions.bind("global.missing_work", self.show)

    def set_workspace(self, services: Application | None) -> None:
        """Read whether anything is missing in another workspace, in the background, and tell it."""
        self._services = services
        self._context.actions.set_enabled("global.missing_work", False)
        self._read(self._tell)

    def show(self) -> None:
        """Show every loss in full, and ask what to do."""
        self._read(self._ask)

    def _read(self, done: Callable[[_Missing], None]) -> None:
        if self._services is None:
            return
        workspace = self._services.workspace
        self._context.tasks.query(
            lambda: _Missing(workspace.losses(), workspace.newest_backup()), done, owner=self, key="losses"
        )

    def _tell(self, missing: _Missing) -> None:
        self._context.actions.set_enabled("global.missing_work", bool(missing.losses))
        for loss in missing.losses:
            self._context.notices.post(
                loss.words, "warn", hint=missing.backup, action="Read and decide…", run=self.show
            )

    def _ask(self, missing: _Missing) -> None:
        services = self._services
        if services is None:
            return
        if not missing.losses:
            self._context.notices.post("Nothing is missing.", "ok")
            return
        found = [f"{local_time(one.found_ms)}: {one.words}" if one.found_ms else one.words for one in missing.losses]
        safe = (
            "What is there stays as it is. A backup is restored to a new folder, so that both can be compared. "
            "Accepting changes nothing in the workspace but that it is no longer told; the event log keeps it."
        )
        buttons = (CLOSE,) if services.read_only else (BACKUPS, ACCEPT, CLOSE)
        answer = self._context.dialogs.ask(
            TITLE,
            f"{counted(len(found), 'loss', 'losses')} of saved work {verb(len(found), 'was', 'were')} found.",
            buttons,
            detail="\n\n".join([*found, missing.backup, safe]),
            kind="warning",
        )
        if answer == BACKUPS:
            self._context.navigate("settings", group="Backups")
        elif answer == ACCEPT:
            self._context.ops.mutate(services.workspace.accept_losses, self._accepted, owner=self)

    def _accepted(self, outcome: Outcome[int]) -> None:
        self._context.actions.set_enabled("global.missing_work", False)
        self._context.notices.post(
            f"{counted(outcome.value, 'loss', 'losses')} accepted; the event log keeps it.", "ok"
        )
