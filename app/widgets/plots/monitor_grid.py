"""The plots of a run side by side: one crosshair, one smoothing, one step to click."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.plots import export
from app.widgets.plots.curves import CurveSpec, format_value
from app.widgets.plots.metric_plot import MetricPlot

Series = Callable[[str], tuple[Sequence[float], Sequence[float]]]

PLOTS: tuple[tuple[str, str, bool, tuple[CurveSpec, ...]], ...] = (
    (
        "Reward margin",
        "",
        True,
        (CurveSpec("margin", "plot_margin", "train"), CurveSpec("dev.margin", "plot_accuracy", "held-out", True)),
    ),
    (
        "Rewards",
        "",
        True,
        (
            CurveSpec("reward_chosen", "plot_chosen", "chosen"),
            CurveSpec("reward_rejected", "plot_rejected", "rejected"),
        ),
    ),
    (
        "Loss",
        "",
        False,
        (CurveSpec("loss", "plot_loss", "train"), CurveSpec("dev.loss", "plot_accuracy", "held-out", True)),
    ),
    ("KL to reference", "nats per response", True, (CurveSpec("kl.kl", "plot_kl", "KL", True),)),
    (
        "Accuracy",
        "",
        False,
        (CurveSpec("accuracy", "plot_accuracy", "train"), CurveSpec("dev.accuracy", "plot_margin", "held-out", True)),
    ),
    (
        "Token KL, held-out",
        "nats per token",
        True,
        (
            CurveSpec("dev.kl_chosen", "plot_chosen", "chosen", True),
            CurveSpec("dev.kl_rejected", "plot_rejected", "rejected", True),
        ),
    ),
)
"""Title, unit, a line at zero, curves."""


class MonitorGrid(QStackedWidget):
    """Plots, or the same values as a table.

    Signals:
        hovered(float): the step under the crosshair, NaN for none.
        picked(int), ranged(int, int): a step was clicked, a range was dragged.
        unfollowed(): the user moved a plot by hand.
    """

    hovered = Signal(float)
    picked = Signal(int)
    ranged = Signal(int, int)
    unfollowed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._total, self.crosshair = theme, 0, math.nan
        self.following = True
        self._grid_page = QWidget()
        self._grid = QGridLayout(self._grid_page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self.plots = [MetricPlot(theme, title, specs, unit=unit, zero=zero) for title, unit, zero, specs in PLOTS]
        for plot in self.plots:
            plot.hovered.connect(self._hover)
            plot.picked.connect(self.picked)
            plot.ranged.connect(self.ranged)
            plot.moved.connect(self._moved)
        self.addWidget(self._grid_page)
        self.table = QTableWidget()
        self.table.setAccessibleName("Values behind the plots")
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        holder = QWidget()
        QVBoxLayout(holder).addWidget(self.table)
        self.addWidget(holder)
        self._link()
        self.arrange(3)

    def _link(self) -> None:
        for plot in self.plots[1:]:
            plot.view.setXLink(self.plots[0].view)

    def arrange(self, columns: int) -> None:
        """Lay the plots out in so many columns."""
        for place, plot in enumerate(self.plots):
            self._grid.addWidget(plot, place // columns, place % columns)

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics shown."""
        return [metric for plot in self.plots for metric in plot.curves]

    def set_series(self, values: dict[str, tuple[Sequence[float], Sequence[float]]], total: int) -> None:
        """Take the series of the metrics, by name; ``total`` steps are planned."""
        self._total = total
        for plot in self.plots:
            for metric in plot.curves:
                if metric in values:
                    plot.set_curve(metric, *values[metric])
        if self.following:
            self.fit()
        self.set_crosshair(self.crosshair)
        if self.currentIndex() == 1:
            self._fill_table()

    def fit(self) -> None:
        """Show the whole run in every plot."""
        for plot in self.plots:
            plot.fit(self._total)

    def set_following(self, on: bool) -> None:
        """Keep the newest step in view, or leave the plots where the user put them."""
        self.following = on
        if on:
            self.fit()

    def set_crosshair(self, step: float) -> None:
        """Put the crosshair of every plot on a step."""
        self.crosshair = step
        for plot in self.plots:
            plot.set_crosshair(step)

    def move_crosshair(self, by: int) -> None:
        """Move the crosshair by steps, from the newest step when there is none."""
        last = max(plot.last_step() for plot in self.plots)
        start = last if math.isnan(self.crosshair) else self.crosshair
        self._hover(min(last, max(0.0, start + by)))

    def readout(self) -> str:
        """Return the values under the crosshair in one line."""
        if math.isnan(self.crosshair):
            return ""
        parts = []
        for title, _, _, specs in PLOTS:
            plot = next(p for p in self.plots if specs[0].metric in p.curves)
            values = plot.values_at(self.crosshair)
            for spec in specs:
                if (value := values[spec.label]) is not None:
                    name = title.lower() if len(specs) == 1 or spec.label == "train" else f"{spec.label}"
                    parts.append(f"{name} {format_value(value)}")
        return f"step {round(self.crosshair)}: " + " · ".join(parts)

    def show_table(self, on: bool) -> None:
        """Show the values as a table instead of the plots."""
        self.setCurrentIndex(1 if on else 0)
        if on:
            self._fill_table()

    def _fill_table(self) -> None:
        metrics = self.metrics
        steps = sorted({float(s) for plot in self.plots for c in plot.curves.values() for s in c.steps})
        self.table.setColumnCount(len(metrics) + 1)
        self.table.setHorizontalHeaderLabels(["step", *metrics])
        self.table.setRowCount(len(steps))
        cells = {m: dict(zip(c.steps, c.values, strict=True)) for plot in self.plots for m, c in plot.curves.items()}
        for row, step in enumerate(steps):
            self.table.setItem(row, 0, QTableWidgetItem(f"{step:g}"))
            for column, metric in enumerate(metrics, 1):
                self.table.setItem(row, column, QTableWidgetItem(format_value(cells[metric].get(step))))

    def export(self, folder: Path, stem: str, kinds: Sequence[str] = export.FORMATS) -> list[Path]:
        """Write every plot in every format and return the files."""
        written = []
        for plot in self.plots:
            name = plot.objectName().removeprefix("plot_").replace(".", "_")
            for kind in kinds:
                path = folder / f"{stem}_{name}.{kind}"
                export.save(path, _content(plot, kind))
                written.append(path)
        return written

    def _hover(self, step: float) -> None:
        if not math.isnan(step):
            step = float(round(step))
        self.set_crosshair(step)
        self.hovered.emit(step)

    def _moved(self) -> None:
        if self.following:
            self.following = False
            self.unfollowed.emit()


def _content(plot: MetricPlot, kind: str) -> bytes | str:
    if kind == "png":
        return export.to_png(plot)
    if kind == "svg":
        return export.to_svg(plot, plot.plot.accessibleName())
    return export.to_csv({m: (c, plot.smoothed(m)) for m, c in plot.curves.items()})
