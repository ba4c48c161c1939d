"""The values of all plots of a run in parts of a line: at a step, or summed up over a range of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.widgets.plots.curves import Curve, CurveSpec, summarise
from app.widgets.plots.metric_plot import MetricPlot
from core.domain.number_text import format_value, signed


def values_parts(plots: Sequence[MetricPlot], step: float) -> list[str]:
    """Return the values at a step, the held-out ones first; a probe that was made before it names its own step.

    Where something else than steps stands along x, the first part says what stands at the step.
    """
    found: list[tuple[bool, str]] = []
    for plot, spec, curve in _curves(plots):
        place = curve.newest_at(step) if spec.sparse else _exactly(curve, step)
        if place is None:
            continue
        at = float(curve.steps[place])
        when = f" (step {at:g})" if spec.sparse and at != round(step) else ""
        found.append((not spec.held_out, f"{name_of(plot, spec)} {curve.text(place)}{when}"))
    place = plots[0].along.words(round(step)) if plots else ""
    head = f"step {round(step)}{f' ({place})' if place else ''}: "
    return [head, *(text for _, text in sorted(found, key=lambda part: part[0]))]


def range_parts(plots: Sequence[MetricPlot], first: int, last: int) -> list[str]:
    """Return mean, deviation, slope and n of each curve over a range of steps."""
    parts = [f"steps {first} to {last}: "]
    for plot, spec, curve in _curves(plots):
        if found := summarise(curve, first, last):
            if spec.sparse and found.count < 2:
                continue  # one look has neither spread nor slope
            mean = f"{format_value(found.mean)} ± {format_value(found.deviation)} SD"
            of = "looks" if spec.sparse else "steps"
            slope = f"{signed(100 * found.slope)} per 100 steps"
            parts.append(f"{name_of(plot, spec)} {mean}, {slope}, n {found.count:,} {of}")
    return parts


def joined(parts: Sequence[str]) -> str:
    """Return the parts as one line."""
    return "".join(parts[:1]) + " · ".join(parts[1:])


def name_of(plot: MetricPlot, spec: CurveSpec) -> str:
    """Return what a curve is called in a line of text beside those of other plots."""
    if spec.metric.startswith("spread."):
        return f"h {spec.label}"
    if spec.metric.startswith("memory."):
        return f"memory {spec.label}"
    several = len(plot.curves) > 1
    measure = plot.title.lower().removesuffix(", held-out") if not several or spec.label in _SPLITS else spec.label
    if plot.title.startswith(("KL", "Token KL")):
        measure = plot.title if not several else f"token KL {spec.label}"
    if spec.label == "batch":
        return f"batch {measure}" if plot.has_probe(spec) else measure
    if spec.metric.startswith("train."):
        return f"train-probe {measure}"
    return f"held-out {measure}" if spec.held_out else measure


_SPLITS = ("batch", "train probe", "held-out")


def _exactly(curve: Curve, step: float) -> int | None:
    """Return the place of a step that was recorded and has a number."""
    place = curve.newest_at(step)
    return place if place is not None and curve.steps[place] == round(step) else None


def _curves(plots: Sequence[MetricPlot]) -> Iterator[tuple[MetricPlot, CurveSpec, Curve]]:
    """Return each curve of the plots that are made."""
    for plot in plots:
        for spec in plot.specs:
            yield plot, spec, plot.curves[spec.metric]
