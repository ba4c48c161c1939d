"""Bins of the margin histogram: round edges, outliers in the outermost bins, and the values in each bin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_NOISE = 1e-6
"""Values that differ by less differ by rounding: policy and reference are the same."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values between edges.

    Attributes:
        edges: (bins + 1,) ascending. The first and last bin also hold the values beyond the edges.
        counts: (bins,) values in [edge, next edge).
        below, above: how many of the first and last bin's values lie outside the edges.
        missing: values that are not finite and are in no bin.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int = 0
    above: int = 0
    missing: int = 0

    def bin_of(self, value: float) -> int | None:
        """Return the bin of ``value``, None when it is not finite."""
        if not math.isfinite(value) or not self.counts:
            return None
        at = int(np.searchsorted(np.asarray(self.edges), value, side="right")) - 1
        return min(max(at, 0), len(self.counts) - 1)

    def members(self, values: Sequence[float], first: int, last: int | None = None) -> list[int]:
        """Return the positions of ``values`` in the bins ``first`` to ``last``."""
        last = first if last is None else last
        return [i for i, v in enumerate(values) if (b := self.bin_of(v)) is not None and first <= b <= last]


def round_step(width: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is at least ``width``.

    >>> round_step(0.03), round_step(3.0)
    (0.05, 5.0)
    """
    if width <= 0 or not math.isfinite(width):
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    for step in _STEPS:
        if step * power >= width * (1 - 1e-9):
            return step * power
    return 10.0 * power


def histogram(values: ArrayLike, bins: int = 40, *, centre: float = 0.0, clip: float = 0.5) -> Histogram:
    """Bin ``values`` with ``centre`` on an edge, so that no bin mixes values below and above it.

    Args:
        values: (n,) margins; those that are not finite are counted in ``missing``.
        bins: approximate number of bins; round widths decide the exact number, at most ``bins`` + 2.
        centre: a value that must be an edge.
        clip: percent of values at either end that may be put into the outermost bins, so that one outlier does
            not widen all the others.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    finite = x[np.isfinite(x)]
    missing = int(x.size - finite.size)
    if finite.size == 0:
        return Histogram((centre - 1.0, centre, centre + 1.0), (0, 0), missing=missing)
    low, high = (float(v) for v in np.percentile(finite, [clip, 100 - clip]))
    low, high = min(low, centre), max(high, centre)
    step = round_step((high - low) / max(bins, 2)) if high - low > _NOISE else 0.1
    first = math.floor((low - centre) / step + 1e-9)
    last = max(math.floor((high - centre) / step + 1e-9) + 1, 1)
    # Values below the centre need a bin of their own even when all of them were clipped.
    first = min(first, -1 if finite.min() < centre else 0)
    edges = centre + step * np.arange(first, last + 1)
    at = np.clip(np.searchsorted(edges, finite, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(at, minlength=len(edges) - 1)
    return Histogram(
        tuple(float(e) for e in edges),
        tuple(int(c) for c in counts),
        int((finite < edges[0]).sum()),
        int((finite >= edges[-1]).sum()),
        missing,
    )
