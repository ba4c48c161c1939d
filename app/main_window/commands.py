"""What the actions that work everywhere do, but for those of the window's own parts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, QUrl, qVersion
from PySide6.QtGui import QDesktopServices

from app.background.task import TaskControl
from app.context import AppContext
from app.main_window.desks import Desks
from app.main_window.new_workspace import NewWorkspaceDialog
from app.main_window.workspace_switch import WorkspaceSwitch, is_demo
from app.theme.theme import ZOOM_STEPS
from core.domain.changes import Changes
from core.version import VERSION

if TYPE_CHECKING:
    from core.services.workspace.service import CheckReport


class GlobalCommands(QObject):
    """Opens, closes, checks and copies workspaces, changes how the window looks, and tells about the program.

    Args:
        context: the window's facilities; the open workspace is asked from ``switch``.
        switch: opens and closes workspaces.
        may_leave: whether all pages may be left for good; called before a workspace is closed or replaced.
        logs: the folder that ``global.logs`` opens.
        parent: owner of what runs in the background.
    """

    def __init__(
        self,
        context: AppContext,
        switch: WorkspaceSwitch,
        may_leave: Callable[[], bool],
        logs: Path,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._context, self._switch, self._may_leave = context, switch, may_leave
        self.desks = Desks(context, switch, self)
        for name, handler in {
            "open": self.open_workspace,
            "new": self.new_workspace,
            "demo": lambda: switch.open_demo(),
            "demo_reset": self.reset_demo,
            "backup": self.back_up,
            "check": self.check,
            "close_workspace": self.close_workspace,
            "zoom_in": lambda: self.zoom(1),
            "zoom_out": lambda: self.zoom(-1),
            "zoom_reset": lambda: context.settings.reset("look.zoom"),
            "theme": self.switch_theme,
            "logs": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(logs))),
            "about": self.show_about,
        }.items():
            context.actions.bind(f"global.{name}", handler)

    def open_workspace(self) -> None:
        """Ask for a folder and open the workspace in it."""
        if folder := self._context.dialogs.open_folder("Open a workspace", self._place()):
            self._switch.open(folder)

    def new_workspace(self) -> None:
        """Ask for a name and a folder, which need not exist, and make a workspace there."""
        dialogs = self._context.dialogs
        choose = partial(dialogs.open_folder, "Folder for the new workspace")
        dialog = NewWorkspaceDialog(dialogs.parent, self._place(), choose)
        if dialogs.run(dialog):
            self._switch.open(dialog.folder, create=True)
        dialog.deleteLater()

    def _place(self) -> Path:
        """Return where the user keeps workspaces: beside the newest one that is no demo, else in Documents or home."""
        kept = [folder.parent for folder in self._context.session.recent_workspaces() if not is_demo(folder)]
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        places = [*kept, Path(documents) if documents else Path.home(), Path.home()]
        return next((place for place in places if place.is_dir()), Path.home())

    def close_workspace(self) -> None:
        """Close the workspace and show the first screen."""
        if self._may_leave():
            self._switch.close()

    def reset_demo(self) -> None:
        """Replace the demo workspace by a fresh copy, after asking."""
        text = "Labels, rubrics and runs you made in the demo workspace are deleted."
        if self._context.dialogs.confirm("Reset the demo", text, "Reset") and self._may_leave():
            self._switch.open_demo(reset=True)

    def back_up(self) -> None:
        """Write a verified copy in the background and say where it is."""
        if services := self._switch.current:
            self._context.tasks.job("Backup", lambda _control: services.workspace.backup(), self._report_backup)

    def check(self) -> None:
        """Check the workspace in the background and say what was found."""
        if services := self._switch.current:

            def work(control: TaskControl) -> CheckReport:
                return services.workspace.check(lambda name, done, total: control.progress(done, total, name))

            self._context.tasks.job("Check of the workspace", work, self._report_check)

    def zoom(self, step: int) -> None:
        """Take the next larger (1) or smaller (-1) text size."""
        percent = self._context.settings.get("look.zoom")
        sizes = [size for size in ZOOM_STEPS if (size > percent if step > 0 else size < percent)]
        if sizes:
            self._context.settings.set("look.zoom", sizes[0] if step > 0 else sizes[-1])

    def switch_theme(self) -> None:
        """Switch between the light and the dark theme."""
        self._context.settings.set("look.theme", "light" if self._context.theme.tokens.dark else "dark")

    def show_about(self) -> None:
        """Show version, licence and the libraries in use."""
        python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        self._context.dialogs.ask(
            "About Pairwright",
            f"Pairwright {VERSION}",
            ("Close",),
            detail="A desktop workbench for preference tuning. Apache-2.0. Everything stays on this computer.\n"
            f"{python}, Qt {qVersion()} (LGPL-3), pyqtgraph (MIT), PyTorch (BSD-3), transformers, PEFT (Apache-2.0).",
            kind="info",
        )

    def _report_backup(self, path: Path) -> None:
        self._context.notices.post(f"Backed up to {path.name}.", "ok", hint=str(path))
        self._context.changes.announce(Changes.SETTINGS, None)

    def _report_check(self, report: CheckReport) -> None:
        serious = [finding.message for finding in report.findings if finding.serious]
        minor = [finding.message for finding in report.findings if not finding.serious]
        if serious:
            text = f"The check found {len(serious)} problem{'s' * (len(serious) > 1)}."
            self._context.notices.post(text, "error", hint="; ".join(serious[:3]))
        else:
            self._context.notices.post("The workspace is sound.", "ok", hint="; ".join(minor))
