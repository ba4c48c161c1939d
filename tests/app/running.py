"""The real window for tests: answers questions by itself and notes what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QDialog

from app import bootstrap
from app.background.idle_queue import IdleQueue
from app.dialogs import Dialogs
from app.main_window.page_factory import preload
from app.widgets.dialog import BaseDialog
from app.widgets.plots.monitor_grid import MonitorGrid
from core.domain.errors import UserError
from core.paths import user_data_dir


class ScriptedDialogs(Dialogs):
    """Answers from a list, in order; a question nobody foresaw fails the test."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Any] = []
        self.asked: list[str] = []
        self.on_dialog: Callable[[QDialog], bool] | None = None

    def ask(self, title: str, text: str, buttons: Sequence[str], *, detail: str = "", kind: Any = "question") -> str:
        return self._next(f"{title}: {text} {detail}")

    def confirm(self, title: str, text: str, action: str, *, detail: str = "") -> bool:
        return self._next(f"{title}: {text}") in (True, action)

    def text(self, title: str, label: str, value: str = "", **_: Any) -> str | None:
        return self._next(f"{title}: {label}")

    def choose(
        self, title: str, label: str, items: Sequence[str], current: int = 0, *, keys: Sequence[str] = ()
    ) -> int | None:
        answer = self._next(f"{title}: {label}")
        return list(items).index(answer) if isinstance(answer, str) else answer

    def open_file(self, title: str, filters: str, start: Path | None = None) -> Path | None:
        return self._next(title)

    def open_files(self, title: str, filters: str) -> list[Path]:
        answer = self._next(title)
        return [] if answer is None else list(answer) if isinstance(answer, list | tuple) else [answer]

    def save_file(self, title: str, name: str, filters: str) -> Path | None:
        return self._next(title)

    def open_folder(self, title: str, start: Path | None = None) -> Path | None:
        return self._next(title)

    def run(self, dialog: BaseDialog) -> bool:
        self.asked.append(dialog.windowTitle())
        assert self.on_dialog is not None, f"nobody answers the dialog {dialog.windowTitle()!r}"
        self.guard(dialog)
        return self.on_dialog(dialog)

    def _next(self, question: str) -> Any:
        self.asked.append(question)
        assert self.answers, f"nobody answers: {question}"
        return self.answers.pop(0)


@dataclass
class RunningTestApp:
    """A running window and what a test needs of it."""

    __test__ = False
    qtbot: Any
    app: bootstrap.RunningApp
    dialogs: ScriptedDialogs
    expected: list[type[BaseException]] = field(default_factory=list)
    closed: bool = False

    @property
    def window(self) -> Any:
        """The main window."""
        return self.app.window

    @property
    def context(self) -> Any:
        """The context as pages see it now."""
        return self.app.window.context

    @property
    def tasks(self) -> Any:
        """The task runner."""
        return self.app.tasks

    @property
    def unexpected(self) -> list[BaseException]:
        """Errors that are bugs (a ``UserError`` was told to the user, which is what it is for)."""
        allowed = (UserError, *self.expected)
        return [e for e in self.app.errors.shown if not isinstance(e, allowed)]

    def page(self, place: str) -> Any:
        """Go to a place and return its page once all its parts are made."""
        self.app.window.navigate(place)
        page = self.app.window.page(place)
        self.qtbot.waitUntil(lambda: page.is_built)
        return page

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way: no background work, no part or plot to make or to draw, none to style."""
        grids = self.app.window.findChildren(MonitorGrid)
        drawn = all(grid.settled for grid in grids if grid.isVisible())
        made = not any(queue.busy for queue in self.app.window.findChildren(IdleQueue))
        return made and drawn and not self.app.tasks.busy and self.context.theme.settled

    def settle(self) -> None:
        """Wait until nothing is under way."""
        self.qtbot.waitUntil(lambda: self.quiet)

    def shut(self) -> None:
        """Close and delete everything."""
        if not self.closed:
            self.closed = True
            self.app.close()
            self.app.window.hide()
            self.app.window.deleteLater()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def open_app(
    qtbot: Any,
    *,
    workspace: Path | None = None,
    create: bool = False,
    show: bool = True,
    size: tuple[int, int] = (1280, 800),
    theme: str = "light",
    opener: Any = bootstrap.open_application,
    place: str = "home",
) -> RunningTestApp:
    """Build the window through ``bootstrap`` and open a workspace in it, at a place: no other page is made then."""
    app = bootstrap.make_application([])
    _settle_settings(theme)
    dialogs = ScriptedDialogs()
    made = RunningTestApp(qtbot, bootstrap.build(app, dialogs=dialogs, opener=opener), dialogs)
    made.window.resize(*size)
    if show:
        made.window.show()
    if workspace is not None:
        with qtbot.waitSignal(made.app.switch.switched):
            made.app.switch.open(workspace, create=create)
            if place != "home":
                made.window.navigate(place)
    made.settle()
    preload(bootstrap.PRELOAD)  # the running program does it on a thread once its window is painted
    return made


def _settle_settings(theme: str) -> None:
    """Write what the tests of a window need into the file of settings, which the window reads when it is built."""
    path = user_data_dir() / "settings.json"
    values = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    values |= {
        "look.theme": theme,
        "general.toast_seconds": 0,  # on a busy machine they would go before a test looks
        "backups.on_close": False,  # tests that are about it switch it on
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")
