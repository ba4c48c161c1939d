"""Slices, matrix and the over-optimisation curve."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.evaluation.measures.over_optimisation import best_of_n_kl, fit_curve, over_optimised
from core.evaluation.measures.slices import by_slice, simpson_alarm, standardised_difference, stratified_test


def test_that_slices_have_their_own_means_and_small_ones_decide_nothing():
    values = [1.0] * 20 + [0.0] * 20 + [-1.0] * 10
    found = by_slice(values + [0.5, -0.5] * 30, ["a"] * 40 + ["few"] * 10 + ["b"] * 60)
    assert [(s.name, s.mean.n, s.enough) for s in found.slices] == [
        ("b", 60, True),
        ("a", 40, True),
        ("few", 10, False),
    ]
    few = found.slices[2]
    assert math.isnan(few.p) and few.mean.value == -1.0
    assert found.pooled.value == pytest.approx(10 / 110)
    assert found.macro.value == pytest.approx((0.5 + 0.0) / 2)
    assert found.slices[0].p_adjusted >= found.slices[0].p


def test_that_the_target_mix_weighs_the_slices():
    values, names = [1.0] * 90 + [0.0] * 30, ["a"] * 90 + ["b"] * 30
    found = by_slice(values, names, mix={"a": 1, "b": 3, "nowhere": 9})
    assert (found.pooled.value, found.standardised.value) == (0.75, 0.25)


def test_that_a_prompt_in_two_slices_counts_once():
    x = np.random.default_rng(30).normal(size=40)
    values, names = np.concatenate([x, x]), ["a"] * 40 + ["b"] * 40
    found = by_slice(values, names, list(range(40)) * 2)
    alone = by_slice(x, ["a"] * 40)
    assert found.macro.se == pytest.approx(alone.macro.se) and found.macro.groups == 40


def test_that_the_alarm_rings_where_the_mix_turns_the_sign():
    assert "2 of 2 slices say the opposite" in simpson_alarm(0.1, {"a": -0.1, "b": -0.2})
    assert simpson_alarm(0.1, {"a": 0.1, "b": -0.2}) == ""
    assert "fixed mix" in simpson_alarm(0.1, {"a": 0.1, "b": -0.2}, -0.01)
    assert simpson_alarm(0.1, {}) == ""


def test_that_kidney_stones_are_read_by_size():
    """Charig et al., BMJ 292 (1986): the better treatment of both sizes looks worse over all."""
    tables = {"small": (81, 6, 234, 36), "large": (192, 71, 55, 25)}
    one = [1.0] * 81 + [0.0] * 6 + [1.0] * 192 + [0.0] * 71
    two = [1.0] * 234 + [0.0] * 36 + [1.0] * 55 + [0.0] * 25
    sizes = ["small"] * 87 + ["large"] * 263, ["small"] * 270 + ["large"] * 80
    assert np.mean(one) < np.mean(two)
    fair = standardised_difference(one, sizes[0], two, sizes[1], {"small": 1, "large": 1})
    assert fair.value == pytest.approx((81 / 87 - 234 / 270 + 192 / 263 - 55 / 80) / 2)
    found = stratified_test(list(tables.values()))
    by_hand = (81 * 36 / 357 + 192 * 25 / 343) / (6 * 234 / 357 + 71 * 55 / 343)
    assert found.odds_ratio.value == pytest.approx(by_hand)
    assert found.odds_ratio.low < found.odds_ratio.value < found.odds_ratio.high and found.p_equal > 0.3
    assert math.isnan(stratified_test([(0, 0, 1, 1)]).p)


def test_that_the_curve_that_was_put_in_is_found_with_its_peak():
    d = np.linspace(0.3, 4, 12)
    r = d * (0.5 - 0.3 * np.log(d))
    exact = fit_curve(d, r)
    assert (exact.gain.value, exact.decay.value) == pytest.approx((0.5, 0.3))
    assert exact.peak.value == pytest.approx(math.exp(0.5 / 0.3 - 1))
    noisy = fit_curve(d, r + np.random.default_rng(32).normal(0, 0.05, 12), np.full(12, 0.05))
    assert noisy.gain.low < 0.5 < noisy.gain.high and noisy.peak.low < exact.peak.value < noisy.peak.high
    assert exact.at([1.0])[0] == pytest.approx(0.5)
    assert fit_curve(d, d * (0.5 - 0.1 * d), form="linear").peak.value == pytest.approx(2.5)


def test_that_a_curve_that_only_rises_has_no_peak():
    d = np.linspace(0.5, 4, 8)
    assert math.isnan(fit_curve(d, d).peak.value) or fit_curve(d, d).peak.value > 1e6


def test_that_a_curve_through_few_checkpoints_is_refused():
    with pytest.raises(UserError, match="6 checkpoints"):
        fit_curve([1.0, 2.0, 3.0], [0.1, 0.2, 0.2])


def test_that_the_alarm_needs_a_fall_that_is_more_than_noise():
    def rate(value, half):
        return Estimate(value, value - half, value + half, 100, "", "win rate")

    assert over_optimised([1, 2, 3], [rate(0.5, 0.05), rate(0.7, 0.05), rate(0.55, 0.05)])
    assert not over_optimised([1, 2, 3], [rate(0.5, 0.05), rate(0.7, 0.05), rate(0.66, 0.05)])
    assert not over_optimised([1, 2, 1], [rate(0.5, 0.05), rate(0.7, 0.05), rate(0.55, 0.05)])
    assert best_of_n_kl(1) == 0.0 and best_of_n_kl(4) == pytest.approx(math.log(4) - 0.75)
