"""What a page is given: the services of the open workspace and the facilities of the window.

``bootstrap`` makes one object and passes it to constructors; there are no globals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.actions.registry import ActionRegistry
from app.background.change_bus import ChangeBus
from app.background.run_watch import RunWatch
from app.background.store_ops import StoreOps
from app.background.task_runner import TaskRunner
from app.dialogs import Dialogs
from app.notices import Notices
from app.session import Session
from app.settings.store import Settings
from app.theme.theme import Theme
from core.domain.errors import NotFound

if TYPE_CHECKING:
    from core.services.application import Application

Navigate = Callable[..., None]


def _nowhere(*_: Any, **__: Any) -> None:
    """Do nothing: the window that navigates does not exist yet."""


@dataclass(frozen=True)
class AppContext:
    """Everything a page may use.

    Attributes:
        tasks: background reads and jobs.
        ops: background changes of the workspace.
        changes: announces what changed.
        actions: the live actions.
        settings: preferences and window state.
        theme: colours, fonts, icons.
        notices: toasts, kept in Activity.
        dialogs: questions and file choosers; tests answer for the user.
        watch: the runs of the workspace, read every few seconds.
        session: the current reviewer and the recent workspaces.
        resources: folder of icons, help texts, demo data.
        open_services: the open workspace, or None on the first screen.
        navigate: ``navigate("runs", run_id="...")`` shows a place and passes the keywords to ``Page.show_item``.
        open_workspace: switches to another workspace folder.
    """

    tasks: TaskRunner
    ops: StoreOps
    changes: ChangeBus
    actions: ActionRegistry
    settings: Settings
    theme: Theme
    notices: Notices
    dialogs: Dialogs
    session: Session
    watch: RunWatch
    resources: Path
    open_services: Application | None = None
    navigate: Navigate = field(default=_nowhere)
    open_workspace: Callable[..., None] = field(default=_nowhere)

    @property
    def services(self) -> Application:
        """The services of the open workspace.

        Raises:
            NotFound: while no workspace is open.
        """
        if self.open_services is None:
            raise NotFound("No workspace is open.", "Open one from Home.")
        return self.open_services

    @property
    def has_workspace(self) -> bool:
        """Whether a workspace is open."""
        return self.open_services is not None

    def with_(self, **changes: Any) -> AppContext:
        """Return a copy with some parts exchanged."""
        return replace(self, **changes)
