"""Forking a run: asks from which checkpoint and with what changes, then starts the fork."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.runs import presenter
from app.runs.fork_dialog import ForkDialog
from core.domain.changes import Outcome
from core.services.runs.views import RunInfo


class RunForker(QObject):
    """Forks the run that is shown.

    Args:
        context: services, dialogs.
        parent: the page, over which the dialog stands.
        snapshot: returns what the monitor shows, None for nothing.
        show_run: shows the run ``run_id``.
    """

    def __init__(
        self,
        context: AppContext,
        parent: QWidget,
        snapshot: Callable[[], presenter.MonitorData | None],
        show_run: Callable[..., None],
    ) -> None:
        super().__init__(parent)
        self._context, self._parent, self._snapshot, self._show_run = context, parent, snapshot, show_run

    def ask(self) -> None:
        """Ask for the step and the changes, and start the fork."""
        found, service = self._snapshot(), self._context.services.runs
        if found is None or not found.checkpoints:
            return
        dialog = ForkDialog(self._parent, self._context, found.name, found.record.config, found.checkpoints)
        if self._context.dialogs.run(dialog):
            step, changes, name = dialog.step, dialog.changes(), dialog.name.text().strip()
            host = self._context.settings.get("train.host")

            def work() -> Outcome[RunInfo]:
                outcome = service.fork(found.run_id, step, changes, name=name)
                service.start(outcome.value.run_id, host)
                return outcome

            self._context.ops.mutate(work, lambda o: self._show_run(run_id=o.value.run_id), owner=self._parent)
        dialog.deleteLater()
