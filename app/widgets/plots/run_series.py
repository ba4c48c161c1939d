"""What the plots of a run are fed with: curves by metric, what a fork had before, levels and titles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.widgets.plots.along_x import AlongX
from app.widgets.plots.curves import Curve
from core.services.runs.run_estimates import EstimatedSeries
from core.services.runs.run_plots import PairPlots

Plain = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, slots=True)
class ForkMark:
    """Where a fork begins and what it changed."""

    step: float = math.nan
    text: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A level in the plot of a metric, with its words and the token of its colour.

    Without words it is told in the notes beside the title of the axis.
    """

    metric: str
    key: str
    value: float
    words: str
    tone: str = "text3"
    right: bool = False


@dataclass(frozen=True, slots=True)
class RunSeries:
    """All that the plots of one run show.

    Attributes:
        curves: by metric. before: the same of the run that it was forked from, up to the fork.
        total: steps planned. fork: where it begins. levels: lines across plots.
        titles: by first metric of a plot, its title and what belongs to its newest value.
        notes: by first metric of a plot, what stands beside the title of its axis, the longest wording first.
        helps: by first metric of a plot, what its title explains.
        pairs: what is drawn of all pairs. resumes: steps at which the run went on after a stop.
        along: what stands along x.
    """

    curves: Mapping[str, Curve] = field(default_factory=dict)
    total: int = 0
    before: Mapping[str, Curve] = field(default_factory=dict)
    fork: ForkMark = field(default_factory=ForkMark)
    levels: Sequence[Level] = ()
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pairs: PairPlots = field(default_factory=PairPlots)
    resumes: tuple[float, ...] = ()
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    along: AlongX = field(default_factory=AlongX)


def plain_curve(series: Plain) -> Curve:
    """Return a curve without intervals."""
    steps, values = (np.asarray(part, dtype=float) for part in series)
    return Curve(steps, values)


def estimated_curve(series: EstimatedSeries) -> Curve:
    """Return a curve with the interval of each value."""
    parts = (series.steps, series.values, series.low, series.high, series.n)
    steps, values, low, high, n = (np.asarray(part, dtype=float) for part in parts)
    return Curve(steps, values, low, high, n)
