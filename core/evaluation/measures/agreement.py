"""Agreement of any number of reviewers, from how many of them gave each item each verdict.

All coefficients here depend on an item only through its counts, and items with equal counts are interchangeable. So
the distinct rows of counts with their frequencies hold everything, and a bootstrap over items is one multinomial draw
of the frequencies: it costs the same for a hundred items and for a million.

Sources: K. Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014) for the percent agreement, Fleiss' kappa, AC1 and
AC2 with missing verdicts; K. Krippendorff, Content Analysis (2018) for alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.domain.estimate import Estimate
from core.domain.quality import FIRM, TENTATIVE

Weights = Literal["identity", "ordinal"]
Array = NDArray[np.float64]
DRAWS = 2000
_SEED = 20
_ONE_VERDICT = "only one verdict occurs, so chance cannot be told from agreement"


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """Items by how many reviewers gave each verdict.

    Attributes:
        rows: (p, k) distinct rows of counts over the k possible verdicts, each with at least one verdict.
        times: (p,) how many items have that row.
    """

    rows: Array
    times: Array

    @property
    def several(self) -> int:
        """How many items have two verdicts or more; only these say anything about agreement."""
        return int(self.times[self.rows.sum(axis=1) >= 2].sum())


def count_verdicts(items: ArrayLike, verdicts: ArrayLike, kinds: int) -> VerdictCounts:
    """Count verdicts by item.

    Args:
        items: (n,) the item of each verdict, as a whole number.
        verdicts: (n,) the verdict, 0 to ``kinds`` - 1.
        kinds: how many verdicts are possible.
    """
    item, verdict = np.asarray(items, dtype=np.int64), np.asarray(verdicts, dtype=np.int64)
    if not item.size:
        return VerdictCounts(np.zeros((0, kinds)), np.zeros(0))
    _, place = np.unique(item, return_inverse=True)
    table = np.bincount(place * kinds + verdict, minlength=(int(place.max()) + 1) * kinds).reshape(-1, kinds)
    rows, times = _distinct(table)
    return VerdictCounts(rows.astype(np.float64), times.astype(np.float64))


def _distinct(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows of counts and how often each occurs; as one number a row where they fit, to be quick."""
    base, kinds = int(table.max()) + 1, table.shape[1]
    if base**kinds >= 2**62:
        return np.unique(table, axis=0, return_counts=True)
    powers = base ** np.arange(kinds - 1, -1, -1, dtype=np.int64)
    numbers, times = np.unique(table @ powers, return_counts=True)
    return numbers[:, None] // powers % base, times


def percent(counts: VerdictCounts) -> Estimate:
    """Return the share of equal verdicts among the pairs of reviewers of an item, averaged over items."""
    return _estimate(
        counts, lambda times: _observed(counts.rows, times, _weights(counts, "identity")), "equal verdicts"
    )


def fleiss_kappa_of(counts: VerdictCounts) -> Estimate:
    """Return Fleiss' kappa, generalised to items with different numbers of verdicts."""
    weights = _weights(counts, "identity")

    def kappa(times: Array) -> Array:
        shares = _shares(counts.rows, times)
        by_chance = np.einsum("dk,kl,dl->d", shares, weights, shares)
        return _beyond_chance(_observed(counts.rows, times, weights), by_chance)

    return _estimate(counts, kappa, "Fleiss' kappa")


def gwet(counts: VerdictCounts, weights: Weights = "identity") -> Estimate:
    """Return Gwet's AC1, or AC2 with ordinal weights: chance agreement that stays small where one verdict prevails."""
    table = _weights(counts, weights)
    kinds = table.shape[0]

    def coefficient(times: Array) -> Array:
        shares = _shares(counts.rows, times)
        by_chance = table.sum() / (kinds * (kinds - 1)) * (shares * (1 - shares)).sum(axis=1)
        return _beyond_chance(_observed(counts.rows, times, table), by_chance)

    return _estimate(counts, coefficient, "Gwet's AC1" if weights == "identity" else "Gwet's AC2, ordinal weights")


