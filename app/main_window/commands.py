"""What the global actions do: one small method each, bound to the catalog."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, qVersion
from PySide6.QtGui import QDesktopServices

from app.background.task import TaskControl
from app.context import AppContext
from app.main_window.workspace_switch import WorkspaceSwitch
from app.theme.theme import ZOOM_STEPS
from core.domain.changes import Outcome
from core.domain.judgement import Reviewer, ReviewerKind
from core.version import VERSION

if TYPE_CHECKING:
    from app.main_window.window import MainWindow
    from core.services.workspace.service import CheckReport

NEW_REVIEWER = "Someone new…"


class GlobalCommands:
    """Binds the actions that work everywhere to the window and its facilities."""

    def __init__(self, window: MainWindow, context: AppContext, switch: WorkspaceSwitch, logs: Path) -> None:
        self._window, self._switch, self._logs = window, switch, logs
        self._base = context
        bind = context.actions.bind
        for place in ("home", "data", "rubrics", "annotate", "train", "runs", "inspect", "settings"):
            bind(f"global.{place}", lambda name=place: window.navigate(name))
        for name, handler in {
            "open": self.open_workspace,
            "new": self.new_workspace,
            "demo": lambda: switch.open_demo(),
            "demo_reset": self.reset_demo,
            "backup": self.back_up,
            "check": self.check,
            "close_workspace": self.close_workspace,
            "quit": window.close,
            "palette": window.show_palette,
            "back": lambda: window.go(-1),
            "forward": lambda: window.go(1),
            "activity": window.toggle_activity,
            "zoom_in": lambda: self.zoom(1),
            "zoom_out": lambda: self.zoom(-1),
            "zoom_reset": lambda: context.settings.set("look.zoom", 100),
            "theme": self.switch_theme,
            "focus_mode": window.set_focus_mode,
            "next_pane": window.next_pane,
            "cheat_sheet": window.show_cheat_sheet,
            "reviewer": self.choose_reviewer,
            "logs": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(logs))),
            "about": self.about,
        }.items():
            bind(f"global.{name}", handler)

    @property
    def _context(self) -> AppContext:
        return self._window.context

    def open_workspace(self) -> None:
        """Ask for a folder and open it."""
        if folder := self._base.dialogs.open_folder("Open a workspace"):
            self._switch.open(folder)

    def new_workspace(self) -> None:
        """Ask for a folder and make a workspace in it."""
        if folder := self._base.dialogs.open_folder("Choose an empty folder for the new workspace"):
            self._switch.open(folder, create=True)

    def close_workspace(self) -> None:
        """Go back to the first screen."""
        if self._window.pages_let_go():
            self._switch.close()

    def reset_demo(self) -> None:
        """Replace the demo workspace by a fresh copy, after asking."""
        text = "Labels, rubrics and runs you made in the demo workspace are deleted."
        if self._base.dialogs.confirm("Reset the demo", text, "Reset") and self._window.pages_let_go():
            self._switch.open_demo(reset=True)

    def back_up(self) -> None:
        """Write a verified copy in the background and say where."""
        services = self._context.services

        def tell(path: Path) -> None:
            self._base.notices.post(f"Backed up to {path.name}.", "ok", hint=str(path))

        self._base.tasks.job("Backup", lambda _control: services.workspace.backup(), tell)

    def check(self) -> None:
        """Check the workspace in the background and say what was found."""
        services = self._context.services

        def work(control: TaskControl) -> CheckReport:
            return services.workspace.check(lambda name, done, total: control.progress(done, total, name))

        def tell(report: CheckReport) -> None:
            serious = [finding.message for finding in report.findings if finding.serious]
            if serious:
                text = f"The check found {len(serious)} problem{'s' * (len(serious) > 1)}."
                self._base.notices.post(text, "error", hint="; ".join(serious[:3]))
            else:
                self._base.notices.post("The workspace is sound.", "ok", hint=_minor(report))

        self._base.tasks.job("Check of the workspace", work, tell)

    def zoom(self, step: int) -> None:
        """Go to the next text size."""
        now = self._base.settings.get("look.zoom")
        sizes = [s for s in ZOOM_STEPS if (s > now if step > 0 else s < now)]
        if sizes:
            self._base.settings.set("look.zoom", sizes[0] if step > 0 else sizes[-1])

    def switch_theme(self) -> None:
        """Go from light to dark or back."""
        self._base.settings.set("look.theme", "light" if self._base.theme.tokens.dark else "dark")

    def choose_reviewer(self) -> None:
        """Ask who is labelling; a new name becomes a new reviewer."""
        if not self._context.has_workspace:
            return
        services = self._context.services
        self._base.tasks.query(services.reviewers.list, self._offer_reviewers, owner=self._window)

    def _offer_reviewers(self, reviewers: list[Reviewer]) -> None:
        people = [r for r in reviewers if r.kind is ReviewerKind.HUMAN]
        session = self._base.session
        here = [r.id for r in people].index(session.reviewer_id) if session.reviewer_id in [r.id for r in people] else 0
        names = [*(r.name for r in people), NEW_REVIEWER]
        choice = self._base.dialogs.choose("Reviewer", "Who is labelling?", names, here) if people else len(people)
        if choice is None:
            return
        if choice < len(people):
            session.set_reviewer(people[choice].id, people[choice].name)
        else:
            self._add_reviewer()

    def _add_reviewer(self) -> None:
        name = self._base.dialogs.text("New reviewer", "A pseudonym; it is stored with every judgement.")
        if not name:
            return
        services, session = self._context.services, self._base.session

        def take(outcome: Outcome[Reviewer]) -> None:
            session.set_reviewer(outcome.value.id, outcome.value.name)

        self._base.ops.mutate(lambda: services.reviewers.add(name), take, owner=self._window)

    def about(self) -> None:
        """Say what this is."""
        python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        self._base.dialogs.ask(
            "About Pairwright",
            f"Pairwright {VERSION}",
            ("Close",),
            detail="A desktop workbench for preference tuning. Apache-2.0. Everything stays on this computer.\n"
            f"{python}, Qt {qVersion()} (LGPL-3), pyqtgraph (MIT), PyTorch (BSD-3), transformers, PEFT (Apache-2.0).",
            kind="info",
        )


def _minor(report: CheckReport) -> str:
    """Return what the check noticed that loses nothing."""
    return "; ".join(finding.message for finding in report.findings if not finding.serious)
