"""The composition root: builds the window and everything it needs, for the program and for tests."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.actions.registry import ActionRegistry
from app.background.auto_backup import back_up_and_close
from app.background.change_bus import ChangeBus
from app.background.run_watch import RunWatch
from app.background.store_ops import StoreOps
from app.background.task_runner import TaskRunner
from app.background.watchdog import Watchdog
from app.context import AppContext
from app.dialogs import Dialogs
from app.errors import ErrorReporter
from app.main_window.page_factory import preload
from app.main_window.window import MainWindow
from app.main_window.workspace_switch import Opener, WorkspaceSwitch, open_application
from app.notices import Notices
from app.places import PLACES
from app.session import Session
from app.settings.store import KEPT_ASIDE, Settings
from app.single_instance import SingleInstance
from app.theme.theme import Theme
from core.domain.errors import UserError, WorkspaceReplaced
from core.paths import log_dir, resources_dir, user_data_dir

log = logging.getLogger(__name__)
PRELOAD = ("pyqtgraph", *(place.module for place in PLACES if place.id != "home"))


@dataclass
class RunningApp:
    """The running window and its parts, for ``__main__`` and for tests.

    ``close`` shuts everything in order: window, threads, workspace.
    """

    window: MainWindow
    context: AppContext
    tasks: TaskRunner
    switch: WorkspaceSwitch
    instance: SingleInstance
    errors: ErrorReporter
    watchdog: Watchdog

    def close(self) -> None:
        """Stop listening, cancel jobs, wait for pending writes, close the workspace."""
        self.instance.stop()
        self.watchdog.stop()
        self.window.watch.stop()
        self.tasks.close()
        if (services := self.switch.current) is not None:
            # On a thread of its own, because a last backup reads files; the window is gone, so nobody waits for it.
            backup = self.switch.backup_on_close()
            last = threading.Thread(target=back_up_and_close, args=(services,), kwargs={"backup": backup})
            last.start()
            last.join()
            self.switch.current = None
        self.context.theme.deleteLater()
        self.context.actions.deleteLater()  # Qt looks through all shortcuts for each widget that goes


def make_application(argv: list[str]) -> QApplication:
    """Return the Qt application with its names set."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(argv)
    app.setApplicationName("Pairwright")
    app.setApplicationDisplayName("Pairwright")
    app.setDesktopFileName("pairwright")
    return app


def build(app: QApplication, *, dialogs: Dialogs | None = None, opener: Opener = open_application) -> RunningApp:
    """Build the window without showing it and without opening a workspace."""
    settings = Settings(user_data_dir())
    theme = Theme(app, resources_dir())
    theme.apply(settings.get("look.theme"), settings.get("look.zoom"))
    app.setWindowIcon(theme.icons.icon("logo", "accent"))
    tasks, changes, notices = TaskRunner(), ChangeBus(), Notices()
    theme.formulas.draw_with(lambda work, done: tasks.query(work, done, owner=theme.formulas))
    dialogs = dialogs or Dialogs()
    session = Session(settings)
    context = AppContext(
        tasks=tasks,
        ops=StoreOps(tasks, changes),
        changes=changes,
        actions=ActionRegistry(settings, theme.icons),
        settings=settings,
        theme=theme,
        notices=notices,
        dialogs=dialogs,
        session=session,
        watch=RunWatch(tasks),
        resources=resources_dir(),
    )
    switch = WorkspaceSwitch(tasks, dialogs, notices, session, opener)
    switch.backup_on_close = lambda: settings.get("backups.on_close")
    window = MainWindow(context, switch, log_dir())
    errors = ErrorReporter(dialogs, lambda error: _tell(window, notices, error))
    tasks.unhandled.connect(errors.take)
    _follow_settings(settings, notices)
    dialogs.attach(window.dialog_parent, theme)
    instance = SingleInstance(window.come_forward)
    switch.switched.connect(lambda services: instance.listen(services.folder) if services else instance.stop())
    return RunningApp(window, context, tasks, switch, instance, errors, Watchdog())


def start(running: RunningApp, workspace: Path | None) -> None:
    """Show the window; after the first paint open the workspace and load the modules of the other pages."""
    target = workspace
    if target is None and running.context.settings.get("general.reopen"):
        recent = running.context.session.recent_workspaces()
        target = recent[0] if recent else None
    if target is not None:
        running.window.show_opening(target.name)
    running.window.show()
    QTimer.singleShot(0, running.window, lambda: _after_first_paint(running, target))


def _after_first_paint(running: RunningApp, target: Path | None) -> None:
    if target is not None:
        running.switch.open(target)
    running.watchdog.start()
    running.tasks.query(
        lambda: preload(("psutil",)), lambda _: running.window.status.watch_machine(), owner=running.window
    )
    running.tasks.query(lambda: preload(PRELOAD), owner=running.window)


def _follow_settings(settings: Settings, notices: Notices) -> None:
    """Post what happens to the file of settings that the user should know."""
    settings.not_written.connect(
        lambda reason: notices.post(
            f"The settings could not be written: {reason}. They hold until the window closes.",
            "warn",
            hint="Check the room on the disk and the rights of the folder, then change a setting again.",
        )
    )
    if settings.unreadable:
        notices.post(
            f"Your settings were not used. {settings.unreadable}",
            "warn",
            hint=f"The defaults hold. With the next change the file is kept as {KEPT_ASIDE}.",
        )


def _tell(window: MainWindow, notices: Notices, error: UserError) -> None:
    if isinstance(error, WorkspaceReplaced):
        window.place_watch.tell(error)
        return
    notices.post(error.message, "error", hint=error.hint)
