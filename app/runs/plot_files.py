"""Plots of a run as files: drawn one a turn of the event loop, written away from the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.background.task import TaskControl
from app.context import AppContext
from app.widgets.plots import export
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.plot_deck import RunCard
from core.domain.counting import counted, verb

File = tuple[Path, Callable[[], bytes | str]]
"""Where to, and what makes its content."""


class PlotFiles(QObject):
    """Writes all plots of a grid, or one; what is there already is replaced only when the user says so.

    Args:
        context: dialogs, notices, tasks.
        grid: whose plots.
    """

    def __init__(self, context: AppContext, grid: MonitorGrid) -> None:
        super().__init__(grid)
        self._context, self._grid = context, grid
        self._left: list[tuple[RunCard, str, Path]] = []
        self._drawn: list[File] = []
        self._stem = ""
        self._turn = QTimer(self, singleShot=True, interval=0)
        self._turn.timeout.connect(self._draw_one)

    def export(self, folder: Path, stem: str) -> None:
        """Write every plot in every format to a folder, under names that begin with ``stem``."""
        self._grid.make_all()
        self._stem = stem
        cards = self._grid.deck.shown
        wanted = [(p, k, folder / export.file_name(p, stem, k)) for p, k in product(cards, export.FORMATS)]

        def there() -> list[Path]:
            return [path for _, _, path in wanted if path.exists()]

        self._context.tasks.query(there, lambda found: self._ask(wanted, found), owner=self, key="there")

    def _ask(self, wanted: list[tuple[RunCard, str, Path]], found: list[Path]) -> None:
        names = "\n".join(path.name for path in found)
        question = (
            f"{len(found)} of {counted(len(wanted), 'file')} {verb(len(found), 'is', 'are')} in the folder already."
        )
        if not found or self._context.dialogs.confirm("Replace files?", question, "Replace", detail=names):
            self._left, self._drawn = wanted, []
            self._turn.start()

    def _draw_one(self) -> None:
        """Draw the next picture; when all are drawn, write them."""
        plot, kind, path = self._left.pop(0)
        self._drawn.append((path, export.content(plot, kind, self._stem)))
        if self._left:
            self._turn.start()
            return
        drawn, self._drawn = self._drawn, []
        self._write(drawn, f"{counted(len(drawn), 'file')} written to {path.parent}")

    def save(self, plot: RunCard, kind: str, path: Path, run: str) -> None:
        """Write one plot of a run to a file."""
        self._write([(path, export.content(plot, kind, run))], f"{path.name} was written.")

    def _write(self, files: list[File], words: str) -> None:
        def work(control: TaskControl) -> None:
            for place, (path, make) in enumerate(files):
                control.check()
                export.save(path, make())
                control.progress(place + 1, len(files))

        title = "Export the plots" if len(files) > 1 else f"Write {files[0][0].name}"
        self._context.tasks.job(title, work, lambda _: self._context.notices.post(words, "ok"), owner=self)
