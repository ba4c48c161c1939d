"""The window: rail, pages, drawer and status bar. A frame only; what pages do is theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.main_window.activity import ActivityPanel
from app.main_window.closing import may_close
from app.main_window.commands import GlobalCommands
from app.main_window.history import History
from app.main_window.menus import fill_menu_bar
from app.main_window.page import Page
from app.main_window.panes import next_pane
from app.main_window.places import BY_ID, make_page
from app.main_window.rail import Rail
from app.main_window.status_bar import StatusBar
from app.main_window.toasts import ToastStack
from app.main_window.workspace_switch import WorkspaceSwitch, is_demo
from app.notices import Notice
from core.domain.changes import Changes

SIZE = (1280, 800)
LEAST = (1024, 700)


class MainWindow(QMainWindow):
    """Shows one page at a time and hands announcements on to them."""

    def __init__(self, context: AppContext, switch: WorkspaceSwitch, logs: Path) -> None:
        super().__init__()
        self.context = context.with_(navigate=self.navigate, open_workspace=switch.open)
        self.switch, self.watch = switch, context.watch
        self.pages: dict[str, Page] = {}
        self.place = ""
        self._history = History()
        self.setWindowTitle("Pairwright")
        self.setMinimumSize(*LEAST)
        self.resize(*SIZE)
        self._build()
        self.commands = GlobalCommands(self, self.context, switch, logs)
        self._connect()
        self._restore()
        context.actions.install(self)
        fill_menu_bar(self.menuBar(), context.actions)
        self.menuBar().setVisible(context.settings.get("look.menu_bar"))
        self._tell_workspace()
        self.navigate("home")

    def navigate(self, place: str, **what: Any) -> None:
        """Show a place, and in it what the keywords say."""
        self._history.visit(place, what)
        self._show(place, what)

    def go(self, step: int) -> None:
        """Go back (-1) or forward (+1)."""
        if visit := self._history.go(step):
            self._show(*visit)

    def page(self, place: str) -> Page:
        """Return the page of a place, made when it is first asked for."""
        if place not in self.pages:
            page = make_page(BY_ID[place], self.context)
            self.pages[place] = page
            self.stack.addWidget(page)
            self.context.theme.style(page)
        return self.pages[place]

    def pages_let_go(self) -> bool:
        """Ask every page whether it may be left for good."""
        return all(page.can_leave() for page in self.pages.values())

    def show_palette(self) -> None:
        """Open the command palette."""
        from app.actions.palette import CommandPalette
        from app.main_window import object_search as find

        actions, navigate = self.context.actions, self.navigate
        providers = [find.command_provider(actions)]
        if self.context.has_workspace:
            rubrics = self._rubrics
            providers += [find.pair_provider(navigate), find.run_provider(self.watch, navigate)]
            providers.append(find.rubric_provider(lambda: rubrics, navigate))
        palette = CommandPalette(self, self.context.theme, self.context.settings, providers)
        self.context.theme.style(palette)
        palette.show()

    def show_cheat_sheet(self) -> None:
        """Show the keys that work here."""
        from app.actions.cheat_sheet import CheatSheet

        sheet = CheatSheet(self, self.context.actions, self.place)
        self.context.theme.style(sheet)
        sheet.open()

    def toggle_activity(self) -> None:
        """Open or shut the drawer."""
        self.activity.setVisible(not self.activity.isVisible())

    def set_focus_mode(self, on: bool) -> None:
        """Show only the page, or everything again."""
        for part in (self.rail, self.status):
            part.setVisible(not on)
        self.context.actions.set_checked("global.focus_mode", on)

    def next_pane(self) -> None:
        """Move the keyboard to the next part."""
        if target := next_pane(self.centralWidget(), QApplication.focusWidget()):
            target.setFocus(Qt.FocusReason.TabFocusReason)

    def come_forward(self) -> None:
        """Be in front, as when the program is started a second time."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask pages and runs, then remember where everything was."""
        if not self.pages_let_go() or not may_close(self.context, self.watch, self.close):
            event.ignore()
            return
        settings = self.context.settings
        settings.set_state("window/geometry", self.saveGeometry())
        settings.set_state("window/place", self.place)
        settings.sync()
        self.watch.stop()
        super().closeEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let Alt show the menu bar for a moment."""
        if event.key() == Qt.Key.Key_Alt and not self.context.settings.get("look.menu_bar"):
            bar = self.menuBar()
            bar.setVisible(not bar.isVisible())
            if bar.isVisible():
                bar.setFocus(Qt.FocusReason.MenuBarFocusReason)
        super().keyReleaseEvent(event)

    def _build(self) -> None:
        theme, settings = self.context.theme, self.context.settings
        centre = QWidget()
        outer = QVBoxLayout(centre)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        self.rail = Rail(theme, self.context.actions)
        self.stack = QStackedWidget()
        self.activity = ActivityPanel(theme)
        self.activity.hide()
        self.status = StatusBar(theme)
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        row.addWidget(self.activity)
        outer.addLayout(row, 1)
        outer.addWidget(self.status)
        self.setCentralWidget(centre)
        self.toasts = ToastStack(self.stack, theme, settings)
        self.dialog_parent = QWidget(self)
        self.dialog_parent.hide()
        for part in (self.rail, self.activity, self.status, self.menuBar(), self.dialog_parent):
            theme.style(part)
        self._rubrics: list[Any] = []

    def _connect(self) -> None:
        context, status = self.context, self.status
        self.rail.chosen.connect(self.navigate)
        self.activity.closed.connect(self.activity.hide)
        context.notices.posted.connect(self._notice)
        context.changes.changed.connect(self._hear)
        context.ops.saving.connect(status.saving)
        context.ops.saved.connect(status.saved)
        context.ops.not_saved.connect(lambda _: status.not_saved())
        context.tasks.job_started.connect(self._job)
        context.session.reviewer_changed.connect(lambda: status.set_reviewer(context.session.reviewer_name))
        context.settings.changed.connect(self._setting)
        self.watch.changed.connect(self._runs)
        self.switch.switched.connect(self._switched)
        status.reviewer_pressed.connect(lambda: context.actions.run("global.reviewer"))
        status.job_pressed.connect(self._show_running)

    def _restore(self) -> None:
        geometry = self.context.settings.state_bytes("window/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)

    def _show(self, place: str, what: dict[str, Any]) -> None:
        page = self.page(place)
        old = self.pages.get(self.place)
        if page is not old:
            if old is not None:
                old.on_hidden()
            self.place = place
            self.stack.setCurrentWidget(page)
            self.context.actions.set_place(place)
            self.rail.set_current(place)
            page.come_to_front()
            (page.first_focus() or page).setFocus(Qt.FocusReason.OtherFocusReason)
        if what:
            page.show_item(**what)
        for name, step in (("back", -1), ("forward", 1)):
            self.context.actions.set_enabled(f"global.{name}", self._history.can(step))

    def _switched(self, services: Any) -> None:
        """Throw all pages away and begin again with another workspace, or none."""
        self.context = self.context.with_(open_services=services)
        self.context.actions.unbind_places()
        for page in self.pages.values():
            page.on_hidden()
            self.stack.removeWidget(page)
            page.deleteLater()
        self.pages.clear()
        self._history.clear()
        self.place, self._rubrics = "", []
        self.watch.stop()
        self._tell_workspace()
        self.navigate("home")

    def _tell_workspace(self) -> None:
        services = self.context.open_services
        for name in ("backup", "check", "close_workspace", "reviewer"):
            self.context.actions.set_enabled(f"global.{name}", services is not None)
        demo = services is not None and is_demo(services.folder)
        self.context.actions.set_enabled("global.demo_reset", demo)
        if services is None:
            self.status.set_workspace("")
            self.context.session.enter_workspace("")
            self.setWindowTitle("Pairwright")
            return
        folder = services.folder
        self.status.set_workspace(folder.name, read_only=services.read_only, tooltip=str(folder))
        self.setWindowTitle(f"{folder.name} – Pairwright")
        self.watch.start(lambda: services.runs.list())
        self._read_names()

    def _read_names(self) -> None:
        """Read what the palette and the status bar name: rubrics, and the reviewer of last time."""
        services, tasks = self.context.services, self.context.tasks

        def read() -> tuple[str, list[Any], list[Any]]:
            return services.workspace.info().uuid, services.reviewers.list(), services.rubrics.list()

        def take(found: tuple[str, list[Any], list[Any]]) -> None:
            uuid, reviewers, self._rubrics = found
            wanted = self.context.session.enter_workspace(uuid)
            for reviewer in reviewers:
                if reviewer.id == wanted:
                    self.context.session.set_reviewer(reviewer.id, reviewer.name)

        tasks.query(read, take, owner=self, key="names")

    def _hear(self, changes: Changes, initiator: object) -> None:
        for page in list(self.pages.values()):
            page.hear(changes, initiator)
        if changes & Changes.RUNS:
            self.watch.look()
        if changes & Changes.RUBRICS and self.context.has_workspace:
            services = self.context.services
            self.context.tasks.query(services.rubrics.list, self._take_rubrics, owner=self, key="rubrics")

    def _take_rubrics(self, rubrics: list[Any]) -> None:
        self._rubrics = rubrics

    def _notice(self, notice: Notice) -> None:
        self.activity.add_notice(notice)
        self.toasts.show(notice)

    def _job(self, job: Any) -> None:
        self.activity.add_job(job)
        jobs = self.context.tasks.jobs
        job.changed.connect(lambda: self.status.set_jobs(jobs))
        job.ended.connect(lambda: self.rail.tools["activity"].set_badge(sum(j.running for j in jobs)))
        self.rail.tools["activity"].set_badge(sum(j.running for j in jobs))
        self.status.set_jobs(jobs)

    def _runs(self, _runs: list[Any]) -> None:
        live = self.watch.live
        self.status.set_runs(live)
        self.rail.places["runs"].set_badge(len(live))

    def _show_running(self) -> None:
        live = self.watch.live
        if live:
            self.navigate("runs", run_id=live[0].run_id)
        else:
            self.activity.show()

    def _setting(self, key: str) -> None:
        settings = self.context.settings
        if key in ("look.theme", "look.zoom"):
            self.context.theme.apply(settings.get("look.theme"), settings.get("look.zoom"))
        elif key == "look.menu_bar":
            self.menuBar().setVisible(settings.get("look.menu_bar"))
