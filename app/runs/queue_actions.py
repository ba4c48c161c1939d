"""The queue, sweeps and the frontier from the Runs page: which dialog is opened for which run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.runs.frontier_dialog import FrontierDialog
from app.runs.presenter import RESUMABLE, MonitorData, subtitle
from app.runs.queue_dialog import RunQueueDialog
from app.runs.sweep_dialog import SweepDialog
from app.widgets.buttons import action_button
from app.widgets.flow import FlowLayout
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.errors import UserError
from core.services.runs.sweeps import request_of
from core.services.runs.views import RunInfo, RunRequest


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
        return {
            "runs.queue": self.open_queue,
            "runs.enqueue": self.enqueue,
            "runs.sweep": self.sweep_of_shown,
            "runs.frontier": self.open_frontier,
        }

    def buttons(self) -> FlowLayout:
        """Return the buttons of queue, sweep and frontier in a row."""
        row, actions = FlowLayout(), self._context.actions
        row.addWidget(action_button(actions, "runs.queue", text="Queue", theme=self._context.theme))
        for action_id in ("runs.sweep", "runs.frontier"):
            row.addWidget(action_button(actions, action_id, icon_only=True))
        return row

    def take(self, what: Mapping[str, Any]) -> None:
        """Ask about the sweep that another page wants to begin, once this one is in front."""
        wanted = what.get("sweep")
        if isinstance(wanted, RunRequest):
            QTimer.singleShot(0, self, partial(self.ask_sweep, wanted, f"the form under Train ({wanted.name})"))

    def open_queue(self) -> None:
        """Show the queue; the run that the page shows can be added there."""
        found = self._shown()
        may_wait = found is not None and found.status.state in RESUMABLE and found.status.state != "queued"
        words = f"Add {found.name}" if found is not None else ""
        add = (lambda: found.run_id) if found is not None and may_wait else None
        dialog = RunQueueDialog(self._parent, self._context, add=add, add_words=words)
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

    def open_frontier(self) -> None:
        """Show the runs by quality and KL."""
        found = self._shown()
        dialog = FrontierDialog(self._parent, self._context, found.run_id if found is not None else "")
        dialog.run_wanted.connect(lambda run_id: self._context.navigate("runs", run_id=run_id))
        self._context.dialogs.run(dialog)
        dialog.deleteLater()

    def sweep_of_shown(self) -> None:
        """Ask which settings of the shown run vary; without a run, a sweep begins under Train."""
        found = self._shown()
        if found is None:
            self._context.navigate("train")
            self._context.notices.post("Fill in the form, then choose Sweep…")
            return
        try:
            request = request_of(found.record)
        except UserError as error:
            self._context.tasks.unhandled.emit(error)
            return
        self.ask_sweep(request, f"{found.name} ({subtitle(found)})")

    def ask_sweep(self, request: RunRequest, about: str) -> None:
        """Ask what varies, then create the runs and let them wait."""
        dialog = SweepDialog(self._parent, self._context, request, about)
        accepted, plan, wanted = self._context.dialogs.run(dialog), dialog.plan, dialog.request()
        dialog.deleteLater()
        if not accepted or plan is None:
            return
        queue = self._context.services.queue

        def done(outcome: Outcome[list[RunInfo]]) -> None:
            words, hint = f"{counted(len(outcome.value), 'run')} are in the queue.", "They start one after the other."
            self._context.notices.post(words, "ok", hint=hint, action="Show the queue", run=self.open_queue)

        title = f"Sweep over {plan.title}"
        self._context.ops.job(title, lambda _: queue.add_sweep(wanted, plan), done, owner=self)
