"""Intervals and comparisons: Wilson, standard errors by prompt, the paired bootstrap, percentiles, ranks.

Every figure that is shown with a number of pairs behind it takes its interval from here. Pairs that share
a prompt are not independent, so that whatever resamples does so by prompt.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its uncertainty: standard error, 95 % interval, number of values and of groups."""

    value: float
    se: float
    low: float
    high: float
    n: int
    groups: int


def wilson(successes: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    ``successes`` may hold halves (ties). Without observations nothing is known: (0, 1).
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
    """Return mean and standard error of independent values; NaN where there are too few (1 for se, 0 for both)."""
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        return math.nan, math.nan
    se = float(x.std(ddof=1) / math.sqrt(x.size)) if x.size > 1 else math.nan
    return float(x.mean()), se


def cluster_mean(values: ArrayLike, groups: Sequence[Hashable] | None = None, z: float = Z95) -> Estimate:
    """Return the mean with a standard error that allows values of one group to move together.

    SE = sqrt(sum over groups of (sum of deviations)^2 * G / (G - 1)) / n, the cluster-robust error of a mean
    (Miller 2024, arXiv 2411.00640, with the usual small-sample factor). With ``groups`` None every value is
    its own group and this is the plain standard error.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0, 0)
    codes = np.arange(x.size) if groups is None else _codes(groups)
    count = int(codes.max()) + 1
    mean = float(x.mean())
    sums = np.bincount(codes, weights=x - mean, minlength=count)
    se = math.sqrt(float(sums @ sums) * count / (count - 1)) / x.size if count > 1 else math.nan
    return Estimate(mean, se, mean - z * se, mean + z * se, int(x.size), count)


def paired_bootstrap(
    new: ArrayLike,
    old: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return mean(new - old) with a percentile interval that resamples whole prompts.

    Args:
        new: (n,) values of one policy.
        old: (n,) values of the other on the same items, in the same order.
        groups: (n,) the prompt of each item; None makes every item its own.
        draws: number of bootstrap samples.
        level: coverage of the interval.
        seed: of the draws.

    Raises:
        ValueError: when the two have different lengths.
    """
    a, b = np.asarray(new, dtype=np.float64), np.asarray(old, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired values have {a.shape} and {b.shape} items")
    if a.size == 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0, 0)
    codes = np.arange(a.size) if groups is None else _codes(groups)
    count = int(codes.max()) + 1
    sums = np.bincount(codes, weights=a - b, minlength=count)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    for i in range(draws):
        drawn = rng.integers(0, count, count)
        means[i] = sums[drawn].sum() / sizes[drawn].sum()
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Estimate(float((a - b).mean()), float(means.std(ddof=1)), float(low), float(high), int(a.size), count)


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
    """Return ranks from 1, equal values sharing the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse.ravel()]


def over_budget(kl: float, se: float, budget: float) -> bool:
    """Return whether the KL's 95 % interval lies wholly above ``budget``; a budget of 0 is none.

    Without a standard error (a single prompt: NaN, or 0 in an event) nothing is known and nothing stops.
    """
    return budget > 0 and math.isfinite(se) and se > 0 and kl - Z95 * se > budget


def _codes(groups: Sequence[Hashable]) -> NDArray[np.intp]:
    """Return the groups as numbers from 0, in order of first appearance."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(g, len(seen)) for g in groups], dtype=np.intp)
