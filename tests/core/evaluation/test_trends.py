"""Trend and ranking tests against published tables, every permutation, and their own false alarms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from core.evaluation.trends import TREND_LEVEL, mcnemar, trend


def score(values: tuple[float, ...]) -> int:
    return sum(int(np.sign(b - a)) for a, b in itertools.combinations(values, 2))


def test_that_slope_and_p_are_those_of_a_series_worked_out_by_hand():
    values = [3.0, 1.0, 4.0, 2.0, 6.0, 5.0, 8.0, 7.0]
    found = trend(range(8), values)
    assert found is not None
    assert score(tuple(values)) == 18
    z = (18 - 1) / math.sqrt(8 * 7 * 21 / 18)
    assert found.p == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-12)
    slopes = sorted((values[j] - values[i]) / (j - i) for i, j in itertools.combinations(range(8), 2))
    assert found.slope == pytest.approx((slopes[13] + slopes[14]) / 2)
    assert found.low < found.slope < found.high


def exact_p(values: list[float]) -> float:
    """Return the two-sided p value over all orders, by counting the orders with so many inversions."""
    n = len(values)
    orders = [1]
    for size in range(2, n + 1):
        longer = [0] * (len(orders) + size - 1)
        for inversions, count in enumerate(orders):
            for more in range(size):
                longer[inversions + more] += count
        orders = longer
    reach = abs(score(tuple(values)))
    total = n * (n - 1) // 2
    return sum(c for k, c in enumerate(orders) if abs(total - 2 * k) >= reach) / math.factorial(n)


@pytest.mark.parametrize("swaps", [3, 6, 9])
def test_that_the_p_value_is_near_the_exact_one_over_all_orders(swaps):
    values = [float(i) for i in range(14)]
    rng = np.random.default_rng(swaps)
    for _ in range(swaps):
        i, j = rng.integers(0, 14, 2)
        values[i], values[j] = values[j], values[i]
    found = trend(range(14), values)
    assert found is not None
    assert 0.4 * found.p <= exact_p(values) <= 1.2 * found.p, "near, and rather too careful than too bold"


def test_that_noise_alone_is_called_a_trend_as_seldom_as_the_level_says():
    rng = np.random.default_rng(0)
    found = [trend(range(60), rng.normal(size=60)) for _ in range(250)]
    assert sum(t is not None and t.p < TREND_LEVEL for t in found) / 250 < 0.03


def test_that_a_slope_lost_in_noise_is_no_trend_and_a_clear_one_is():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.3, 40)
    faint, clear = trend(range(40), noise - 0.0009 * np.arange(40)), trend(range(40), noise + 0.05 * np.arange(40))
    assert faint is not None and not faint.rises and not faint.falls
    assert clear is not None and clear.rises and clear.low <= 0.05 <= clear.high


def test_that_few_points_and_constant_ones_have_no_trend():
    assert trend(range(7), range(7)) is None
    constant = trend(range(20), np.ones(20))
    assert constant is not None and (constant.slope, constant.p) == (0.0, 1.0)


def test_that_missing_values_are_left_out():
    values = [math.nan if i % 3 == 0 else float(i) for i in range(30)]
    found = trend(range(30), values)
    assert found is not None and found.points == 20 and found.slope == 1.0


def test_that_a_long_curve_is_averaged_before_it_is_tested():
    found = trend(np.arange(50_000), 0.001 * np.arange(50_000))
    assert found is not None and found.points == 200
    assert found.slope == pytest.approx(0.001)


@pytest.mark.parametrize(("gained", "lost", "p"), [(0, 6, 2 / 64), (5, 15, 0.04139), (2, 2, 1.0), (0, 0, 1.0)])
def test_that_mcnemar_gives_the_binomial_tails(gained, lost, p):
    assert mcnemar(gained, lost) == pytest.approx(p, abs=1e-4)
    assert mcnemar(lost, gained) == mcnemar(gained, lost)
