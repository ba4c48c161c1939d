"""Intervals, standard errors, percentiles and rank correlations of the figures that a run shows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.domain.estimate import Z95


def wilson(successes: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    ``successes`` may contain halves (ties), and ``n`` may be an effective number of cases. Without observations the
    interval is (0, 1).
    Source: E. B. Wilson, JASA 22 (1927).
    """
    if n <= 0:
        return 0.0, 1.0
    p = successes / n
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    centre = p + z * z / (2 * n)
    scale = 1 + z * z / n
    low = 0.0 if successes <= 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if successes >= n else min(1.0, (centre + spread) / scale)
    return low, high


def mean_se(values: ArrayLike) -> tuple[float, float]:
    """Return mean and standard error of independent values; NaN where there are too few."""
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        return math.nan, math.nan
    se = float(x.std(ddof=1) / math.sqrt(x.size)) if x.size > 1 else math.nan
    return float(x.mean()), se


def group_numbers(groups: Sequence[Hashable]) -> NDArray[np.intp]:
    """Return the number of each row's group, (n,): 0, 1, ... in the order in which the groups first appear."""
    places: dict[Hashable, int] = {}
    return np.array([places.setdefault(group, len(places)) for group in groups], dtype=np.intp)


def cluster_se(parts: ArrayLike, groups: NDArray[np.intp]) -> float:
    """Return the standard error of a sum of independent groups' parts; NaN with fewer than two groups.

    For the mean of ``x`` the part of a row is ``(x - mean) / n``; for any other number its influence on that number.
    The parts add up to 0. Source: E. Miller, arXiv 2411.00640, with the factor G / (G - 1) for few groups.

    Args:
        parts: (n,) one part a row.
        groups: (n,) of :func:`group_numbers`.
    """
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 2:
        return math.nan
    sums = np.bincount(groups, weights=np.asarray(parts, dtype=np.float64), minlength=count)
    return math.sqrt(count / (count - 1) * float(sums @ sums))


def percentiles(values: ArrayLike, at: Sequence[float] = (5, 25, 50, 75, 95)) -> dict[float, float]:
    """Return the percentiles ``at`` of the finite values; NaN when there are none."""
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    if x.size == 0:
        return dict.fromkeys(at, math.nan)
    return {p: float(v) for p, v in zip(at, np.percentile(x, list(at)), strict=True)}


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return the linear correlation, NaN when either side does not vary."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.size < 2:
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    norm = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / norm if norm > 0 else math.nan


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Return the rank correlation with mean ranks for ties, NaN when either side does not vary."""
    return pearson(mean_ranks(x), mean_ranks(y))


def mean_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Return ranks from 1; equal values get the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse.ravel()]


def over_budget(kl: float, se: float, budget: float) -> bool:
    """Return whether the KL's 95 % interval lies above ``budget``; a budget of 0 is none.

    Without a standard error (a single prompt: NaN, or 0 in an event) the answer is False.
    """
    return budget > 0 and math.isfinite(se) and se > 0 and kl - Z95 * se > budget
