"""Whether several sequences go the same way with time: Page's test, exact also where values are equal.

Source: E. B. Page, Journal of the American Statistical Association 58 (1963) 216. Each row is ranked by itself, so that
rows with other levels count alike; without a trend every order of the ranks of a row is equally likely.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from core.domain.estimate import Estimate
from core.evaluation.measures.means import mean_by_prompt

MOST_PERIODS = 6
"""Columns up to which all orders of a row are counted."""


@dataclass(frozen=True, slots=True)
class OrderedTrend:
    """How rows of one table go from its first column to its last.

    Attributes:
        rho: mean over the rows of the rank correlation of value and column; -1 where every row falls throughout. Its
            interval is by row. p: two-sided, exact, that there is no trend in any row.
        statistic: Page's L, from the first column to the last.
    """

    rho: Estimate
    p: float
    statistic: float


def ordered_trend(table: ArrayLike, of: str, over: str) -> OrderedTrend:
    """Return the trend along the columns.

    Args:
        table: (rows, columns) at most ``MOST_PERIODS`` columns; rows are independent.
        of: what is ranked, for the words of the estimator.
        over: what a row is.

    Raises:
        ValueError: for a table without rows or with too few or too many columns.
    """
    values = np.asarray(table, dtype=np.float64)
    if values.ndim != 2 or not len(values) or not 2 <= values.shape[1] <= MOST_PERIODS:
        raise ValueError(f"a table of 1 row or more and 2 to {MOST_PERIODS} columns is needed, not {values.shape}")
    doubled = np.rint(2 * rankdata(values, axis=1)).astype(int)  # ranks of equal values are halves
    order = np.arange(1, values.shape[1] + 1)
    statistic = int((doubled * order).sum())
    all_sums = Counter({0: 1.0})
    for row in doubled:
        all_sums = _joined(all_sums, _orders(tuple(row.tolist())))
    below = sum(share for total, share in all_sums.items() if total <= statistic)
    above = sum(share for total, share in all_sums.items() if total >= statistic)
    rho = mean_by_prompt(
        _correlations(doubled, order), None, "", f"mean rank correlation of {of} and period (Page)", over
    )
    return OrderedTrend(rho, min(1.0, 2 * min(below, above)), statistic / 2)


def _orders(ranks: tuple[int, ...]) -> Counter[int]:
    """Return how likely each sum of column times rank is when every order of the ranks is equally likely."""
    sums = Counter(sum(place * rank for place, rank in enumerate(one, 1)) for one in permutations(ranks))
    total = sum(sums.values())
    return Counter({key: count / total for key, count in sums.items()})


def _joined(one: Counter[int], other: Counter[int]) -> Counter[int]:
    """Return the distribution of the sum of two independent numbers."""
    found: Counter[int] = Counter()
    for a, share in one.items():
        for b, part in other.items():
            found[a + b] += share * part
    return found


def _correlations(doubled: NDArray[np.int_], order: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return Spearman's correlation of each row with the columns; 0 where all its values are equal."""
    ranks, x = doubled - doubled.mean(axis=1, keepdims=True), order - order.mean()
    size = np.sqrt((ranks**2).sum(axis=1) * (x**2).sum())
    return np.where(size > 0, ranks @ x / np.where(size > 0, size, 1.0), 0.0)
