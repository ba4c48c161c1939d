from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.statistics import (
    mean_ranks,
    mean_se,
    over_budget,
    pearson,
    percentiles,
    spearman,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(599, 887, 0.6438, 0.7053), (50, 100, 0.4038, 0.5962), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)],
)
def test_that_wilson_gives_the_published_limits(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_that_wilson_takes_halves_and_knows_nothing_of_nothing():
    low, high = wilson(2.5, 5)
    assert low + high == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_that_wilson_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for p in (0.1, 0.5, 0.8):
        limits = [wilson(float(k), 120) for k in rng.binomial(120, p, 1000)]
        assert 0.93 < np.mean([low <= p <= high for low, high in limits]) < 0.97


def test_that_a_mean_of_too_few_values_has_no_error():
    assert math.isnan(mean_se([])[0])
    assert mean_se([3.0])[0] == 3.0
    assert math.isnan(mean_se([3.0])[1])
    assert mean_se([1.0, 3.0]) == pytest.approx((2.0, 1.0))


def test_that_percentiles_pass_over_what_is_not_finite():
    assert percentiles([1.0, math.nan, 3.0, math.inf], (50,)) == {50: 2.0}
    assert math.isnan(percentiles([])[50])


def test_that_correlations_match_their_definitions():
    x = [1.0, 2.0, 3.0, 4.0]
    assert pearson(x, [2.0, 4.0, 6.0, 8.0]) == pytest.approx(1.0)
    assert spearman(x, [1.0, 10.0, 100.0, 1000.0]) == pytest.approx(1.0)
    assert pearson(x, [1.0, 10.0, 100.0, 1000.0]) < 0.9
    assert math.isnan(pearson(x, [5.0] * 4))
    assert mean_ranks([3.0, 1.0, 3.0, 2.0]).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_that_a_budget_is_passed_only_when_the_lower_bound_is():
    assert over_budget(5.5, 0.1, 5.0)
    assert not over_budget(5.5, 0.5, 5.0)
    assert not over_budget(5.5, 0.1, 0.0)
    assert not over_budget(5.5, math.nan, 5.0)
    assert not over_budget(5.5, 0.0, 5.0)