def krippendorff_alpha(counts: VerdictCounts, scale: Literal["nominal", "ordinal"] = "nominal") -> Estimate:
    """Return Krippendorff's alpha; ``ordinal`` counts how far apart two verdicts are in their order."""
    sums = counts.rows.sum(axis=1)
    usable = sums >= 2
    rows, kinds = counts.rows[usable], counts.rows.shape[1]
    pairs = np.einsum("pk,pl->pkl", rows, rows)
    pairs[:, np.arange(kinds), np.arange(kinds)] -= rows
    pairs /= np.maximum(sums[usable] - 1, 1)[:, None, None]

    def alpha(times: Array) -> Array:
        found = np.tensordot(times[:, usable], pairs, axes=1)
        totals = found.sum(axis=2)
        n = totals.sum(axis=1)
        distance = _squared_distances(totals, scale)
        seen = (found * distance).sum(axis=(1, 2))
        chance = (np.einsum("dk,dl->dkl", totals, totals) * distance).sum(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(chance > 0, 1 - (n - 1) * seen / chance, np.nan)

    return _estimate(counts, alpha, f"Krippendorff's alpha, {scale}")


def cohen(first: ArrayLike, second: ArrayLike, kinds: int) -> Estimate:
    """Return Cohen's kappa of two reviewers on the same items, with a bootstrap over items.

    Args:
        first: (n,) verdicts of one, 0 to ``kinds`` - 1.
        second: (n,) verdicts of the other on the same items.
        kinds: how many verdicts are possible.
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    cells = np.bincount(a * kinds + b, minlength=kinds * kinds).astype(np.float64)
    both = np.zeros((kinds * kinds, kinds))
    np.add.at(both, (np.arange(kinds * kinds), np.arange(kinds * kinds) // kinds), 1)
    np.add.at(both, (np.arange(kinds * kinds), np.arange(kinds * kinds) % kinds), 1)

    def kappa(times: Array) -> Array:
        table = times.reshape(-1, kinds, kinds) / np.maximum(times.sum(axis=1), 1)[:, None, None]
        equal = np.trace(table, axis1=1, axis2=2)
        return _beyond_chance(equal, (table.sum(axis=2) * table.sum(axis=1)).sum(axis=1))

    return _estimate(VerdictCounts(both, cells), kappa, "Cohen's kappa")


def strength_of(alpha: float) -> Literal["firm", "tentative", "weak"]:
    """Return what an alpha allows: firm conclusions, tentative ones, or adjudication first."""
    return "firm" if alpha >= FIRM else "tentative" if alpha >= TENTATIVE else "weak"


def _estimate(counts: VerdictCounts, statistic: Callable[[Array], Array], what: str) -> Estimate:
    """Return the statistic with the 2.5 and 97.5 percentiles of its bootstrap over items.

    Args:
        counts: what was counted.
        statistic: from (draws, p) frequencies to (draws,) values.
        what: its name.
    """
    n, times = counts.several, counts.times
    if not n:
        return Estimate(math.nan, math.nan, math.nan, 0, "", f"{what}; no item has two verdicts")
    value = float(statistic(times[None, :])[0])
    if not math.isfinite(value):
        return Estimate(math.nan, math.nan, math.nan, n, "", f"{what}; undefined: {_ONE_VERDICT}")
    if n < 3:
        return Estimate(value, math.nan, math.nan, n, "", f"{what}; no interval below three items")
    total = int(times.sum())
    drawn = np.random.default_rng(_SEED).multinomial(total, times / total, size=DRAWS).astype(np.float64)
    values = statistic(drawn)
    values = values[np.isfinite(values)]
    if values.size < DRAWS // 2 or float(np.ptp(values)) == 0.0:
        return Estimate(value, math.nan, math.nan, n, "", f"{what}; no interval: the draws do not differ")
    low, high = (float(end) for end in np.percentile(values, (2.5, 97.5)))
    return Estimate(value, low, high, n, "", f"{what}; percentile bootstrap 95 % over items, {DRAWS:,} draws")


def _observed(rows: Array, times: Array, weights: Array) -> Array:
    """Return (draws,) the weighted agreement of pairs of verdicts within items, averaged over items."""
    sums = rows.sum(axis=1)
    usable = sums >= 2
    kept, count = rows[usable], sums[usable]
    of_item = (kept * (kept @ weights - 1)).sum(axis=1) / (count * (count - 1))
    chosen = times[:, usable]
    with np.errstate(invalid="ignore"):
        return chosen @ of_item / chosen.sum(axis=1)


def _shares(rows: Array, times: Array) -> Array:
    """Return (draws, k) the mean share of each verdict over items."""
    return times @ (rows / rows.sum(axis=1, keepdims=True)) / times.sum(axis=1, keepdims=True)


def _beyond_chance(observed: Array, by_chance: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(by_chance < 1 - 1e-12, (observed - by_chance) / (1 - by_chance), np.nan)


def _weights(counts: VerdictCounts, kind: Weights) -> Array:
    """Return (k, k) how far two verdicts agree: 1 when equal; ordinal ones fall with the verdicts between them."""
    kinds = counts.rows.shape[1]
    if kind == "identity":
        return np.eye(kinds)
    apart = np.abs(np.subtract.outer(np.arange(kinds), np.arange(kinds))) + 1
    return 1 - apart * (apart - 1) / (kinds * (kinds - 1))


def _squared_distances(totals: Array, scale: str) -> Array:
    """Return (draws, k, k) squared distances: 0 and 1, or by how many verdicts lie between two."""
    kinds = totals.shape[1]
    if scale == "nominal":
        return np.broadcast_to(1 - np.eye(kinds), (totals.shape[0], kinds, kinds))
    upto = np.cumsum(totals, axis=1) - totals / 2  # the middle of each verdict in the order of all
    return np.subtract(upto[:, :, None], upto[:, None, :]) ** 2
