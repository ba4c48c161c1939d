"""Reports of runs from the window: asks where, writes in the background, says where the file is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.background.task import TaskControl
from app.context import AppContext
from app.desktop import open_path


class RunReporter(QObject):
    """Writes one report after another; each is a job with progress and Cancel.

    Args:
        context: services, dialogs, tasks, notices.
        parent: the page.
    """

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context

    def ask(self, run_ids: Sequence[str]) -> None:
        """Ask for the file, and write the report of these runs, the first as baseline."""
        chosen = tuple(run_ids)
        path = self._context.dialogs.save_file("Report of the runs", "report.html", "HTML (*.html)") if chosen else None
        if path is None:
            return
        service = self._context.services.runs.comparisons

        def work(control: TaskControl) -> Path:
            return service.report(
                chosen, path, replace=True, on_progress=control.progress, cancelled=lambda: control.cancelled
            )

        # No owner: the notice is due even when another workspace was opened meanwhile.
        self._context.tasks.job("Report of runs", work, self._told)

    def _told(self, path: Path) -> None:
        hint = "One file that opens offline in any browser."
        self._context.notices.post(
            f"The report was written to {path}", "ok", hint=hint, action="Open", run=partial(open_path, path)
        )
