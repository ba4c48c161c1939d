"""What keys, buttons and menus do with the plots of the monitor: look, crosshair, ranges, files."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from app.context import AppContext
from app.runs.monitor import Monitor
from app.runs.plot_files import PlotFiles
from app.widgets.plots import export
from app.widgets.plots.plot_deck import RunCard

KEEP_MS = 400
"""A slider that rested so long is where the user wants it from now on."""
_FILTERS = {"png": "PNG (*.png)", "svg": "SVG (*.svg)", "csv": "CSV (*.csv)"}


class PlotActions(QObject):
    """Drives the grid of plots, and keeps smoothing and raw line as settings.

    Args:
        context: dialogs, notices, actions.
        monitor: whose plots and readout.
        show_pairs: lists the pairs of steps ``first`` to ``last``.
    """

    def __init__(self, context: AppContext, monitor: Monitor, show_pairs: Callable[[int, int], None]) -> None:
        super().__init__(monitor)
        self._context, self._monitor, self._grid = context, monitor, monitor.grid
        self._show_pairs = show_pairs
        self._files = PlotFiles(context, self._grid)
        self._grid.hovered.connect(lambda _: monitor.show_readout())
        self._grid.picked.connect(lambda step: show_pairs(step, step))
        self._grid.ranged.connect(show_pairs)
        self._grid.pinned_at.connect(monitor.tabs.samples.show_step)
        self._grid.unfollowed.connect(lambda: context.actions.set_checked("runs.follow", False))
        self._grid.menu_requested.connect(self.handle_menu)
        monitor.smoothing.changed.connect(self._smooth)
        self._rest = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._rest.timeout.connect(self._keep_smoothing)
        context.settings.changed.connect(self._setting)
        for key in ("plots.smoothing", "plots.raw", "plots.outliers"):
            self._setting(key)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return the method of each action."""
        return {
            "runs.follow": self._grid.set_following,
            "runs.raw": lambda on: self._context.settings.set("plots.raw", on),
            "runs.log_y": self._grid.set_log_y,
            "runs.log_x": self._grid.set_log_x,
            "runs.table": self._grid.show_table,
            "runs.smooth_less": lambda: self._nudge(-0.05),
            "runs.smooth_more": lambda: self._nudge(0.05),
            "runs.fit": self._grid.fit,
            "runs.enlarge": self._enlarge_next,
            "runs.step_back": lambda: self._step(-1),
            "runs.step_on": lambda: self._step(1),
            "runs.step_back10": lambda: self._step(-10),
            "runs.step_on10": lambda: self._step(10),
            "runs.pin": self._pin,
            "runs.range": self._range,
            "runs.export": self._export,
        }

    def reset(self) -> None:
        """Forget crosshair and range and follow again: another run is shown."""
        self._grid.pin(math.nan)
        self._grid.set_following(True)
        self._context.actions.set_checked("runs.follow", True)

    def _setting(self, key: str) -> None:
        """Take a setting of the plots."""
        if not key.startswith("plots."):
            return
        value = self._context.settings.get(key)
        if key == "plots.smoothing":
            self._monitor.smoothing.set_value(value)
            self._smooth(value, keep=False)
        elif key == "plots.raw":
            self._context.actions.set_checked("runs.raw", value)
            self._grid.set_raw(value)
        elif key == "plots.outliers":
            self._grid.set_outliers(value)

    def _keep_smoothing(self) -> None:
        self._context.settings.set("plots.smoothing", self._monitor.smoothing.value)

    def _smooth(self, weight: float, *, keep: bool = True) -> None:
        if keep:
            self._rest.start()
        self._grid.set_smoothing(weight)

    def _nudge(self, by: float) -> None:
        slider = self._monitor.smoothing
        slider.set_value(min(0.99, max(0.0, slider.value + by)), tell=True)

    def _enlarge_next(self) -> None:
        """Enlarge the plots one after the other, then show all again."""
        plots = self._grid.deck.shown
        large = next((i for i, plot in enumerate(plots) if plot.head.enlarge.isChecked()), -1)
        self._grid.enlarge(plots[large + 1] if large + 1 < len(plots) else None)

    def _step(self, by: int) -> None:
        self._grid.set_range(None)
        self._grid.move_crosshair(by)
        self._monitor.show_readout()

    def _pin(self) -> None:
        if self._grid.currentWidget() is self._grid.table and (step := self._grid.table.step()) is not None:
            self._show_pairs(round(step), round(step))
            return
        if math.isnan(self._grid.crosshair):
            self._step(0)
        step = self._grid.crosshair
        if not math.isnan(step):
            self._show_pairs(round(step), round(step))

    def _range(self) -> None:
        """List the pairs from the step that was chosen last to the crosshair."""
        start, end = self._grid.pinned, self._grid.crosshair
        if math.isnan(start) or math.isnan(end):
            self._pin()
            return
        self._show_pairs(*sorted((round(start), round(end))))

    # Files

    def _export(self) -> None:
        if folder := self._context.dialogs.open_folder("Export the plots to a folder"):
            self._files.export(folder, self._monitor.run_name)

    def handle_menu(self, plot: RunCard, entry: str) -> None:
        """Do what an entry of a plot's menu asks for."""
        if entry == "copy_picture":
            QGuiApplication.clipboard().setImage(
                export.to_image(plot, export.picture_scale(plot), self._monitor.run_name)
            )
        elif entry == "copy_values":
            QGuiApplication.clipboard().setText(str(export.content(plot, "csv", self._monitor.run_name)()))
        else:
            self._save(plot, entry)

    def _save(self, plot: RunCard, kind: str) -> None:
        name = export.file_name(plot, self._monitor.run_name, kind)
        path = self._context.dialogs.save_file("Save the plot", name, _FILTERS[kind])
        if path is None:
            return
        self._files.save(plot, kind, path, self._monitor.run_name)
