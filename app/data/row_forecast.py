"""Counting what becomes of every row of a file before it is imported, and saving the list of rejects."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.background.task import TaskControl
from app.context import AppContext
from core.domain.counting import counted
from core.domain.errors import UserError

if TYPE_CHECKING:
    from core.services.importing.forecast import Forecast
    from core.services.importing.reading import Choices
    from core.services.importing.report import ImportPreview, ImportProgress

SOON = 20_000
"""Rows up to which a file is counted without being asked."""


class RowForecast(QObject):
    """Tries an import without storing anything.

    ``counted(Forecast)`` when all rows were read, ``failed(words)`` when they cannot be.
    """

    counted = Signal(object)
    failed = Signal(str)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._stop = Event()

    @staticmethod
    def is_quick(preview: ImportPreview) -> bool:
        """Say whether the rows are few enough to be counted at once."""
        return preview.reading.complete and preview.reading.rows <= SOON

    def stop(self) -> None:
        """Give up a count that is under way: the file is read another way, or left."""
        self._stop.set()
        self._stop = Event()

    def start(self, path: Path, choices: Choices) -> None:
        """Count the rows of a file that is read quickly."""
        self.stop()
        service, stop = self._context.services.imports, self._stop
        self._context.tasks.query(
            lambda: service.forecast(path, choices=choices, cancelled=stop.is_set),
            partial(self._tell, stop),
            partial(self._fail, stop),
            owner=self,
            key="forecast",
        )

    def start_long(self, path: Path, choices: Choices, rejects_to: Path | None = None) -> None:
        """Count the rows as a job with progress, and write the list of rejects where a file is named for it.

        A list that was asked for is written even when the file is read another way meanwhile.
        """
        if rejects_to is None:
            self.stop()
        service, stop = self._context.services.imports, self._stop

        def work(control: TaskControl) -> Forecast:
            def report(progress: ImportProgress) -> None:
                control.progress(progress.bytes_read, progress.bytes_total, counted(progress.rows, "row"))

            def cancelled() -> bool:
                return control.cancelled or (rejects_to is None and stop.is_set())

            args = {"rejects_to": rejects_to, "replace": True, "on_progress": report, "cancelled": cancelled}
            forecast = service.forecast(path, choices=choices, **args)
            control.check()
            return forecast

        self._context.tasks.job(
            f"Read all rows of {path.name}",
            work,
            partial(self._end, stop, rejects_to),
            partial(self._fail, stop),
            owner=self,
        )

    def _end(self, stop: Event, rejects_to: Path | None, forecast: Forecast) -> None:
        self._tell(stop, forecast)
        if rejects_to is not None:
            self._context.notices.post(f"The rejected rows are listed in {rejects_to}.", "ok")

    def _tell(self, stop: Event, forecast: Forecast) -> None:
        if not stop.is_set():
            self.counted.emit(forecast)

    def _fail(self, stop: Event, error: Exception) -> None:
        if not stop.is_set():
            said = (
                f"{error.message} {error.hint}".strip() if isinstance(error, UserError) else "The rows cannot be read."
            )
            self.failed.emit(said)
