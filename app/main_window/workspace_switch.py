"""Opening, creating and closing workspaces off the UI thread; the old one stays open until the new one is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.background.auto_backup import back_up_and_close
from app.background.import_lock import IMPORT_LOCK
from app.background.task_runner import TaskRunner
from app.dialogs import Dialogs
from app.main_window.left_drafts import LeftDrafts
from app.main_window.rescue import Rescue
from app.notices import Notices
from app.session import Session
from app.single_instance import raise_other_window
from core.domain.errors import NotFound, UserError, WorkspaceDamaged, WorkspaceInUse
from core.paths import user_data_dir

if TYPE_CHECKING:
    from core.services.annotation.views import UnsavedDraft
    from core.services.application import Application

log = logging.getLogger(__name__)
Opener = Callable[..., "Application"]


def open_application(path: Path, *, create: bool = False, read_only: bool = False) -> Application:
    """Open a workspace.

    Imports the services, and with them the database libraries, on the calling thread: the window opens before them.
    """
    with IMPORT_LOCK:
        from core.services.application import Application  # the window opens before the database libraries

    return Application.open(path, create=create, read_only=read_only)


class WorkspaceSwitch(QObject):
    """Holds the open workspace; ``switched(Application | None)`` fires after another one took its place.

    ``backup_on_close`` says whether a workspace is copied before it is closed; ``bootstrap`` sets it.
    """

    switched = Signal(object)
    opening = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        tasks: TaskRunner,
        dialogs: Dialogs,
        notices: Notices,
        session: Session,
        opener: Opener = open_application,
    ) -> None:
        super().__init__()
        self._tasks, self._dialogs, self._notices, self._session = tasks, dialogs, notices, session
        self._opener = opener
        self._left_drafts = LeftDrafts(tasks, dialogs, notices)
        self._rescue = Rescue(tasks, dialogs, notices, self.open)
        self.current: Application | None = None
        self.backup_on_close: Callable[[], bool] = lambda: False
        self._requests = 0

    def open(self, path: Path, *, create: bool = False, read_only: bool = False) -> None:
        """Open a workspace folder (or the ``workspace.db`` in it) and switch to it."""
        path = Path(path).expanduser()
        if self.current is not None and _same(self.current.folder, path):
            return
        self._requests += 1
        number = self._requests
        self.opening.emit(path.name)
        self._tasks.write(
            lambda: self._opener(path, create=create, read_only=read_only),
            lambda services: self._switch_to(services, number),
            lambda error: self._handle_failure(error, path),
            owner=self,
        )

    def open_demo(self, *, reset: bool = False) -> None:
        """Open the demo workspace, copied into the user's folder when it does not exist or when ``reset``."""
        if self.current is not None and is_demo(self.current.folder):
            if not reset:
                return
            self.close()
        self._requests += 1
        number = self._requests
        self.opening.emit("demo")
        self._tasks.write(
            lambda: self._opener(demo_path(reset=reset)),
            lambda services: self._switch_to(services, number),
            lambda error: self._handle_failure(error, Path("demo")),
            owner=self,
        )

    def reopen(self) -> None:
        """Close the workspace and open its folder again; drafts that could not be stored are carried over.

        Where no file has the workspace's name any more, what is held open is written under it first.
        """
        services = self.current
        if services is None:
            return
        self.current = None
        self.switched.emit(None)
        self._requests += 1
        number = self._requests
        left: list[UnsavedDraft] = []

        def switch(opened: Application) -> None:
            self._switch_to(opened, number)
            self._left_drafts.tell(left)

        def fail(error: Exception) -> None:
            self._left_drafts.tell(left)
            self._handle_failure(error, services.folder)

        self._tasks.write(lambda: _exchange(services, self._opener, left), switch, fail, owner=self)

    def close(self) -> None:
        """Show the first screen and close the workspace after the pending writes.

        Workspaces are opened and closed in order on the thread of the writes, so that the next one finds this closed.
        """
        services, self.current = self.current, None
        self.switched.emit(None)
        if services is not None:
            self._tasks.write(self._closing(services))

    def _closing(self, services: Application) -> Callable[[], None]:
        return partial(back_up_and_close, services, backup=self.backup_on_close())

    def _switch_to(self, services: Application, number: int) -> None:
        if number != self._requests:
            self._tasks.write(services.close)
            return
        old, self.current = self.current, services
        self._session.note_workspace(services.folder)
        self.switched.emit(services)
        if old is not None:
            self._tasks.write(self._closing(old))

    def _handle_failure(self, error: Exception, path: Path) -> None:
        if isinstance(error, WorkspaceInUse):
            self._offer_read_only(error, path)
        elif isinstance(error, NotFound) and path.is_dir():
            self._offer_creating(path)
        elif isinstance(error, WorkspaceDamaged):
            self._rescue.offer(error, path)
        elif isinstance(error, UserError):
            self._dialogs.ask("Cannot open the workspace", error.message, ("OK",), detail=error.hint, kind="error")
        else:
            self._tasks.unhandled.emit(error)
        self.failed.emit(str(error))

    def _offer_read_only(self, error: WorkspaceInUse, path: Path) -> None:
        if raise_other_window(path):
            self._notices.post("This workspace is open in another window, which is in front now.")
            return
        answer = self._dialogs.ask(
            "The workspace is in use", error.message, ("Open for reading", "Cancel"), detail=error.hint
        )
        if answer == "Open for reading":
            self.open(path, read_only=True)

    def _offer_creating(self, path: Path) -> None:
        answer = self._dialogs.ask(
            "No workspace here", f"The folder {path.name} holds no workspace. Create one in it?", ("Create", "Cancel")
        )
        if answer == "Create":
            self.open(path, create=True)


def _exchange(services: Application, opener: Opener, left: list[UnsavedDraft]) -> Application:
    """Close a workspace whose file lost its name and open its folder again, with the drafts that were not stored.

    Args:
        services: what is open.
        opener: opens the folder.
        left: gets the drafts that what was opened does not take over; all of them where nothing can be opened.
    """
    left += services.annotation.unsaved_drafts()
    try:
        services.workspace.put_back()
    finally:
        services.close()
    opened = opener(services.folder)
    left[:] = opened.annotation.adopt_drafts(left)
    return opened


def _same(folder: Path, path: Path) -> bool:
    target = path.parent if path.name == "workspace.db" else path
    return folder.resolve() == target.resolve()


def demo_path(*, reset: bool = False) -> Path:
    """Return the user's copy of the demo workspace, made when it does not exist or when ``reset``.

    Imports the service here: the window opens before the libraries that it needs.
    """
    with IMPORT_LOCK:
        from core.services.demo.opening import open_demo  # the window opens before the libraries behind it

    return open_demo(reset=reset)


def is_demo(folder: Path) -> bool:
    """Whether a workspace is the user's copy of the demo."""
    return folder.resolve() == (user_data_dir() / "demo").resolve()
