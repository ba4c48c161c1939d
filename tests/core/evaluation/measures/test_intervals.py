"""Intervals against published figures, other libraries, and their own coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.api import OLS
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from core.domain.estimate import Estimate
from core.evaluation.estimates import PromptResamples
from core.evaluation.measures.flips import exact_mcnemar, flips
from core.evaluation.measures.means import (
    bootstrap_by_prompt,
    bootstrap_of_sums,
    difference_of_means,
    mean_by_prompt,
    p_value,
    paired_difference,
    ratio_of_sums,
)
from core.evaluation.measures.shares import exact_share, independent_difference, newcombe_paired, share_by_prompt
from core.evaluation.statistics import wilson


def held(found: list[Estimate], truth: float) -> float:
    return float(np.mean([e.low <= truth <= e.high for e in found]))


@pytest.mark.parametrize(("events", "n"), [(0, 250), (3, 40), (40, 40)])
def test_that_the_exact_interval_is_that_of_statsmodels(events, n):
    found = exact_share(events, n)
    assert (found.low, found.high) == pytest.approx(proportion_confint(events, n, method="beta"), abs=1e-12)


def test_that_nothing_in_250_and_in_300_bounds_the_rate_as_published():
    assert [round(100 * wilson(0, n)[1], 1) for n in (250, 300)] == [1.5, 1.3]
    assert exact_share(0, 300).high == pytest.approx(1 - 0.025 ** (1 / 300))


def test_that_a_share_without_cases_is_unknown_and_so_is_its_interval():
    for found in (exact_share(0, 0), share_by_prompt([], [])):
        assert math.isnan(found.value) and (found.low, found.high, found.n) == (0.0, 1.0, 0)


def test_that_a_share_of_single_prompts_is_wilsons_and_copies_add_nothing():
    hits = [1.0] * 15 + [0.0]
    alone = share_by_prompt(hits)
    assert (alone.low, alone.high) == pytest.approx(proportion_confint(15, 16, method="wilson"))
    copied = share_by_prompt(np.repeat(hits, 4), np.repeat(np.arange(16), 4).tolist())
    assert (copied.n, copied.groups, copied.value) == (64, 16, alone.value)
    assert copied.low < alone.low and copied.high > alone.high - 0.02
    all_right = share_by_prompt([1.0] * 40, [i // 4 for i in range(40)])
    assert all_right.low < wilson(10, 10)[0] + 1e-9


def test_that_shares_by_prompt_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    names = np.repeat(np.arange(60), 4).tolist()
    found = []
    for _ in range(500):
        of_prompt = np.repeat(rng.beta(3.5, 1.5, 60), 4)
        found.append(share_by_prompt(rng.random(240) < of_prompt, names))
    assert 0.93 <= held(found, 0.7) <= 0.97
    blind = np.mean([wilson(e.value * 240, 240)[0] <= 0.7 <= wilson(e.value * 240, 240)[1] for e in found])
    assert blind < 0.9


def test_that_a_mean_by_prompt_is_the_cluster_robust_one_of_statsmodels():
    rng = np.random.default_rng(6)
    numbers = rng.integers(0, 12, 60)
    x = rng.normal(size=60) + rng.normal(size=12)[numbers]
    found = mean_by_prompt(x, numbers.tolist(), "nats")
    kwds = {"groups": numbers, "use_correction": True, "df_correction": True}
    other = OLS(x, np.ones(60)).fit(cov_type="cluster", cov_kwds=kwds, use_t=True)
    assert found.value == pytest.approx(other.params[0])
    assert found.se == pytest.approx(float(other.bse[0]), rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(other.conf_int()[0]), rel=1e-9)
    assert p_value(found) == pytest.approx(float(other.pvalues[0]), rel=1e-6)
    assert (found.n, found.groups, found.unit) == (60, len(set(numbers.tolist())), "nats")


def test_that_the_normal_interval_of_many_prompts_has_the_same_standard_error():
    x = np.random.default_rng(7).normal(size=500)
    one, two = PromptResamples(range(500)).mean(x), mean_by_prompt(x)
    assert one.high - one.low == pytest.approx(2 * 1.959963984540054 * (two.se or 0))


def test_that_means_by_prompt_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(8)
    names = np.repeat(np.arange(25), 3).tolist()
    found = [mean_by_prompt(np.repeat(rng.normal(1, 1, 25), 3) + rng.normal(size=75), names) for _ in range(600)]
    assert 0.93 <= held(found, 1.0) <= 0.97


def test_that_a_mean_of_one_prompt_has_no_interval_and_no_p():
    found = mean_by_prompt([1.0, 2.0], ["a", "a"])
    assert not found.has_interval and math.isnan(p_value(found))


def test_that_equal_values_have_no_interval_and_the_words_say_so():
    equal, alone = mean_by_prompt([0.1] * 7), mean_by_prompt([0.1])
    assert (equal.value, equal.has_interval, equal.why_no_interval) == (pytest.approx(0.1), False, "all equal")
    assert (alone.has_interval, alone.why_no_interval) == (False, "n too small")
    assert paired_difference([1.0, 2.0, 3.0], [0.5, 1.5, 2.5]).why_no_interval == "all equal"
    assert difference_of_means([1.0, 1.0], [0.0, 0.0, 0.0]).why_no_interval == "all equal"
    assert mean_by_prompt([0.0, 1.0]).why_no_interval == ""
    assert (p_value(equal, 0.1), p_value(equal, 0.5)) == (1.0, 0.0)


def test_that_a_paired_difference_needs_the_same_rows():
    assert paired_difference([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]).value == 2.0
    with pytest.raises(ValueError, match="not of the same rows"):
        paired_difference([1.0], [1.0, 2.0])


def test_that_two_samples_are_compared_as_welch_does():
    rng = np.random.default_rng(9)
    a, b = rng.normal(1, 2, 30), rng.normal(0, 1, 45)
    found = difference_of_means(a, b)
    other = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((other.low, other.high), rel=1e-9)


def test_that_the_bootstrap_of_a_mean_agrees_with_its_own_closed_form_and_repeats():
    x = np.random.default_rng(10).normal(2, 1, 80)
    found = bootstrap_by_prompt(lambda rows: float(rows.mean()), x, draws=1000)
    half = 1.96 * x.std(ddof=1) / math.sqrt(80)
    assert (found.low, found.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.05)
    assert found == bootstrap_by_prompt(lambda rows: float(rows.mean()), x, draws=1000)


def test_that_a_statistic_that_no_draw_moves_has_no_interval():
    found = bootstrap_by_prompt(lambda rows: float(rows.mean()), [1.0] * 9, draws=50)
    assert found.value == 1.0 and not found.has_interval


def test_that_a_statistic_that_some_draws_do_not_have_has_no_interval_and_is_not_called_all_equal():
    rows = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 1.0], [3.0, 0.0]])

    def of_marked(rows):
        marked = rows[:, 1] > 0
        return float(rows[marked, 0].mean() - rows[:, 0].mean()) if marked.any() else math.nan

    found = bootstrap_by_prompt(of_marked, rows)
    assert found.value == 1.5 and not found.has_interval
    assert found.estimator.endswith("no interval: not defined for some draws")
    assert found.why_no_interval == "no interval"


def test_that_ratios_of_sums_hold_the_truth_about_as_often_as_they_say():
    def draw(seed):
        rng = np.random.default_rng(seed)
        answers = rng.integers(8, 17, 40).astype(float)  # batches of about the same size
        return ratio_of_sums(answers * rng.gamma(8.0, 0.25, 40), answers, "s")  # 2 seconds an answer

    assert 0.93 <= held([draw(seed) for seed in range(2000)], 2.0) <= 0.97


def test_that_a_ratio_of_what_is_never_below_0_has_no_end_below_it():
    seconds, answers = [0.1, 4.0], [4.0, 4.0]
    found = ratio_of_sums(seconds, answers, "s")
    assert found.value == 4.1 / 8 and found.low == 0.0
    part = [(x - found.value * y) / 8 for x, y in zip(seconds, answers, strict=True)]
    half = stats.t.ppf(0.975, 1) * math.sqrt(2 * sum(one**2 for one in part))
    assert found.high == pytest.approx(found.value + half)
    assert ratio_of_sums([-0.1, 4.0], answers, "s").low < 0


def test_that_newcombes_paired_interval_without_correlation_is_that_of_two_samples():
    low, high = newcombe_paired(12, 8, 18, 12)  # both * neither = first_only * second_only
    other = confint_proportions_2indep(20, 50, 30, 50, method="newcomb")
    assert (low, high) == pytest.approx(other, abs=1e-9)


def test_that_newcombes_paired_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(11)
    tables = rng.multinomial(120, (0.5, 0.15, 0.08, 0.27), 800)
    ends = [newcombe_paired(*map(int, table)) for table in tables]
    assert 0.93 <= np.mean([low <= 0.07 <= high for low, high in ends]) <= 0.97


def test_that_mcnemar_is_the_binomial_test_of_the_flips():
    assert exact_mcnemar(3, 12) == pytest.approx(stats.binomtest(3, 15).pvalue)
    assert exact_mcnemar(0, 0) == 1.0


def test_that_flips_count_what_was_gained_and_lost():
    found = flips([1, 1, 0, 0, 0.5, 0], [1, 0, 1, 1, 1, 0])
    assert (found.both, found.gained, found.lost, found.neither) == (1, 3, 1, 1)
    assert found.difference.value == pytest.approx(2 / 6)
    assert (found.p, found.test) == (exact_mcnemar(3, 1), "exact McNemar")
    turned = flips([1, 0, 1, 1, 1, 0], [1, 1, 0, 0, 0.5, 0]).difference
    assert (turned.low, turned.high) == pytest.approx((-found.difference.high, -found.difference.low))


def test_that_copies_of_a_prompt_do_not_make_flips_more_certain():
    before, after = [0] * 6 + [1] * 4, [1] * 5 + [0] + [1] * 4
    names = np.repeat(np.arange(10), 5).tolist()
    once, copied = flips(before, after), flips(np.repeat(before, 5), np.repeat(after, 5), names)
    assert copied.test == "t test by prompt" and copied.difference.value == once.difference.value
    assert copied.p > 10 * exact_mcnemar(25, 0)


def test_that_independent_estimates_subtract_as_newcombe_does():
    one, two = share_by_prompt([1] * 30 + [0] * 20), share_by_prompt([1] * 20 + [0] * 30)
    found = independent_difference(one, two)
    other = confint_proportions_2indep(30, 50, 20, 50, method="newcomb")
    assert (found.low, found.high) == pytest.approx(other, abs=1e-9)


def test_that_a_statistic_that_resampling_biases_has_no_interval():
    """How many different values there are: every resample has fewer."""
    found = bootstrap_by_prompt(lambda rows: float(len(set(rows.tolist()))), np.arange(30.0), what="values")
    assert found.value == 30.0 and not found.has_interval
    assert "resampling biases it" in found.estimator or "no interval" in found.estimator


@pytest.mark.parametrize("at_once", [4_000_000, 50])
def test_that_a_bootstrap_of_sums_is_that_of_the_rows(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("core.evaluation.measures.means._NUMBERS_AT_ONCE", at_once)
    draw = np.random.default_rng(3)
    rows = np.column_stack([draw.normal(2.0, 1.0, 40), draw.normal(5.0, 1.0, 40)])
    prompts = [n // 3 for n in range(40)]
    slow = bootstrap_by_prompt(lambda x: float(x[:, 0].sum() / x[:, 1].sum()), rows, prompts, draws=300)
    fast = bootstrap_of_sums(lambda sums: sums[..., 0] / sums[..., 1], rows, prompts, draws=300)
    assert (fast.n, fast.groups, fast.estimator) == (slow.n, slow.groups, slow.estimator)
    assert [fast.value, fast.low, fast.high] == pytest.approx([slow.value, slow.low, slow.high], rel=1e-12)
    none = bootstrap_of_sums(lambda sums: sums[..., 0] / sums[..., 1], [[1.0, 0.0]] + [[1.0, 1.0]] * 2, draws=500)
    assert not none.has_interval and "not defined for some draws" in none.estimator
