"""The queue, sweeps and the frontier from the Runs page: which dialog is opened for which run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.runs.presenter import RESUMABLE, MonitorData
from app.runs.queue_dialog import QueueDialog


class QueueActions(QObject):
    """Handles the actions of queue, sweep and frontier.

    Args:
        context: services, dialogs, notices.
        parent: the page, over which the dialogs stand.
        shown: the run that the page shows, None where it shows none.
    """

    def __init__(self, context: AppContext, parent: QWidget, shown: Callable[[], MonitorData | None]) -> None:
        super().__init__(parent)
        self._context, self._parent, self._shown = context, parent, shown

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return the actions of the catalog that this object handles."""
        return {"runs.queue": self.open_queue, "runs.enqueue": self.enqueue}

    def open_queue(self) -> None:
        """Show the queue; the run that the page shows can be added there."""
        found = self._shown()
        may_wait = found is not None and found.status.state in RESUMABLE and found.status.state != "queued"
        words = f"Add {found.name}" if found is not None else ""
        add = (lambda: found.run_id) if found is not None and may_wait else None
        dialog = QueueDialog(self._parent, self._context, add=add, add_words=words)
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def enqueue(self) -> None:
        """Let the run that the page shows wait for its turn."""
        found, queue = self._shown(), self._context.services.queue
        if found is None:
            return

        def done(_outcome: Any) -> None:
            hint = "It starts when no other run is trained."
            self._context.notices.post(
                f"{found.name} is in the queue.", "ok", hint=hint, action="Undo", run=lambda: self._remove(found.run_id)
            )

        self._context.ops.mutate(lambda: queue.put(found.run_id), done, owner=self)

    def _remove(self, run_id: str) -> None:
        queue = self._context.services.queue
        self._context.ops.mutate(lambda: queue.remove(run_id), owner=self)
