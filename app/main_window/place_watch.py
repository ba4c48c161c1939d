"""Says at once when the open workspace file or its lock is no longer the named one, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.messages import Banner
from core.domain.errors import UserError, WorkspaceReplaced

if TYPE_CHECKING:
    from core.services.application import Application

LOOK_MS = 5000


class PlaceWatch(QObject):
    """Compares the open file with the named one every few seconds and when the window gets the focus.

    ``problem_changed(bool)``: whether nothing can be saved. The banner stands in ``strip``, above the pages.

    Args:
        context: the window's facilities.
        reopen: closes the workspace and opens its folder again.
    """

    problem_changed = Signal(bool)

    def __init__(self, context: AppContext, reopen: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._reopen = context, reopen
        self._services: Application | None = None
        self._told = ""
        self.strip = QWidget()
        self._column = QVBoxLayout(self.strip)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.banner: Banner | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        QGuiApplication.instance().applicationStateChanged.connect(self._focus_changed)  # type: ignore[union-attr]

    def set_workspace(self, services: Application | None) -> None:
        """Watch another workspace, or none."""
        self._services = services if services is not None and not services.read_only else None
        self._clear()
        if self._services is None:
            self._timer.stop()
        else:
            self._timer.start()

    def look(self) -> None:
        """Compare now, in the background."""
        if (services := self._services) is not None:
            self._context.tasks.query(services.workspace.place_problem, self._take, owner=self, key="place")

    def tell(self, error: WorkspaceReplaced) -> None:
        """Show what a change or a read met."""
        if self._services is not None:
            self._take(error)

    def _focus_changed(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.look()

    def _take(self, error: UserError | None) -> None:
        if error is None:
            self._clear()
        elif error.message != self._told:
            self._told = error.message
            self._show(error.message)
            self._rescue()

    def _rescue(self) -> None:
        """Copy what is held open to where it is found; the banner then says where."""
        services = self._services
        if services is not None:
            self._context.tasks.query(services.workspace.rescue, self._rescued, self._not_rescued, owner=self)

    def _rescued(self, copy: Path) -> None:
        if self._told:
            self._show(f"{self._told} A copy of it lies at {copy}.")

    def _not_rescued(self, error: Exception) -> None:
        if self._told and isinstance(error, UserError):
            self._show(f"{self._told} No copy of it could be made: {error.message}")

    def _show(self, text: str) -> None:
        self._remove()
        buttons = (("Save a copy…", self._save_copy), ("Open again", self._reopen))
        title = "Nothing can be saved; what you filled in stays here"
        self.banner = Banner(
            self._context.theme, title, text, level="error", buttons=buttons, closable=False, wrap=True
        )
        self._column.addWidget(self.banner)
        self._context.theme.style(self.strip)
        self.problem_changed.emit(True)

    def _clear(self) -> None:
        self._told = ""
        if self.banner is not None:
            self._remove()
            self.problem_changed.emit(False)

    def _remove(self) -> None:
        if self.banner is not None:
            self._column.removeWidget(self.banner)
            self.banner.deleteLater()
            self.banner = None

    def _save_copy(self) -> None:
        """Ask for a new folder and make a workspace in it from what is held open."""
        services = self._services
        if services is None:
            return
        name = f"{services.folder.name} copy"
        folder = self._context.dialogs.save_file("Save a copy of the workspace in a new folder", name, "")
        if folder is not None:
            self._context.tasks.job("Copy of the workspace", lambda _: services.workspace.rescue(folder), self._saved)

    def _saved(self, folder: Path) -> None:
        self._context.notices.post(
            f"The copy is in {folder.name}.",
            "ok",
            hint=str(folder),
            action="Open it",
            run=lambda: self._context.open_workspace(folder),
        )
