"""Proportions and differences of proportions, with intervals that hold for few cases and for several pairs a prompt."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import betaincinv

from core.domain.estimate import Estimate
from core.evaluation.estimates import proportion
from core.evaluation.statistics import cluster_se, group_numbers, wilson


def clopper_pearson(events: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a proportion: it never claims too much, also for 0 of ``n``.

    Without observations it is (0, 1). Source: C. Clopper and E. Pearson, Biometrika 26 (1934).
    """
    if n <= 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = float(betaincinv(events, n - events + 1, tail)) if events > 0 else 0.0
    high = float(betaincinv(events + 1, n - events, 1 - tail)) if events < n else 1.0
    return low, high


def exact_share(events: int, n: int, what: str = "share") -> Estimate:
    """Return ``events`` of ``n`` with the exact interval, for claims of safety such as 0 of 300.

    Args:
        events: how often it happened.
        n: how often it could have happened.
        what: begins the words of the estimator.
    """
    low, high = clopper_pearson(events, n)
    return Estimate(events / n if n else math.nan, low, high, n, "", f"{what}; Clopper-Pearson 95 %", groups=n)


def share_by_prompt(
    hits: ArrayLike, groups: Sequence[Hashable] | None = None, what: str = "share", level: float = 0.95
) -> Estimate:
    """Return the mean of ``hits`` with a Wilson interval for as many cases as the prompts are worth.

    Several pairs of one prompt say less than as many pairs of different prompts. The interval is Wilson's for
    p (1 - p) / SE² cases, SE the cluster-robust standard error, at most n of them; where all hits are equal, which
    tells nothing of the dependence, each prompt counts once. Source: E. Korn and B. Graubard, Survey Methodology 24
    (1998), with Wilson's interval.

    Args:
        hits: (n,) each in [0, 1]; a tie is one half.
        groups: (n,) the prompt of each; None when each has its own.
        what: begins the words of the estimator.
        level: of the interval; more than 0.95 for one of several simultaneous intervals.
    """
    x = np.asarray(hits, dtype=np.float64)
    n = int(x.size)
    numbers = group_numbers(groups if groups is not None else range(n))
    count = int(numbers.max()) + 1 if n else 0
    z = float(stats.norm.ppf((1 + level) / 2))
    if count == n and level == 0.95:
        return proportion(x, f"{what}; Wilson 95 %")
    mean = math.fsum(x.tolist()) / n if n else math.nan
    worth = float(n)
    if count < n:
        se = cluster_se((x - mean) / n, numbers)
        worth = min(n, mean * (1 - mean) / se**2) if 0 < mean < 1 and se > 0 else float(count)
        z = float(stats.t.ppf((1 + level) / 2, count - 1)) if count > 1 else math.inf
    low, high = wilson(mean * worth, worth, z) if math.isfinite(z) else (0.0, 1.0)
    return Estimate(mean, low, high, n, "", f"{what}; Wilson {100 * level:.4g} % by prompt", groups=count)


def newcombe_paired(
    both: float, first_only: float, second_only: float, neither: float, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of the difference first minus second of two shares of the same cases.

    Source: R. Newcombe, Statistics in Medicine 17 (1998) 2635, method 10 (score intervals, corrected phi).

    Args:
        both: how many cases hold for both; it may be an effective number, as may the others.
        first_only: how many hold for the first alone.
        second_only: how many hold for the second alone.
        neither: how many hold for none.
        level: of the interval; more than 0.95 for one of several simultaneous intervals.
    """
    n = both + first_only + second_only + neither
    if n == 0:
        return -1.0, 1.0
    one, two = (both + first_only) / n, (both + second_only) / n
    z = float(stats.norm.ppf((1 + level) / 2))
    low1, high1 = wilson(both + first_only, n, z)
    low2, high2 = wilson(both + second_only, n, z)
    phi = _phi(both, first_only, second_only, neither)
    down = math.sqrt(max(0.0, (one - low1) ** 2 - 2 * phi * (one - low1) * (high2 - two) + (high2 - two) ** 2))
    up = math.sqrt(max(0.0, (high1 - one) ** 2 - 2 * phi * (high1 - one) * (two - low2) + (two - low2) ** 2))
    return one - two - down, one - two + up


def _phi(both: float, first_only: float, second_only: float, neither: float) -> float:
    product = math.prod((both + first_only, second_only + neither, both + second_only, first_only + neither))
    if product == 0:
        return 0.0
    n = both + first_only + second_only + neither
    cross = both * neither - first_only * second_only
    return (max(cross - n / 2, 0.0) if cross > 0 else float(cross)) / math.sqrt(product)


def independent_difference(after: Estimate, before: Estimate, what: str = "difference") -> Estimate:
    """Return ``after`` minus ``before`` from their own intervals, for estimates of independent samples.

    For estimates of the same prompts it is wider than a paired interval. Where one has no interval, neither has the
    difference. Source: G. Zou and A. Donner, Statistics in Medicine 27 (2008) 1693 (MOVER).
    """
    value = after.value - before.value
    low = value - math.hypot(after.value - after.low, before.high - before.value)
    high = value + math.hypot(after.high - after.value, before.value - before.low)
    words = f"{what}; of two intervals (MOVER)"
    return Estimate(value, low, high, min(after.n, before.n), after.unit, words)
