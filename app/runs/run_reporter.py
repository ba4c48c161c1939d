"""Reports and numbers of runs from the window: asks where, writes in the background, says where the files are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.background.task import TaskControl
from app.context import AppContext
from app.desktop import open_path
from app.runs.export_dialog import default_name
from core.services.runs.log_export import ExportedLog, LogForm

LOG_TEXT: Mapping[LogForm, str] = {"tensorboard": "TensorBoard event files", "trackio": "A trackio project"}


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

    def ask_log(self, run_id: str, name: str) -> None:
        """Ask for which tool and where, and write the numbers of a run."""
        place = self._context.dialogs.choose("Export the numbers", "For which tool?", list(LOG_TEXT.values()))
        if place is None:
            return
        form: LogForm = list(LOG_TEXT)[place]
        folder = self._context.dialogs.open_folder("Folder of the export", Path.home())
        if folder is None:
            return
        service, target = self._context.services.runs.comparisons, folder / default_name(name, form)

        def work(control: TaskControl) -> ExportedLog:
            return service.export_log(
                run_id, target, form, on_progress=control.progress, cancelled=lambda: control.cancelled
            )

        self._context.tasks.job(f"Export the numbers of {name}", work, self._log_told)

    def _log_told(self, made: ExportedLog) -> None:
        self._context.notices.post(
            f"The numbers were written to {made.path}",
            "ok",
            hint=f"Look with: {made.look_with}",
            action="Open folder",
            run=partial(open_path, made.path),
        )

    def _told(self, path: Path) -> None:
        hint = "One file that opens offline in any browser."
        self._context.notices.post(
            f"The report was written to {path}", "ok", hint=hint, action="Open", run=partial(open_path, path)
        )
