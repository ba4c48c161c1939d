"""Numbers by slice: minimum n, adjusted p, pooled, macro and standardised means, and the Simpson alarm."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from core.domain.counting import number
from core.domain.estimate import ALL_EQUAL, TOO_SMALL, Estimate
from core.evaluation.measures.means import mean_by_prompt, no_spread, p_value
from core.evaluation.measures.multiplicity import Adjustment, adjusted
from core.evaluation.statistics import cluster_se, group_numbers

LEAST = 30
"""Items of a slice below which its number is shown greyed and decides nothing."""


@dataclass(frozen=True, slots=True)
class OneSlice:
    """A slice: its mean, whether it has enough items, and the p of a mean of 0, plain and adjusted."""

    name: str
    mean: Estimate
    enough: bool
    p: float
    p_adjusted: float


@dataclass(frozen=True, slots=True)
class SliceReport:
    """All slices, largest first, and three ways to one number.

    Attributes:
        pooled: mean over items. macro: mean over slices with enough items. standardised: mean in the target mix.
        alarm: the sentence of the Simpson alarm; empty without one.
    """

    slices: tuple[OneSlice, ...]
    pooled: Estimate
    macro: Estimate
    standardised: Estimate
    alarm: str


def by_slice(
    values: ArrayLike,
    slices: Sequence[str],
    groups: Sequence[Hashable] | None = None,
    *,
    mix: Mapping[str, float] | None = None,
    unit: str = "",
    method: Adjustment = "bh",
    least: int = LEAST,
) -> SliceReport:
    """Return values by slice; for a comparison of two arms ``values`` are paired differences.

    Args:
        values: (n,) one an item.
        slices: (n,) the slice of each item.
        groups: (n,) the prompt of each; None when each has its own.
        mix: target weight of each slice; None for equal weights. Slices without items are left out.
        unit: of the values.
        method: how p values are adjusted: ``bh`` to explore, ``holm`` for a gate.
        least: items that a slice needs.
    """
    x = np.asarray(values, dtype=np.float64)
    names = np.array(list(slices), dtype=object)
    own = np.array([str(g) for g in groups] if groups is not None else range(x.size), dtype=object)
    sizes = {name: int((names == name).sum()) for name in dict.fromkeys(slices)}
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    means = {name: mean_by_prompt(x[names == name], own[names == name].tolist(), unit) for name in order}
    plain = {name: p_value(means[name]) if sizes[name] >= least else math.nan for name in order}
    corrected = adjusted(plain, method)
    found = [OneSlice(n, means[n], sizes[n] >= least, plain[n], corrected[n]) for n in order]
    kept = [name for name in order if sizes[name] >= least]
    pooled = mean_by_prompt(x, own.tolist(), unit, "mean over items")
    macro = _weighted(x, names, own, dict.fromkeys(kept, 1.0), unit, "mean over slices")
    target = {name: weight for name, weight in (mix or dict.fromkeys(kept, 1.0)).items() if sizes.get(name)}
    standardised = _weighted(x, names, own, target, unit, "mean in the target mix")
    differences = {name: means[name].value for name in kept}
    return SliceReport(
        tuple(found), pooled, macro, standardised, simpson_alarm(pooled.value, differences, standardised.value)
    )


def simpson_alarm(pooled: float, slices: Mapping[str, float], standardised: float = math.nan) -> str:
    """Return the sentence when the pooled difference points another way than the slices; empty when it does not.

    Args:
        pooled: difference over all items.
        slices: difference in each slice with enough items.
        standardised: difference in a fixed mix of slices; NaN when there is none.
    """
    against = [name for name, value in slices.items() if value * pooled < 0]
    if slices and len(against) > len(slices) / 2:
        few = ", ".join(sorted(against)[:3])
        return (
            f"All items together say {pooled:+.3g}; {number(len(against))} of {number(len(slices))} slices say the "
            f"opposite ({few}). The mix of slices decides the pooled number: read the slices."
        )
    if math.isfinite(standardised) and standardised * pooled < 0:
        return (
            f"All items together say {pooled:+.3g}; in the fixed mix of slices it is {standardised:+.3g}. Read the "
            "slices."
        )
    return ""


def standardised_difference(
    after: ArrayLike,
    slices_after: Sequence[str],
    before: ArrayLike,
    slices_before: Sequence[str],
    mix: Mapping[str, float],
    unit: str = "",
) -> Estimate:
    """Return after minus before of two samples whose slices are mixed differently, both in the target ``mix``.

    Slices that one of them lacks are left out, and the weights of the others add up to 1.
    """
    both = set(slices_after) & set(slices_before)
    target = {name: weight for name, weight in mix.items() if name in both}
    means = []
    for values, names in ((after, slices_after), (before, slices_before)):
        x, of = np.asarray(values, dtype=np.float64), np.array(list(names), dtype=object)
        means.append(_weighted(x, of, np.arange(x.size).astype(object), target, unit, "mean in the target mix"))
    one, two = means
    value, n = one.value - two.value, one.n + two.n
    words = "difference in the target mix; normal 95 %"
    if one.se is None or two.se is None:
        return Estimate(value, math.nan, math.nan, n, unit, words)
    se = math.hypot(one.se, two.se)
    half = float(stats.norm.ppf(0.975)) * se
    return Estimate(value, value - half, value + half, n, unit, words, se, one.groups + two.groups)


@dataclass(frozen=True, slots=True)
class StratifiedTest:
    """Two shares compared within slices (Cochran-Mantel-Haenszel).

    Attributes:
        odds_ratio: common to all slices. p: of a common odds ratio of 1. p_equal: of the same one in all slices.
    """

    odds_ratio: Estimate
    p: float
    p_equal: float


def stratified_test(tables: Sequence[tuple[int, int, int, int]]) -> StratifiedTest:
    """Return the test over slices of tables (hits after, misses after, hits before, misses before).

    Slices without items in an arm are left out. Source: N. Mantel and W. Haenszel, JNCI 22 (1959).
    """
    used = [t for t in tables if t[0] + t[1] > 0 and t[2] + t[3] > 0]
    n = sum(map(sum, used))
    words = "common odds ratio (Mantel-Haenszel); 95 %"
    if not used:
        return StratifiedTest(Estimate(math.nan, math.nan, math.nan, 0, "", words), math.nan, math.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Any = StratifiedTable([np.array([[a, b], [c, d]], dtype=float) for a, b, c, d in used])
        low, high = found.oddsratio_pooled_confint()
        equal = float(found.test_equal_odds().pvalue) if len(used) > 1 else math.nan
        ratio = Estimate(float(found.oddsratio_pooled), float(low), float(high), n, "", words)
        return StratifiedTest(ratio, float(found.test_null_odds(correction=False).pvalue), equal)


def _weighted(
    x: np.ndarray, names: np.ndarray, own: np.ndarray, weights: Mapping[str, float], unit: str, what: str
) -> Estimate:
    """Return the weighted mean of slice means; a prompt in several slices is one prompt."""
    total = sum(weights.values())
    inside = np.isin(names, list(weights))
    n = int(inside.sum())
    if total <= 0 or not n:
        return Estimate(math.nan, math.nan, math.nan, 0, unit, f"{what}; no slice has enough items")
    value, parts = 0.0, np.zeros(x.size)
    for name, weight in weights.items():
        of = names == name
        mean = float(x[of].mean())
        value += weight / total * mean
        parts[of] = weight / total * (x[of] - mean) / int(of.sum())
    numbers = group_numbers(own[inside].tolist())
    count, se = int(numbers.max()) + 1, cluster_se(parts[inside], numbers)
    if count < 2 or no_spread(se, value):
        words = f"{what}; {ALL_EQUAL if count > 1 else TOO_SMALL}, no interval"
        return Estimate(value, math.nan, math.nan, n, unit, words, 0.0 if count > 1 else None, count)
    half = float(stats.t.ppf(0.975, count - 1)) * se
    words = f"{what}; cluster-robust 95 % by prompt"
    return Estimate(value, value - half, value + half, n, unit, words, se, count)
