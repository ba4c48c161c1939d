"""Importing pairs, from the choice of a file to the notice of how it ended."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.background.task import TaskControl
from app.context import AppContext
from app.data.import_dialog import ImportDialog, ImportOptions, import_text
from core.domain.changes import Outcome

if TYPE_CHECKING:
    from core.services.importing.formats.row_format import FormatInfo
    from core.services.importing.report import ImportPreview, ImportProgress, ImportReport

FILES = "Pairs (*.jsonl *.json *.csv *.parquet *.gz)"


class PairImport(QObject):
    """Asks for a file, shows its preview and imports it as a job.

    ``started(BackgroundTask)`` fires with each job, ``imported()`` once its pairs are stored.
    """

    started = Signal(object)
    imported = Signal()

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        """Args: parent: owner of the background work and parent of the dialog."""
        super().__init__(parent)
        self._context, self._parent = context, parent

    def ask(self) -> None:
        """Ask for a file and read its first rows in the background, then show them."""
        path = self._context.dialogs.open_file("Import pairs", FILES)
        if path is None:
            return
        service = self._context.services.imports

        def read() -> tuple[ImportPreview, list[FormatInfo]]:
            return service.preview(path), service.formats()

        self._context.tasks.query(read, partial(self._confirm, path), owner=self)

    def start(self, path: Path, options: ImportOptions) -> None:
        """Import a file as a job with progress and Cancel."""
        service = self._context.services.imports

        def work(control: TaskControl) -> Outcome[ImportReport]:
            def report(progress: ImportProgress) -> None:
                control.progress(progress.bytes_read, progress.bytes_total, f"{progress.rows:,} rows")

            return service.run(path, on_progress=report, cancelled=lambda: control.cancelled, **asdict(options))

        self.started.emit(self._context.ops.job(f"Import {path.name}", work, self._report_end, owner=self))

    def _confirm(self, path: Path, found: tuple[ImportPreview, list[FormatInfo]]) -> None:
        dialog = ImportDialog(self._parent, self._context, path, *found)
        if self._context.dialogs.run(dialog):
            self.start(path, dialog.options)
        dialog.deleteLater()

    def _report_end(self, outcome: Outcome[ImportReport]) -> None:
        report, notices = outcome.value, self._context.notices
        level = "warn" if report.rejected or report.cancelled else "ok"
        if path := report.rejects_path:
            show = partial(QDesktopServices.openUrl, QUrl.fromLocalFile(str(path)))
            notices.post(import_text(report), level, hint=f"Rejected rows: {path}", action="Open the list", run=show)
        else:
            notices.post(import_text(report), level)
        self.imported.emit()
