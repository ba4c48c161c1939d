"""What plots of all pairs of a run show: margins over steps in fixed bins, gradient weights by rank, accuracy by slice.

Pure functions of the numbers of each pair, so that every cell, rank and slice leads back to its pairs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.domain.estimate import Estimate
from core.domain.suite import MIN_SLICE
from core.evaluation.estimates import proportion
from core.evaluation.histogram import Histogram, histogram
from core.evaluation.preference_metrics import SATURATED, WRONG_SIDE, Share, effective_number, half_credit, share

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
MOST_COLUMNS = 240
"""Columns of a heat map; where more steps were measured, a column holds several steps."""
LEVELS = (95.0, 50.0, 5.0)
"""Percentiles that are drawn as lines."""


@dataclass(frozen=True, slots=True)
class MarginHeat:
    """How h = margin / β of all pairs lies over the steps. The bins are the same for every step, 0 is an edge.

    Attributes:
        bins: edges in nats, and the counts over all steps; the outermost bins hold the tails.
        first, last: (k,) first and last step of each column.
        counts: (k, b) pairs of each column in each bin.
        n: (k,) pairs of each column. missing: (k,) those without a finite h, in no bin.
        levels: (3, k) 95th, 50th and 5th percentile, nats.
    """

    bins: Histogram
    first: Steps
    last: Steps
    counts: NDArray[np.int64]
    n: Steps
    missing: Steps
    levels: Floats

    @property
    def edges(self) -> tuple[float, ...]:
        """Edges of the bins, nats."""
        return self.bins.edges

    @property
    def shares(self) -> Floats:
        """Share of the pairs of each column in each bin (k, b), 0 to 1."""
        return self.counts / np.maximum(self.n, 1)[:, None]

    @property
    def borders(self) -> Floats:
        """Steps between which each column stands (k + 1,): half-way between neighbouring looks."""
        if not self.n.size:
            return np.empty(0)
        inner = (self.last[:-1] + self.first[1:]) / 2
        low, high = float(self.first[0]), float(self.last[-1])
        ends = (low, high) if high > low else (low - 0.5, high + 0.5)
        return np.concatenate([[ends[0]], inner, [ends[1]]])

    def column_of(self, step: float) -> int:
        """Return the column that stands at a step, the first or last one beyond the ends; -1 where there is none."""
        if not self.n.size:
            return -1
        return min(max(int(np.searchsorted(self.borders, step, side="right")) - 1, 0), self.n.size - 1)

    def bin_at(self, h: float) -> int | None:
        """Return the bin at a height; None beyond the outermost edges, where nothing is drawn."""
        return self.bins.bin_of(h) if self.edges[0] <= h < self.edges[-1] else None

    def words_of(self, bin_: int) -> str:
        """Return what a bin holds, in words."""
        low, high = (f"{edge:g}".replace("-", "−") for edge in self.edges[bin_ : bin_ + 2])
        if bin_ == 0 and self.bins.below:
            return f"h below {high}"
        if bin_ == len(self.edges) - 2 and self.bins.above:
            return f"h from {low}"
        return f"h {low} to {high}"


def margin_heat(steps: ArrayLike, h: ArrayLike, *, bins: int = 26, most_columns: int = MOST_COLUMNS) -> MarginHeat:
    """Bin the margins of all pairs by step.

    Args:
        steps: (m,) ascending optimizer step of each measurement.
        h: (m,) margin / β of each, nats.
        bins: about how many bins; half a per cent at either end may be in the outermost ones.
        most_columns: columns at most; beyond, neighbouring steps share one.
    """
    at, x = np.asarray(steps, dtype=np.int64), np.asarray(h, dtype=np.float64)
    known, own = np.unique(at, return_inverse=True)
    wide = max(1, math.ceil(known.size / most_columns))
    column, count = own // wide, math.ceil(known.size / wide)
    finite = np.isfinite(x)
    found = histogram(x, bins)
    width = len(found.counts)
    place = np.clip(np.searchsorted(np.asarray(found.edges), x[finite], side="right") - 1, 0, width - 1)
    cells = np.bincount(column[finite] * width + place, minlength=count * width).reshape(count, width)
    n = np.bincount(column, minlength=count)
    levels = np.full((len(LEVELS), count), math.nan)
    ends = np.searchsorted(column, np.arange(count + 1))
    for number in range(count):
        part = x[ends[number] : ends[number + 1]]
        part = part[np.isfinite(part)]
        if part.size:
            levels[:, number] = np.percentile(part, LEVELS)
    firsts = known[::wide]
    lasts = known[np.minimum(np.arange(count) * wide + wide - 1, known.size - 1)] if known.size else firsts
    return MarginHeat(found, firsts, lasts, cells, n, n - cells.sum(axis=1), levels)


@dataclass(frozen=True, slots=True)
class WeightSpectrum:
    """The gradient weights of some pairs, the largest first.

    Attributes:
        weights: (n,) descending. order: (n,) the place of each in the input.
        effective: (Σw)² / Σw², as many equal pairs have the same noise; NaN where all are 0.
        saturated: share below 0.05. wrong_side: share above 0.5.
    """

    weights: Floats
    order: Steps
    effective: float
    saturated: Share
    wrong_side: Share


def weight_spectrum(weights: ArrayLike) -> WeightSpectrum:
    """Return gradient weights by rank; those that are not finite are left out."""
    w = np.asarray(weights, dtype=np.float64)
    there = np.flatnonzero(np.isfinite(w))
    order = there[np.argsort(-w[there], kind="stable")]
    ranked = w[order]
    return WeightSpectrum(
        ranked,
        order,
        effective_number(ranked),
        share((ranked < SATURATED).astype(float)),
        share((ranked > WRONG_SIDE).astype(float)),
    )


@dataclass(frozen=True, slots=True)
class SliceCurve:
    """The accuracy of one slice of the pairs at each look, with its Wilson interval and n."""

    name: str
    pair_ids: tuple[str, ...]
    steps: tuple[int, ...]
    accuracy: tuple[Estimate, ...]

    @property
    def newest(self) -> Estimate:
        """The accuracy at the last look."""
        return self.accuracy[-1]

    @property
    def enough(self) -> bool:
        """Whether it has as many pairs as a slice needs to decide anything."""
        return self.newest.n >= MIN_SLICE


def slice_curves(
    steps: ArrayLike, margin: ArrayLike, pair_ids: Sequence[str], slices: Mapping[str, Sequence[str]]
) -> tuple[SliceCurve, ...]:
    """Return the accuracy of each slice over the steps, the worst at the last look first.

    The upper end of the interval decides, so that a slice of one pair does not stand before one that is surely low;
    slices with too few pairs come last.

    Args:
        steps: (m,) ascending optimizer step of each measurement.
        margin: (m,) margin of each; 0 counts one half.
        pair_ids: (m,) the pair of each.
        slices: the slices of each pair by its id. A slice that holds every pair says nothing new and is left out.
    """
    at, hits = np.asarray(steps, dtype=np.int64), half_credit(np.asarray(margin, dtype=np.float64))
    names = sorted({name for pair_id in set(pair_ids) for name in slices.get(pair_id, ())})
    found = list[SliceCurve]()
    for name in names:
        inside = np.array([name in slices.get(pair_id, ()) for pair_id in pair_ids])
        if inside.all():
            continue
        own = at[inside]
        looks = np.unique(own)
        shares = tuple(proportion(hits[inside][own == step]) for step in looks)
        ids = tuple(dict.fromkeys(p for p, there in zip(pair_ids, inside, strict=True) if there))
        found.append(SliceCurve(name, ids, tuple(int(step) for step in looks), shares))
    return tuple(sorted(found, key=lambda curve: (not curve.enough, curve.newest.high, curve.newest.value, curve.name)))
