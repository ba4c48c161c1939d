"""How the plots of a run are drawn, kept for those that are made later."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.widgets.plots.metric_plot import MetricPlot


@dataclass(slots=True)
class PlotLook:
    """What holds for all plots of a grid.

    Attributes:
        smoothing: weight of the past, 0 to 0.99.
        raw: whether raw values show under the smoothed lines.
        outliers: whether the value axis is fitted to the middle of the points only.
        log_x: steps on a logarithmic axis.
        log_y: values on a logarithmic axis.
        targets: a level to keep below and its label, by metric.
    """

    smoothing: float = 0.85
    raw: bool = True
    outliers: bool = False
    log_x: bool = False
    log_y: bool = False
    targets: dict[str, tuple[float, str]] = field(default_factory=dict)

    def apply(self, plot: MetricPlot) -> None:
        """Draw a plot like this."""
        plot.set_smoothing(self.smoothing)
        plot.set_raw(self.raw)
        plot.set_outliers(self.outliers)
        if (plot.axes.log_x, plot.axes.log_y) != (self.log_x, self.log_y):
            plot.set_log_x(self.log_x)
            plot.set_log(self.log_y)
        for metric in plot.curves.keys() & self.targets.keys():
            plot.set_target(*self.targets[metric])
