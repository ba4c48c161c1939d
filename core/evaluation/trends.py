"""Tests of whether a curve or a ranking really changed, and not by noise alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.statistics import Z95

Array = NDArray[np.float64]
LEAST_POINTS = 8
"""Fewer points have no normal approximation, so they have no trend."""
MOST_POINTS = 200
"""A longer curve is averaged in so many blocks of consecutive steps before it is tested."""
TREND_LEVEL = 0.01
"""Two-sided level of the test of a trend."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The trend of a curve.

    Attributes:
        slope: median slope between all pairs of points, per step. low, high: ends of its 95 % interval.
        p: two-sided p value of the hypothesis that there is no trend.
        points: how many points were tested.
    """

    slope: float
    low: float
    high: float
    p: float
    points: int

    @property
    def rises(self) -> bool:
        """Whether it rises at the level of the test."""
        return self.p < TREND_LEVEL and self.slope > 0

    @property
    def falls(self) -> bool:
        """Whether it falls at the level of the test."""
        return self.p < TREND_LEVEL and self.slope < 0


def trend(steps: ArrayLike, values: ArrayLike) -> Trend | None:
    """Return the trend of the finite values, or None for fewer than eight of them.

    The test is Mann-Kendall's with correction for ties and for continuity, the slope is Sen's. Both need no normal
    values and are hardly moved by a single outlier.

    Sources: H. B. Mann, Econometrica 13 (1945); M. G. Kendall, Rank Correlation Methods (1975); P. K. Sen, JASA 63
    (1968), for slope and interval.
    """
    x, y = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    there = np.isfinite(x) & np.isfinite(y)
    x, y = _blocks(x[there], y[there])
    n = int(x.size)
    if n < LEAST_POINTS:
        return None
    later, earlier = np.tril_indices(n, -1)
    gaps = x[later] - x[earlier]
    changes = y[later] - y[earlier]
    score = float(np.sign(changes).sum())
    _, ties = np.unique(y, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return Trend(0.0, 0.0, 0.0, 1.0, n)
    z = (score - math.copysign(1.0, score)) / math.sqrt(variance) if score else 0.0
    slopes = np.sort(changes[gaps > 0] / gaps[gaps > 0])
    reach = Z95 * math.sqrt(variance)
    low, high = (np.interp((slopes.size + s * reach) / 2 - 0.5, np.arange(slopes.size), slopes) for s in (-1, 1))
    return Trend(float(np.median(slopes)), float(low), float(high), math.erfc(abs(z) / math.sqrt(2)), n)


def _blocks(x: Array, y: Array) -> tuple[Array, Array]:
    """Average consecutive points where there are more than ``MOST_POINTS``."""
    if x.size <= MOST_POINTS:
        return x, y
    ends = np.linspace(0, x.size, MOST_POINTS + 1).astype(int)
    sizes = np.diff(ends)
    return np.add.reduceat(x, ends[:-1]) / sizes, np.add.reduceat(y, ends[:-1]) / sizes


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p value that ``gained`` and ``lost`` differ by chance alone.

    Source: Q. McNemar, Psychometrika 12 (1947), with the binomial distribution instead of the chi-squared one.

    >>> mcnemar(1, 9), mcnemar(3, 3)
    (0.021484375, 1.0)
    """
    n = gained + lost
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1)) / 2**n
    return min(1.0, 2 * tail)
