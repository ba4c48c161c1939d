"""Exporting a run from the window: ask how, export in the background, say where it is and how to load it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.background.task import TaskControl
from app.context import AppContext
from app.desktop import open_path
from app.runs.export_dialog import ExportDialog
from app.runs.presenter import MonitorData, refused_forms
from core.services.models.export import ExportedRun


class RunExporter(QObject):
    """Exports one run after another; each is a job with progress and Cancel.

    Args:
        context: services, dialogs, tasks, notices.
        parent: the page, over which the dialog stands.
    """

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context, self._parent = context, parent
        self._folder = Path.home()

    def ask(self, run: MonitorData | None) -> None:
        """Ask for form, precision and place, and start the export; nothing without a run that has a result."""
        if run is None or not run.has_result:
            return
        dialog = ExportDialog(self._parent, self._context, run.name, refused_forms(run), self._folder)
        if self._context.dialogs.run(dialog):
            request, service = dialog.request(), self._context.services.runs
            self._folder = request.target.parent

            def work(control: TaskControl) -> ExportedRun:
                return service.export(
                    run.run_id,
                    request.target,
                    request.form,
                    dtype=request.dtype,
                    on_progress=control.progress,
                    cancelled=lambda: control.cancelled,
                )

            # No owner: the notice is due even when another workspace was opened meanwhile.
            self._context.tasks.job(f"Export {run.name}", work, self._report)
        dialog.deleteLater()

    def _report(self, exported: ExportedRun) -> None:
        folder = exported.path if exported.path.is_dir() else exported.path.parent
        self._context.notices.post(
            f"The run was exported to {exported.path}",
            "ok",
            hint=f"Load it with: {exported.load_with}" + (f". {exported.note}" if exported.note else ""),
            action="Open folder",
            run=partial(open_path, folder),
        )
