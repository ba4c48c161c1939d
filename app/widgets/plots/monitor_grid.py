"""The plots of a run side by side: one crosshair, one smoothing, one step to click."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QWidget

from app.theme.theme import Theme
from app.widgets.plots import export
from app.widgets.plots.curves import CurveSpec, format_value, summarise
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.table_twin import TableTwin

Series = Callable[[str], tuple[Sequence[float], Sequence[float]]]

HELD_OUT = "plot_held_out"
"""The colour of what is measured on held-out pairs, in every plot."""
_PAUSE_MS = 20
"""Between two plots that take new values: a little more than a frame."""
PLOTS: tuple[tuple[str, str, bool, tuple[CurveSpec, ...]], ...] = (
    (
        "Reward margin",
        "",
        True,
        (CurveSpec("margin", "plot_margin", "train"), CurveSpec("dev.margin", HELD_OUT, "held-out", True)),
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
        (
            CurveSpec("loss", "plot_loss", "train"),
            CurveSpec("dev.loss", HELD_OUT, "held-out", True),
            CurveSpec("extra.preference_loss", "plot_chosen", "preference"),
            CurveSpec("extra.nll", "plot_rejected", "likelihood"),
        ),
    ),
    ("KL to reference", "nats per response", True, (CurveSpec("kl.kl", "plot_kl", "KL", True),)),
    (
        "Accuracy",
        "",
        False,
        (CurveSpec("accuracy", "plot_accuracy", "train"), CurveSpec("dev.accuracy", HELD_OUT, "held-out", True)),
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
"""Title, unit, a line at zero, curves. Parts of the loss (``extra.``) are drawn where the loss has them."""


class MonitorGrid(QStackedWidget):
    """Plots, or the same values as a table.

    Signals:
        hovered(float): the step under the crosshair, NaN for none.
        picked(int), ranged(int, int): a step was clicked, a range was dragged.
        unfollowed(): the user moved a plot by hand.
        wished(object, str): something of one plot's menu, see ``plot_head.WISHES``.
        fed(): all plots show the newest values.
    """

    hovered = Signal(float)
    picked = Signal(int)
    ranged = Signal(int, int)
    unfollowed = Signal()
    wished = Signal(object, str)
    fed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._total, self.crosshair = theme, 0, math.nan
        self.pinned = math.nan
        self.range: tuple[int, int] | None = None
        self.following = True
        self._values: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
        self._hungry: list[MetricPlot] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._feed_one)
        self._refit = QTimer(self)
        self._refit.setSingleShot(True)
        self._refit.timeout.connect(self._fit_if_following)
        self._grid_page = QWidget()
        self._grid = QGridLayout(self._grid_page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self.plots = [
            MetricPlot(theme, title, specs, unit=unit, zero=zero, tools=True) for title, unit, zero, specs in PLOTS
        ]
        for plot in self.plots:
            self._connect(plot)
        self.addWidget(self._grid_page)
        self.table = TableTwin()
        self.addWidget(self.table)
        for plot in self.plots[1:]:
            plot.view.setXLink(self.plots[0].view)
        self.arrange(3)

    def _connect(self, plot: MetricPlot) -> None:
        plot.hovered.connect(self._hover)
        plot.picked.connect(self.picked)
        plot.ranged.connect(self.ranged)
        plot.moved.connect(self._moved)
        plot.fit_wanted.connect(self.fit)
        plot.head.wished.connect(lambda wish: self.wished.emit(plot, wish))
        plot.head.enlarged.connect(lambda on: self.enlarge(plot if on else None))

    def arrange(self, columns: int) -> None:
        """Lay the plots out in so many columns of equal width."""
        self._columns = columns
        for place, plot in enumerate(self.plots):
            self._grid.addWidget(plot, place // columns, place % columns)
        self._share_room()

    def _share_room(self) -> None:
        """Give every row and column that shows a plot the same share."""
        shown = [divmod(i, self._columns) for i, plot in enumerate(self.plots) if not plot.isHidden()]
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, int(any(r == row for r, _ in shown)))
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(any(c == column for _, c in shown)))

    def enlarge(self, chosen: MetricPlot | None) -> None:
        """Let one plot fill the place of all, or show all again with None."""
        for plot in self.plots:
            plot.setVisible(chosen is None or plot is chosen)
            plot.head.show_enlarged(plot is chosen)
        self._share_room()
        self._refit.start(0)

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics shown."""
        return [metric for plot in self.plots for metric in plot.curves]

    def set_series(self, values: dict[str, tuple[Sequence[float], Sequence[float]]], total: int) -> None:
        """Take the series of the metrics, by name; ``total`` steps are planned."""
        self._total, self._values, self._hungry = total, values, list(self.plots)
        while self._hungry:
            self._feed_one()

    def feed(self, values: dict[str, tuple[Sequence[float], Sequence[float]]], total: int) -> None:
        """Take the series as :meth:`set_series` does, but one plot at a time, so that no frame draws all of them."""
        busy = bool(self._hungry)
        self._total, self._values = total, values
        self._hungry = [p for p in self.plots if not p.isHidden()] + [p for p in self.plots if p.isHidden()]
        if not busy:
            self._feed_one()

    def _feed_one(self) -> None:
        if not self._hungry:
            return
        plot = self._hungry.pop(0)
        changed = [plot.set_curve(metric, *self._values[metric]) for metric in plot.curves if metric in self._values]
        if any(changed):
            plot.set_crosshair(self.crosshair)
        if self._hungry:
            self._pause.start(_PAUSE_MS)
            return
        self._pause.stop()
        if self.following:
            self.fit()
        if self.currentIndex() == 1:
            self._fill_table()
        self.fed.emit()

    def fit(self) -> None:
        """Show the whole run in every plot."""
        spans = [plot.span(self._total) for plot in self.plots if not plot.isHidden()]
        left, right = min(low for low, _ in spans), max(high for _, high in spans)
        for plot in self.plots:
            plot.view.blockLink(True)
        last = max([self._total, *(plot.last_step() for plot in self.plots)])
        for plot in self.plots:
            plot.show_span(left, right, last)
        for plot in self.plots:
            plot.view.blockLink(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the words at the line ends inside the plots."""
        super().resizeEvent(event)
        self._refit.start(0)  # once the plots have their new widths

    def _fit_if_following(self) -> None:
        if self.following:
            self.fit()

    @property
    def settled(self) -> bool:
        """Whether everything that was fed is drawn and fitted."""
        return not self._hungry and not self._refit.isActive()

    def set_following(self, on: bool) -> None:
        """Keep the newest step in view, or leave the plots where the user put them."""
        self.following = on
        if on:
            self.fit()

    def set_crosshair(self, step: float) -> None:
        """Put the crosshair of every plot on a step; NaN hides it."""
        self.crosshair = step
        for plot in self.plots:
            plot.set_crosshair(step)

    def pin(self, step: float) -> None:
        """Hold the crosshair on a step, also when the mouse leaves; NaN lets it go."""
        self.pinned = step
        self.set_crosshair(step)
        self.set_range(None)

    def set_range(self, ends: tuple[int, int] | None) -> None:
        """Mark a range of steps in every plot, or none."""
        self.range = ends
        for plot in self.plots:
            plot.show_range(*(ends or (math.nan, math.nan)))

    def move_crosshair(self, by: int) -> None:
        """Move the crosshair by steps, from the newest step when there is none."""
        last = max(plot.last_step() for plot in self.plots)
        start = last if math.isnan(self.crosshair) else self.crosshair
        self._hover(min(last, max(0.0, start + by)))

    def readout(self) -> str:
        """Return the values under the crosshair in one line, or what the marked range comes to."""
        if self.range is not None:
            return self._range_text(*self.range)
        if math.isnan(self.crosshair):
            return ""
        parts = []
        for title, _, _, specs in PLOTS:
            plot = next(p for p in self.plots if specs[0].metric in p.curves)
            values = plot.values_at(self.crosshair)
            for spec in specs:
                if (value := values[spec.label]) is not None:
                    parts.append(f"{_name_of(title, spec, specs)} {format_value(value)}")
        return f"step {round(self.crosshair)}: " + " · ".join(parts)

    def _range_text(self, first: int, last: int) -> str:
        parts = []
        for title, _, _, specs in PLOTS:
            plot = next(p for p in self.plots if specs[0].metric in p.curves)
            for spec in specs:
                if not spec.sparse and (found := summarise(plot.curves[spec.metric], first, last)):
                    slope = f"{'+' if found.slope >= 0 else ''}{format_value(found.slope)}"
                    mean = f"{format_value(found.mean)} ± {format_value(found.deviation)}"
                    parts.append(f"{_name_of(title, spec, specs)} {mean} ({slope} a step)")
        return f"steps {first} to {last}: " + " · ".join(parts)

    def show_table(self, on: bool) -> None:
        """Show the values as a table instead of the plots."""
        self.setCurrentIndex(1 if on else 0)
        if on:
            self._fill_table()

    def _fill_table(self) -> None:
        parts = {spec.metric for _, _, _, specs in PLOTS for spec in specs if spec.is_part}
        curves = {m: c for plot in self.plots for m, c in plot.curves.items()}
        self.table.twin.set_curves({m: c for m, c in curves.items() if len(c.steps) or m not in parts})

    def _hover(self, step: float) -> None:
        step = self.pinned if math.isnan(step) else float(round(step))
        if not math.isnan(step):
            step = min(max(step, 0.0), max(plot.last_step() for plot in self.plots))
        self.set_crosshair(step)
        self.hovered.emit(step)

    def _moved(self) -> None:
        if self.following:
            self.following = False
            self.unfollowed.emit()


def _name_of(title: str, spec: CurveSpec, specs: Sequence[CurveSpec]) -> str:
    return title.lower() if len(specs) == 1 or spec.label == "train" else spec.label


def file_name(plot: MetricPlot, stem: str, kind: str) -> str:
    """Return the name of a plot's file: run, metric, format, without anything a file system minds."""
    metric = plot.objectName().removeprefix("plot_").replace(".", "_")
    safe = "".join(c if c.isalnum() or c in " -_.()" else "_" for c in stem).strip(" .") or "run"
    return f"{safe}_{metric}.{kind}"


def content(plot: MetricPlot, kind: str) -> Callable[[], bytes | str]:
    """Return what makes a plot a file of one of ``export.FORMATS``.

    A picture is drawn here, since that needs the window's thread; writing out a hundred thousand values does not.
    """
    if kind == "csv":
        return partial(export.to_csv, {m: (c, plot.smoothed(m)) for m, c in plot.curves.items()})
    drawn = export.to_png(plot) if kind == "png" else export.to_svg(plot, plot.plot.accessibleName())
    return lambda: drawn
