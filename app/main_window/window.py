"""The window: rail, pages, drawer and status bar. What a page shows is the page's own matter."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from app.actions.cheat_sheet import CheatSheet
from app.actions.command_palette import CommandPalette
from app.background.auto_backup import AutoBackup
from app.background.task import BackgroundTask
from app.context import AppContext
from app.main_window.action_elsewhere import ActionElsewhere
from app.main_window.activity import ActivityPanel
from app.main_window.closing import may_close
from app.main_window.commands import GlobalCommands
from app.main_window.menus import fill_menu_bar
from app.main_window.missing_work import MissingWork
from app.main_window.object_search import ObjectSearch
from app.main_window.page import Page
from app.main_window.page_stack import PageStack
from app.main_window.panes import next_pane
from app.main_window.place_keys import press_by_place
from app.main_window.place_watch import PlaceWatch
from app.main_window.rail import Rail
from app.main_window.reviewer import ReviewerChoice
from app.main_window.status_bar import StatusBar
from app.main_window.toasts import ToastStack
from app.main_window.workspace_switch import WorkspaceSwitch, is_demo
from app.notices import Notice
from app.places import BY_ID, PLACES
from app.widgets.own_keys import press_focused
from core.domain.changes import Changes

if TYPE_CHECKING:
    from core.services.application import Application
    from core.services.runs.views import RunInfo

SIZE = (1280, 800)
LEAST = (1024, 700)


class MainWindow(QMainWindow):
    """Shows one page at a time and passes announcements on to the pages.

    ``context`` is what pages are given now; it is replaced when another workspace is opened.
    """

    _told = Signal(str)

    def __init__(self, context: AppContext, switch: WorkspaceSwitch, logs: Path) -> None:
        super().__init__()
        self.context = context.with_(navigate=self.navigate, open_workspace=switch.open)
        self.switch, self.watch = switch, context.watch
        self._opening, self._wanted = "", ("home", dict[str, Any]())
        self.setWindowTitle("Pairwright")
        self.setMinimumSize(*LEAST)
        self.resize(*SIZE)
        self._build()
        self._search = ObjectSearch(context.tasks, self)
        self.backup = AutoBackup(context.tasks, context.settings, context.notices, parent=self)
        self.missing = MissingWork(self.context, self)
        self._reviewer = ReviewerChoice(self.context, switch, self)
        self._elsewhere = ActionElsewhere(context.actions, context.tasks, context.notices, self.navigate, self)
        GlobalCommands(self.context, switch, self.stack.may_leave, logs, self)
        self._bind()
        self._connect()
        if geometry := context.settings.state_bytes("window/geometry"):
            self.restoreGeometry(geometry)
        context.actions.install(self)
        fill_menu_bar(self.menuBar(), context.actions)
        self.menuBar().setVisible(context.settings.get("look.menu_bar"))
        self._show_workspace()
        self.navigate("home")

    @property
    def place(self) -> str:
        """The place that is shown."""
        return self.stack.place

    def page(self, place: str) -> Page:
        """Return the page of a place, made when it is first asked for."""
        return self.stack.page(place)

    def navigate(self, place: str, **what: Any) -> None:
        """Show a place, and in it the item that the keywords name (see ``Page.show_item``).

        While a workspace is being opened, a place that needs one is shown as soon as it is open.
        """
        if self._opening and BY_ID[place].needs_workspace and not self.context.has_workspace:
            self._wanted = (place, what)
            return
        self.stack.navigate(place, **what)

    def show_palette(self) -> None:
        """Open the command palette."""
        context = self.context
        providers = self._search.providers(context.actions, lambda: self.watch.runs, self.navigate, self._elsewhere.run)
        palette = CommandPalette(self, context.theme, context.settings, providers)
        context.theme.style(palette)
        palette.show()

    def show_cheat_sheet(self) -> None:
        """Show the keys that work here."""
        CheatSheet(self.dialog_parent, self.context.theme, self.context.actions, self.context.actions.place).open()

    def toggle_activity(self) -> None:
        """Open or close the drawer."""
        self.activity.setVisible(not self.activity.isVisible())

    def set_focus_mode(self, on: bool) -> None:
        """Show only the page, or everything again."""
        for part in (self.rail, self.status):
            part.setVisible(not on)
        self.context.actions.set_checked("global.focus_mode", on)

    def next_pane(self) -> None:
        """Move the keyboard focus to the next part of the window."""
        if target := next_pane(self._centre, QApplication.focusWidget()):
            target.setFocus(Qt.FocusReason.TabFocusReason)

    def come_forward(self) -> None:
        """Come to the front; called when the program is started a second time."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved text and running work, then store the geometry."""
        if not self.stack.may_leave() or not may_close(self.context, self.watch, self.close):
            event.ignore()
            return
        settings = self.context.settings
        settings.set_state("window/geometry", self.saveGeometry())
        settings.sync()
        self.watch.stop()
        super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take a key that nothing knew by the place that it has on the keyboard; Enter presses the focused button."""
        if not press_by_place(self.context.actions, event) and not press_focused(event, self):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Show or hide the menu bar by Alt, where the setting hides it."""
        if event.key() == Qt.Key.Key_Alt and not self.context.settings.get("look.menu_bar"):
            bar = self.menuBar()
            bar.setVisible(not bar.isVisible())
            if bar.isVisible():
                bar.setFocus(Qt.FocusReason.MenuBarFocusReason)
        super().keyReleaseEvent(event)

    def _build(self) -> None:
        theme = self.context.theme
        self._centre = QWidget()
        outer = QVBoxLayout(self._centre)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        self.rail = Rail(theme, self.context.actions)
        self.stack = PageStack(self.context)
        self.activity = ActivityPanel(theme)
        self.activity.hide()
        self.status = StatusBar(theme)
        row.addWidget(self.rail)
        self.place_watch = PlaceWatch(self.context, self._reopen, self)
        pages = QVBoxLayout()
        pages.setSpacing(0)
        pages.addWidget(self.place_watch.strip)
        pages.addWidget(self.stack, 1)
        row.addLayout(pages, 1)
        row.addWidget(self.activity)
        outer.addLayout(row, 1)
        outer.addWidget(self.status)
        self.setCentralWidget(self._centre)
        self.toasts = ToastStack(self.stack, theme, self.context.settings)
        self.dialog_parent = QWidget(self)
        self.dialog_parent.hide()
        for part in (self.rail, self.activity, self.status, self.menuBar(), self.dialog_parent):
            theme.style(part)

    def _bind(self) -> None:
        """Bind the actions of the window's own parts."""
        bind = self.context.actions.bind
        for place in PLACES:
            bind(place.action_id, partial(self.navigate, place.id))
        for name, handler in {
            "quit": self.close,
            "palette": self.show_palette,
            "back": partial(self.stack.go, -1),
            "forward": partial(self.stack.go, 1),
            "activity": self.toggle_activity,
            "focus_mode": self.set_focus_mode,
            "next_pane": self.next_pane,
            "cheat_sheet": self.show_cheat_sheet,
            "reviewer": self._reviewer.choose,
        }.items():
            bind(f"global.{name}", handler)

    def _connect(self) -> None:
        context, status = self.context, self.status
        self.rail.chosen.connect(self.navigate)
        self.stack.place_changed.connect(self.rail.set_current)
        self.stack.place_changed.connect(self._elsewhere.place_changed)
        self.activity.closed.connect(self.activity.hide)
        context.notices.posted.connect(self._show_notice)
        context.changes.changed.connect(self._handle_changes)
        context.ops.saving.connect(status.saving)
        context.ops.saved.connect(status.saved)
        context.ops.refused.connect(status.saved)
        context.ops.not_saved.connect(lambda _: status.not_saved())
        context.tasks.job_started.connect(self._follow_job)
        context.session.reviewer_changed.connect(lambda: status.set_reviewer(context.session.reviewer_name))
        context.settings.changed.connect(self._apply_setting)
        self.watch.changed.connect(self._show_runs)
        self.switch.switched.connect(self._take_workspace)
        self.switch.opening.connect(self.show_opening)
        self.switch.failed.connect(lambda _: self.show_opening(""))
        self.place_watch.problem_changed.connect(status.set_blocked)
        self.backup.made.connect(self._note_backup)
        self._told.connect(self._post_note)
        status.reviewer_pressed.connect(partial(context.actions.run, "global.reviewer"))
        status.job_pressed.connect(self._show_running)

    def _take_workspace(self, services: Application | None) -> None:
        """Start over with the pages of another workspace, or of none."""
        (place, what), self._wanted = self._wanted, ("home", {})
        self._opening = ""
        self.context = self.context.with_(open_services=services)
        self.activity.enter_workspace(str(services.folder) if services is not None else "")
        self.stack.start_over(self.context)
        self.watch.stop()
        self._show_workspace()
        self.navigate(place, **what) if services is not None else self.navigate("home")

    def show_opening(self, name: str) -> None:
        """Say that a workspace is being opened, where none is open; an empty name says that it is not."""
        self._opening = name
        self._wanted = ("home", {})
        if not self.context.has_workspace:
            self.page("home").show_item(opening=name)

    def _reopen(self) -> None:
        """Open the workspace's folder again; what is filled in is kept as a draft first."""
        if self.stack.may_leave():
            self.switch.reopen()

    def _note_backup(self, path: Path) -> None:
        self.status.set_backup(f"Last backup: {path.name}")
        self.context.changes.announce(Changes.SETTINGS, None)

    def _tell_opening(self, services: Application) -> None:
        """Show what should be known about the opening: files that were open to others, unsafe places, missing work."""
        services.workspace.listen(self._told.emit)
        self.context.tasks.query(
            partial(services.workspace.notes, with_losses=False), self._post_notes, owner=self, key="notes"
        )

    def _post_notes(self, notes: list[str]) -> None:
        for note in notes:
            self._post_note(note)

    def _post_note(self, note: str) -> None:
        self.context.notices.post(note, "warn")

    def _show_workspace(self) -> None:
        """Show the open workspace in title, status bar and actions, and begin to watch its runs."""
        services, session = self.context.open_services, self.context.session
        for name in ("backup", "check", "close_workspace", "reviewer"):
            self.context.actions.set_enabled(f"global.{name}", services is not None)
        self.context.actions.set_enabled("global.demo_reset", services is not None and is_demo(services.folder))
        self._search.set_workspace(services)
        self.backup.set_workspace(services)
        self.place_watch.set_workspace(services)
        self.missing.set_workspace(services)
        if services is None:
            self.status.set_workspace("")
            session.enter_workspace("")
            self.setWindowTitle("Pairwright")
            return
        folder = services.folder
        self.status.set_workspace(folder.name, read_only=services.read_only, tooltip=str(folder))
        self.setWindowTitle(f"{folder.name} – Pairwright")
        self.watch.start(partial(services.queue.follow, self.context.settings.get("train.host")))
        self._reviewer.restore(services)
        self._tell_opening(services)

    def _handle_changes(self, changes: Changes, initiator: object) -> None:
        self.stack.handle_changes(changes, initiator)
        self._search.handle_changes(changes)
        if changes & Changes.RUNS:
            self.watch.look()

    def _show_notice(self, notice: Notice) -> None:
        self.activity.add_notice(notice)
        self.toasts.show(notice)

    def _follow_job(self, job: BackgroundTask) -> None:
        self.activity.add_job(job)
        job.changed.connect(self._show_jobs)
        job.ended.connect(self._show_jobs)
        self._show_jobs()

    def _show_jobs(self) -> None:
        jobs = self.context.tasks.jobs
        self.status.set_jobs(jobs)
        self.rail.tools["activity"].set_badge(sum(job.running for job in jobs))

    def _show_runs(self, runs: list[RunInfo]) -> None:
        live = [run for run in runs if run.live]
        self.status.set_runs(live, queued=sum(run.state == "queued" for run in runs))
        self.rail.places["runs"].set_badge(len(live))

    def _show_running(self) -> None:
        shown = self.watch.live or [run for run in self.watch.runs if run.state == "queued"]
        if shown:
            self.navigate("runs", run_id=shown[0].run_id)
        else:
            self.activity.show()

    def _apply_setting(self, key: str) -> None:
        settings = self.context.settings
        if key in ("look.theme", "look.zoom"):
            self.context.theme.apply(settings.get("look.theme"), settings.get("look.zoom"))
        elif key == "look.menu_bar":
            self.menuBar().setVisible(settings.get("look.menu_bar"))
