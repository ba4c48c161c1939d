"""Importing pairs, from the choice of files to the report of how each ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.background.task import BackgroundTask, TaskControl
from app.context import AppContext
from app.data.hub_import import HubImport
from app.data.import_choices import ImportOptions, files_in
from app.data.import_page import ImportPage
from app.data.import_words import import_text
from app.widgets.lazy_part import LazyPart
from core.domain.changes import Outcome
from core.domain.counting import counted, verb

if TYPE_CHECKING:
    from core.services.importing.report import ImportProgress, ImportReport
    from core.services.importing.service import UnfinishedImport

    StoreFile = Callable[[Callable[[ImportProgress], None], TaskControl], Outcome[ImportReport]]

FILES = "Pairs (*.jsonl *.ndjson *.json *.csv *.tsv *.parquet *.gz *.zst);;All files (*)"


class PairImport(QObject):
    """Asks for files, shows each on the import page and imports them one after the other as jobs.

    ``opened()`` and ``closed()``: the import page is to be shown, or to be left. ``started(BackgroundTask)`` fires with
    each job, ``imported(ImportReport)`` once its pairs are stored.

    Attributes:
        place: where the import page is, or will be once a file is chosen.
    """

    opened = Signal()
    closed = Signal()
    started = Signal(object)
    imported = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        """Args: parent: owner of the background work."""
        super().__init__(parent)
        self._context = context
        self._files: list[Path] = []
        self._place = 0
        self._waiting: list[tuple[str, StoreFile]] = []
        self._job: BackgroundTask | None = None
        self.place = LazyPart(context.theme, lambda: ImportPage(context), self._begin_page)
        self.hub = HubImport(context, parent)
        self.hub.started.connect(self.started)
        self.hub.fetched.connect(self.begin)

    @property
    def page(self) -> ImportPage:
        """Shows a file and asks how it is read; made when it is first asked for."""
        return self.place.part

    def _begin_page(self, page: ImportPage) -> None:
        page.confirmed.connect(self._confirm)
        page.cancelled.connect(self.closed)
        page.another.connect(self.ask)
        page.hub_wanted.connect(self.hub.ask)

    def ask(self) -> None:
        """Ask for files and show the first."""
        self.begin(self._context.dialogs.open_files("Import pairs", FILES))

    def ask_folder(self) -> None:
        """Ask for a folder and show the first of its files."""
        folder = self._context.dialogs.open_folder("Import a folder of pairs")
        if folder is not None:
            self._context.tasks.query(
                lambda: files_in(folder), lambda found: self._begin_folder(folder, found), owner=self
            )

    def begin(self, files: list[Path]) -> None:
        """Show the first of some files."""
        if files:
            self._files, self._place = list(files), 0
            self.page.show_file(files[0], 0, len(files))
            self.opened.emit()

    def start(self, path: Path, options: ImportOptions) -> None:
        """Import a file as a job with progress and Cancel, after those that wait already."""
        service = self._context.services.imports

        def work(report: Callable[[ImportProgress], None], control: TaskControl) -> Outcome[ImportReport]:
            return service.run(
                path,
                choices=options.choices,
                name=options.name,
                licence=options.licence,
                consent=options.consent,
                on_progress=report,
                cancelled=lambda: control.cancelled,
            )

        self._waiting.append((path.name, work))
        self._run_next()

    def _begin_folder(self, folder: Path, files: list[Path]) -> None:
        if not files:
            self._context.notices.post(
                f"{folder.name} holds no file of pairs.", "warn", hint="JSONL, JSON, CSV, TSV and Parquet are read."
            )
        self.begin(files)

    def _confirm(self, options: ImportOptions, all_files: bool) -> None:
        """Import the shown file, and show the next one or import the others the same way."""
        self.start(self._files[self._place], options)
        self._place += 1
        if all_files:
            rest = ImportOptions(options.choices, None, options.licence, options.consent)
            for path in self._files[self._place :]:
                self.start(path, rest)
            self._place = len(self._files)
        if self._place < len(self._files):
            self.page.show_file(self._files[self._place], self._place, len(self._files))
        else:
            self.closed.emit()

    def resume(self, one: UnfinishedImport, path: Path | None = None) -> None:
        """Go on with an import that was interrupted; ``path`` is where its file lies now, if not where it lay."""
        service = self._context.services.imports

        def work(report: Callable[[ImportProgress], None], control: TaskControl) -> Outcome[ImportReport]:
            return service.resume(one.source_id, path, on_progress=report, cancelled=lambda: control.cancelled)

        self._waiting.append((one.file_name, work))
        self._run_next()

    def find_and_resume(self, one: UnfinishedImport) -> None:
        """Ask where the file of an interrupted import lies now, and go on with it."""
        path = self._context.dialogs.open_file(f"Where {one.file_name} is now", FILES)
        if path is not None:
            self.resume(one, path)

    def give_up(self, one: UnfinishedImport) -> None:
        """Ask, then give the source of an interrupted import up."""
        text = (
            f"{counted(one.imported, 'stored pair')} {verb(one.imported, 'stays', 'stay')}, and no dataset "
            f"version takes {verb(one.imported, 'it', 'them')}."
        )
        if self._context.dialogs.confirm(f"Give up {one.source_name}", text, "Give up"):
            service = self._context.services.imports
            self._context.ops.mutate(lambda: service.give_up(one.source_id), self._say_given_up, owner=self)

    def _say_given_up(self, outcome: Outcome[str]) -> None:
        self._context.notices.post(outcome.value, "ok")

    def _run_next(self) -> None:
        """Start the next import once the one before has ended."""
        if not self._waiting or (self._job is not None and self._job.running):
            return
        name, store = self._waiting.pop(0)

        def work(control: TaskControl) -> Outcome[ImportReport]:
            def report(progress: ImportProgress) -> None:
                control.progress(progress.rows, _expected_rows(progress), "storing")

            return store(report, control)

        job = self._context.ops.job(f"Import {name}", work, self._report_end, owner=self)
        job.unit = "rows"
        self._job = job
        job.ended.connect(self._run_next)
        self.started.emit(job)

    def _report_end(self, outcome: Outcome[ImportReport]) -> None:
        report = outcome.value
        level = "warn" if report.rejected or report.cancelled else "ok"
        hint = f"Rejected rows: {report.rejects_path}" if report.rejects_path else ""
        self._context.notices.post(import_text(report), level, hint=hint)
        self.imported.emit(report)


def _expected_rows(progress: ImportProgress) -> int:
    """Return how many rows the file will turn out to have, from the part of its bytes that was read."""
    if not progress.bytes_read:
        return 0
    return max(progress.rows, round(progress.rows * progress.bytes_total / progress.bytes_read))
