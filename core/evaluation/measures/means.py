"""Means and any other statistic with intervals over prompts, not over rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from core.domain.estimate import ALL_EQUAL, TOO_SMALL, Estimate
from core.evaluation.estimates import RESAMPLES
from core.evaluation.statistics import cluster_se, group_numbers

Array = NDArray[np.float64]
_ROUNDING = 1e-12
SEED = 20_240_301
"""Of every bootstrap here: the same rows give the same interval."""
_NUMBERS_AT_ONCE = 4_000_000
"""Numbers of drawn prompts that are held at once."""


def no_spread(se: float, value: float) -> bool:
    """Return whether a standard error is no more than what rounding makes of equal values."""
    return se <= _ROUNDING * max(1.0, abs(value))


def mean_by_prompt(
    values: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    unit: str = "",
    what: str = "mean",
    over: str = "prompt",
) -> Estimate:
    """Return the mean with its cluster-robust 95 % interval (t with as many degrees as prompts less one).

    The interval is NaN with fewer than two prompts, and where all prompts have the same value: a sample without any
    spread says nothing of the spread. The estimator then says which of both it is. A value that is not finite makes the
    mean NaN.
    Source: E. Miller, arXiv 2411.00640, equation of the clustered standard error.

    Args:
        values: (n,) one value a row.
        groups: (n,) the prompt of each row; None when each has its own.
        unit: of the values.
        what: begins the words of the estimator.
        over: what a group is, where it is no prompt.
    """
    x = np.asarray(values, dtype=np.float64)
    n = int(x.size)
    numbers = group_numbers(groups if groups is not None else range(n))
    count = int(numbers.max()) + 1 if n else 0
    mean = math.fsum(x.tolist()) / n if n else math.nan
    if count < 2 or not math.isfinite(mean):
        return Estimate(mean, math.nan, math.nan, n, unit, f"{what}; {TOO_SMALL}, no interval", groups=count)
    se = cluster_se((x - mean) / n, numbers)
    if no_spread(se, mean):
        return Estimate(mean, math.nan, math.nan, n, unit, f"{what}; {ALL_EQUAL}, no interval", 0.0, count)
    half = float(stats.t.ppf(0.975, count - 1)) * se
    return Estimate(mean, mean - half, mean + half, n, unit, f"{what}; cluster-robust 95 % by {over}", se, count)


def ratio_of_sums(
    over: ArrayLike, under: ArrayLike, unit: str = "", what: str = "ratio of sums", by: str = "group"
) -> Estimate:
    """Return sum(over) / sum(under) of independent groups with its 95 % interval by the delta method.

    The part of a group is (over - ratio under) / sum(under). Where no number is below 0, neither is the lower end.
    Source: W. Cochran, Sampling Techniques, 3rd ed., 6.

    Args:
        over: (n,) one number a group.
        under: (n,) the same, above 0.
        unit: of the ratio.
        what: begins the words of the estimator.
        by: what a group is.
    """
    x, y = np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
    n, total = int(x.size), math.fsum(y.tolist())
    value = math.fsum(x.tolist()) / total if total > 0 else math.nan
    if n < 2 or not math.isfinite(value):
        return Estimate(value, math.nan, math.nan, n, unit, f"{what}; {TOO_SMALL}, no interval")
    se = cluster_se((x - value * y) / total, np.arange(n))
    if no_spread(se, value):
        return Estimate(value, math.nan, math.nan, n, unit, f"{what}; {ALL_EQUAL}, no interval", 0.0, n)
    half = float(stats.t.ppf(0.975, n - 1)) * se
    low = max(0.0, value - half) if float(x.min()) >= 0 else value - half
    return Estimate(value, low, value + half, n, unit, f"{what}; delta method 95 % by {by}", se, n)


def paired_difference(
    after: ArrayLike, before: ArrayLike, groups: Sequence[Hashable] | None = None, unit: str = "", what: str = ""
) -> Estimate:
    """Return the mean of ``after`` minus ``before`` of the same rows, by prompt; see :func:`mean_by_prompt`.

    Raises:
        ValueError: when there are not as many values after as before.
    """
    a, b = np.asarray(after, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"{a.size} values after, {b.size} before: they are not of the same rows")
    return mean_by_prompt(a - b, groups, unit, what or "mean paired difference")


def p_value(estimate: Estimate, against: float = 0.0) -> float:
    """Return the two-sided p of a mean by prompt being ``against``; NaN without a standard error.

    With a standard error of 0 it is 1 where the value is ``against``, else 0.
    """
    if estimate.se is None or not math.isfinite(estimate.se):
        return math.nan
    if estimate.se == 0:
        return 1.0 if estimate.value == against else 0.0
    return float(2 * stats.t.sf(abs(estimate.value - against) / estimate.se, estimate.groups - 1))


def difference_of_means(
    after: ArrayLike,
    before: ArrayLike,
    groups_after: Sequence[Hashable] | None = None,
    groups_before: Sequence[Hashable] | None = None,
    unit: str = "",
) -> Estimate:
    """Return the difference of the means of two samples without common prompts (Welch, by prompt)."""
    one = mean_by_prompt(after, groups_after, unit)
    two = mean_by_prompt(before, groups_before, unit)
    value, n = one.value - two.value, one.n + two.n
    if one.se is None or two.se is None:
        return Estimate(value, math.nan, math.nan, n, unit, f"difference of means; {TOO_SMALL}, no interval")
    squares = one.se**2, two.se**2
    se = math.sqrt(sum(squares))
    count = one.groups + two.groups
    if no_spread(se, value):
        words = f"difference of means; {ALL_EQUAL}, no interval"
        return Estimate(value, math.nan, math.nan, n, unit, words, 0.0, count)
    parts = squares[0] ** 2 / (one.groups - 1) + squares[1] ** 2 / (two.groups - 1)
    half = float(stats.t.ppf(0.975, sum(squares) ** 2 / parts)) * se
    words = "difference of means; Welch 95 % by prompt"
    return Estimate(value, value - half, value + half, n, unit, words, se, count)


def bootstrap_by_prompt(
    statistic: Callable[[Array], float],
    values: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    unit: str = "",
    what: str = "statistic",
    draws: int = RESAMPLES,
) -> Estimate:
    """Return any statistic of the rows with its BCa bootstrap interval: whole prompts are drawn.

    Without an interval (NaN) where there are fewer than three prompts, where every draw gives the same value, where the
    statistic is no number for some draws, and where the interval would not hold the value: then drawing rows again
    changes what the statistic measures.
    Source: B. Efron, JASA 82 (1987); ``scipy.stats.bootstrap``.

    Args:
        statistic: from rows, shaped like ``values`` with another length, to the number.
        values: (n,) or (n, columns).
        groups: (n,) the prompt of each row; None when each has its own.
        unit: of the statistic.
        what: begins the words of the estimator.
        draws: of the bootstrap.
    """
    x = np.asarray(values, dtype=np.float64)
    n = int(x.shape[0])
    numbers = group_numbers(groups if groups is not None else range(n))
    count = int(numbers.max()) + 1 if n else 0
    value = float(statistic(x)) if n else math.nan
    if count < 3 or not math.isfinite(value):
        why = TOO_SMALL if count < 3 else "not defined for these values"
        return Estimate(value, math.nan, math.nan, n, unit, f"{what}; {why}, no interval", groups=count)
    members = [np.flatnonzero(numbers == group) for group in range(count)]

    def of_groups(drawn: Array) -> float:
        return float(statistic(x[np.concatenate([members[int(group)] for group in drawn])]))

    drawn = _Drawn(value, n, count, unit, what, draws)
    return drawn.with_interval(of_groups, vectorized=False)


def bootstrap_of_sums(
    statistic: Callable[[Array], Array],
    values: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    unit: str = "",
    what: str = "statistic",
    draws: int = RESAMPLES,
) -> Estimate:
    """Return what :func:`bootstrap_by_prompt` returns, of a statistic that only needs the sums of the columns.

    The draws are computed together and not one after the other.

    Args:
        statistic: from the sums of the columns, (..., columns), to the numbers, (...).
        values: (n, columns).
        groups: (n,) the prompt of each row; None when each has its own.
        unit: of the statistic.
        what: begins the words of the estimator.
        draws: of the bootstrap.
    """
    x = np.asarray(values, dtype=np.float64)
    n, columns = x.shape
    numbers = group_numbers(groups if groups is not None else range(n))
    count = int(numbers.max()) + 1 if n else 0
    sums = np.zeros((count, columns))
    np.add.at(sums, numbers, x)
    value = float(statistic(sums.sum(axis=0))) if n else math.nan
    if count < 3 or not math.isfinite(value):
        why = TOO_SMALL if count < 3 else "not defined for these values"
        return Estimate(value, math.nan, math.nan, n, unit, f"{what}; {why}, no interval", groups=count)

    def of_groups(drawn: Array, axis: int = -1) -> Array:
        return statistic(sums[np.moveaxis(drawn, axis, -1).astype(np.intp)].sum(axis=-2))

    drawn = _Drawn(value, n, count, unit, what, draws)
    return drawn.with_interval(of_groups, vectorized=True, batch=max(1, _NUMBERS_AT_ONCE // (count * columns)))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A statistic of prompts that are drawn again: its value, and what the words of its estimator are made of."""

    value: float
    n: int
    count: int
    unit: str
    what: str
    draws: int

    def with_interval(self, of_groups: Callable[..., Any], *, vectorized: bool, batch: int | None = None) -> Estimate:
        """Return the value with its BCa interval; ``of_groups`` is the statistic of drawn numbers of prompts."""
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("ignore")  # of draws that are all the same: the interval is NaN, the words say it
            found = stats.bootstrap(
                (np.arange(self.count),), of_groups, vectorized=vectorized, n_resamples=self.draws, batch=batch,
                rng=np.random.default_rng(SEED),
            )  # fmt: skip
        low, high = float(found.confidence_interval.low), float(found.confidence_interval.high)
        if not np.isfinite(found.bootstrap_distribution).all():
            return self._without("no interval: not defined for some draws")
        if not (math.isfinite(low) and math.isfinite(high)):
            return self._without(f"{ALL_EQUAL}, no interval")
        if not low <= self.value <= high:
            return self._without("no interval: resampling biases it")
        words = f"{self.what}; BCa bootstrap 95 % by prompt, {self.draws:,} draws"
        return Estimate(self.value, low, high, self.n, self.unit, words, groups=self.count)

    def _without(self, why: str) -> Estimate:
        words = f"{self.what}; {why}"
        return Estimate(self.value, math.nan, math.nan, self.n, self.unit, words, groups=self.count)
