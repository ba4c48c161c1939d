"""A shared folder that is looked at while the window is open: what desks send into it is merged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.domain.counting import counted
from core.domain.errors import UserError
from core.services.bundles.watching import BundleWatch

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.domain.changes import Outcome
    from core.services.bundles.service import Merged

EVERY_MS = 5000


class WatchedFolder(QObject):
    """Looks every five seconds, one look at a time.

    Signals:
        merged(list): what became of the files of one look.
        changed(): it began, ended, or the folder is not there now (``problem``).
    """

    merged = Signal(list)
    changed = Signal()

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._watch: BundleWatch | None = None
        self._busy = False
        self.problem = ""
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        """The folder that is watched; None while none is."""
        return self._watch.folder if self._watch is not None else None

    def start(self, folder: Path) -> None:
        """Watch a folder, and look at once."""
        self._watch, self.problem = BundleWatch(folder), ""
        self._timer.start()
        self.changed.emit()
        self.look()

    def stop(self) -> None:
        """Watch no folder any more."""
        self._watch, self.problem = None, ""
        self._timer.stop()
        self.changed.emit()

    def look(self) -> None:
        """Look for new and changed files, and merge them."""
        watch = self._watch
        if watch is not None and not self._busy:
            self._busy = True
            self._context.tasks.query(watch.fresh, self._merge, self._failed, owner=self, key="look")

    def _merge(self, files: Sequence[Path]) -> None:
        self._told("")
        if not files:
            self._busy = False
            return
        services, by = self._context.services, self._context.session.reviewer_id
        self._context.ops.mutate(lambda: services.bundles.merge(files, by), self._tell, self._failed, owner=self)

    def _tell(self, outcome: Outcome[list[Merged]]) -> None:
        self._busy = False
        new = [one for one in outcome.value if one.state != "known"]
        if new:
            refused = sum(one.state == "refused" for one in new)
            words = f"{counted(len(new) - refused, 'returned bundle')} merged from the shared folder."
            words = f"{counted(refused, 'file')} of the shared folder refused; Bundles… says why." if refused else words
            self._context.notices.post(words, "warn" if refused else "ok")
            self.merged.emit(new)

    def _failed(self, error: Exception) -> None:
        self._busy = False
        if isinstance(error, UserError):
            self._told(f"{error.message} {error.hint}".strip())
        else:
            self.stop()
            self._context.tasks.unhandled.emit(error)

    def _told(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self.changed.emit()
