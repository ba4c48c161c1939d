"""The values of all plots of a run in one line of text: at a step, or summed up over a range of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.widgets.plots.curves import CurveSpec, format_value, summarise
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.run_plots import PLOTS


def values_text(plots: Sequence[MetricPlot], step: float) -> str:
    """Return the values at a step."""
    parts = []
    for plot, name, spec in _curves(plots):
        if (value := plot.values_at(step)[spec.label]) is not None:
            parts.append(f"{name} {format_value(value)}")
    return f"step {round(step)}: " + " · ".join(parts)


def range_text(plots: Sequence[MetricPlot], first: int, last: int) -> str:
    """Return mean, deviation and slope of each curve over a range of steps; sparse curves are left out."""
    parts = []
    for plot, name, spec in _curves(plots):
        if not spec.sparse and (found := summarise(plot.curves[spec.metric], first, last)):
            slope = f"{'+' if found.slope >= 0 else ''}{format_value(found.slope)}"
            mean = f"{format_value(found.mean)} ± {format_value(found.deviation)}"
            parts.append(f"{name} {mean} ({slope} a step)")
    return f"steps {first} to {last}: " + " · ".join(parts)


def _curves(plots: Sequence[MetricPlot]) -> Iterator[tuple[MetricPlot, str, CurveSpec]]:
    """Return each curve with its plot and its name; plots that are not made yet are left out."""
    for title, _, _, specs in PLOTS:
        for plot in plots:
            if specs[0].metric in plot.curves:
                yield from ((plot, _name_of(title, spec, specs), spec) for spec in specs)


def _name_of(title: str, spec: CurveSpec, specs: Sequence[CurveSpec]) -> str:
    """Return what a curve is called in a line of text beside those of other plots."""
    return title.lower() if len(specs) == 1 or spec.label == "train" else spec.label
