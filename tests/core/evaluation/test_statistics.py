from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.statistics import (
    cluster_mean,
    mean_ranks,
    mean_se,
    over_budget,
    paired_bootstrap,
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


def test_that_values_of_one_prompt_do_not_count_as_independent():
    values, groups = [1.0] * 5 + [0.0] * 5, ["a"] * 5 + ["b"] * 5
    assert cluster_mean(values, groups).se == pytest.approx(mean_se([1.0, 0.0])[1])
    assert cluster_mean(values, groups).groups == 2
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    assert cluster_mean(x).se == pytest.approx(mean_se(x)[1])
    assert cluster_mean(x).n == cluster_mean(x).groups == 50


def test_that_the_clustered_interval_covers_the_truth():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 4).tolist()
    hits = 0
    for _ in range(500):
        values = np.repeat(rng.normal(size=40), 4) + rng.normal(size=160) * 0.5
        found = cluster_mean(values, groups)
        hits += found.low <= 0 <= found.high
    assert 0.92 < hits / 500 < 0.97


def test_that_the_paired_bootstrap_sees_through_what_both_share():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=200) * 10
    old, new = hard + rng.normal(size=200) * 0.1, hard + 0.2 + rng.normal(size=200) * 0.1
    found = paired_bootstrap(new, old)
    assert found.low < 0.2 < found.high
    assert found.low > 0
    assert found.se == pytest.approx(mean_se(new - old)[1], rel=0.1)
    assert paired_bootstrap(new, old) == found


def test_that_the_paired_bootstrap_resamples_whole_prompts():
    new, old = [1.0] * 50 + [0.0] * 50, [0.0] * 100
    by_prompt = paired_bootstrap(new, old, [i // 50 for i in range(100)])
    assert (by_prompt.low, by_prompt.high, by_prompt.groups) == (0.0, 1.0, 2)
    assert paired_bootstrap(new, old).high < 0.65


def test_that_unpaired_values_are_refused():
    with pytest.raises(ValueError, match="paired"):
        paired_bootstrap([1.0], [1.0, 2.0])


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
