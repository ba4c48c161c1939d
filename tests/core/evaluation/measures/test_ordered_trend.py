"""Page's test against scipy's exact one, against all orders counted by hand, and at the ends."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from core.evaluation.measures.ordered_trend import ordered_trend


@pytest.mark.parametrize("seed", range(4))
def test_that_without_ties_p_and_l_are_those_of_scipy(seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(4, 4)) + 0.4 * np.arange(4)
    found = ordered_trend(table, "accuracy", "reviewer")
    up = stats.page_trend_test(table, method="exact")
    down = stats.page_trend_test(table[:, ::-1], method="exact")
    assert found.statistic == up.statistic
    assert found.p == pytest.approx(min(1.0, 2 * min(up.pvalue, down.pvalue)), abs=1e-12)
    rhos = [stats.spearmanr(row, range(4)).statistic for row in table]
    assert found.rho.value == pytest.approx(np.mean(rhos), abs=1e-12)
    interval = stats.ttest_1samp(rhos, 0).confidence_interval()
    assert (found.rho.low, found.rho.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert found.rho.n == 4


def test_that_equal_values_are_counted_exactly_over_all_orders() -> None:
    table = np.array([[1.0, 0.8, 0.8], [0.9, 0.9, 0.5]])
    ranks = [[3.0, 1.5, 1.5], [2.5, 2.5, 1.0]]
    seen = sum(place * rank for row in ranks for place, rank in enumerate(row, 1))
    sums = [
        sum(place * rank for row in rows for place, rank in enumerate(row, 1))
        for rows in product(*(list(permutations(row)) for row in ranks))
    ]
    by_hand = min(np.mean([one <= seen for one in sums]), np.mean([one >= seen for one in sums]))
    assert ordered_trend(table, "accuracy", "reviewer").p == pytest.approx(min(1.0, 2 * by_hand), abs=1e-12)


def test_that_rows_that_all_fall_give_the_smallest_p_and_flat_rows_none() -> None:
    falling = ordered_trend([[0.9, 0.8, 0.7, 0.6]] * 3, "accuracy", "reviewer")
    assert falling.rho.value == -1.0 and not falling.rho.has_interval
    assert falling.p == pytest.approx(2 / 24**3)
    flat = ordered_trend([[1.0] * 4] * 3, "accuracy", "reviewer")
    assert (flat.rho.value, flat.p) == (0.0, 1.0)
    with pytest.raises(ValueError, match="2 to 6 columns"):
        ordered_trend([[1.0]], "accuracy", "reviewer")
