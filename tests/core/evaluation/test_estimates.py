"""Intervals against published values, the exact bootstrap distribution of a few pairs, and their own coverage."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from core.domain.estimate import Estimate
from core.domain.kl_estimate import cut_words, kl_estimate, kl_name
from core.domain.run_events import KlDone
from core.evaluation.estimates import (
    MOST_DRAWN_GROUPS,
    PromptResamples,
    probe_estimates,
    proportion,
)
from tests.core.evaluation.rows import BETA, of_margin, row


def exact_ends(values: list[float], groups: list[str]) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % points of the mean over every possible draw of groups."""
    names = sorted(set(groups))
    members = {name: [v for v, g in zip(values, groups, strict=True) if g == name] for name in names}
    means = []
    for drawn in itertools.product(names, repeat=len(names)):
        taken = [v for name in drawn for v in members[name]]
        means.append(sum(taken) / len(taken))
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def test_that_fifteen_of_sixteen_is_what_wilsons_formula_gives_by_hand():
    found = proportion([1.0] * 15 + [0.0])
    p, n, z = 15 / 16, 16, 1.959963984540054
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-12)
    assert (round(found.low, 3), round(found.high, 3), found.n) == (0.717, 0.989, 16)


@pytest.mark.parametrize("groups", [list("abcdef"), list("aabcde"), list("abbcde")])
def test_that_the_bootstrap_is_the_exact_one_up_to_its_draws(groups):
    values = [0.3, -1.2, 2.5, 0.9, -0.4, 1.7]
    found = PromptResamples(groups).mean(values)
    assert found.value == pytest.approx(sum(values) / 6, abs=1e-15)
    exact = exact_ends(values, groups)
    spread = exact[1] - exact[0]
    assert (found.low, found.high) == pytest.approx(exact, abs=0.06 * spread)
    assert (found.n, found.groups) == (6, len(set(groups)))


def test_that_the_same_rows_give_the_same_interval_to_the_last_digit():
    values = np.random.default_rng(1).normal(size=40)
    first, again = (PromptResamples(range(40)).mean(values) for _ in range(2))
    assert first == again


def test_that_pairs_of_one_prompt_widen_the_interval():
    values = np.repeat(np.random.default_rng(2).normal(size=20), 5)
    alone = PromptResamples(range(100)).mean(values)
    together = PromptResamples(np.repeat(np.arange(20), 5).tolist()).mean(values)
    assert together.value == alone.value
    assert (together.high - together.low) > 1.8 * (alone.high - alone.low)


def test_that_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        found = PromptResamples(range(60)).mean(rng.normal(0.4, 1.0, 60))
        held += found.low <= 0.4 <= found.high
    assert 0.91 < held / 300 < 0.98


def test_that_the_interval_of_very_many_prompts_is_the_normal_one():
    x = np.random.default_rng(4).normal(size=MOST_DRAWN_GROUPS + 1)
    found = PromptResamples(range(x.size)).mean(x)
    half = 1.959963984540054 * float(x.std(ddof=1)) / math.sqrt(x.size)
    assert (found.low, found.high) == pytest.approx((x.mean() - half, x.mean() + half), rel=1e-9)


@pytest.mark.parametrize(("values", "groups"), [([], []), ([1.0], ["a"]), ([1.0, 3.0], ["a", "a"])])
def test_that_less_than_two_prompts_have_no_interval(values, groups):
    found = PromptResamples(groups).mean(values)
    assert not found.has_interval
    assert found.n == len(values)


def test_that_a_value_that_is_no_number_is_not_left_out_in_silence():
    found = PromptResamples(["a", "b", "c"]).mean([1.0, math.nan, 2.0])
    assert math.isnan(found.value) and not found.has_interval


def test_that_a_probe_has_means_in_nats_and_in_rewards():
    rows = [row("a", 4.0, -2.0), row("b", -1.0, 1.0), row("c", 3.0, 2.0), row("d", 0.0, 0.0)]
    found = probe_estimates(rows, PromptResamples("abcd"), BETA)
    assert found["h"].value == pytest.approx((6 - 2 + 1 + 0) / 4)
    assert found["margin"].value == pytest.approx(BETA * found["h"].value)
    assert found["margin"].low == pytest.approx(BETA * found["h"].low)
    assert found["accuracy"].value == pytest.approx(2.5 / 4)
    assert found["ref_accuracy"].value == 1.0
    assert found["displacement_chosen"].value == pytest.approx(6 / 4)
    assert found["reward_rejected"].value == pytest.approx(BETA * 1 / 4)
    assert {e.n for e in found.values()} == {4}


def test_that_a_kl_has_its_error_its_horizon_and_never_a_negative_end():
    found = kl_estimate(KlDone(40, 5.9489, 0.7324, 4.4, 1.6, 0.2, 8, 32, 0.75))
    assert (found.low, found.high) == pytest.approx((5.9489 - 1.96 * 0.7324, 5.9489 + 1.96 * 0.7324), abs=1e-3)
    assert (found.n, found.se, found.unit) == (8, 0.7324, "nats in the first 32 tokens")
    assert kl_estimate(KlDone(1, 0.1, 0.2, 0.1, 0.2, 0.01, 8, 32, 0.0)).low == 0.0
    assert (kl_name(32), cut_words(0.75), cut_words(0.0)) == (
        "KL, first 32 tokens",
        "75 % of the samples cut",
        "no sample cut",
    )


def test_that_the_kl_of_one_sample_has_no_interval_and_that_of_equal_models_is_sure():
    assert not kl_estimate(KlDone(4, 0.3, 0.0, 0.3, 0.0, 0.1, 1, 32, 0.0)).has_interval
    assert not kl_estimate(KlDone(4, 0.3, 0.0, 0.3, 0.0, 0.1, 8, 32, 0.0)).has_interval
    start = kl_estimate(KlDone(0, 0.0, 0.0, 0.0, 0.0, 0.0, 8, 32, 1.0))
    assert (start.low, start.high, start.se) == (0.0, 0.0, 0.0)


def test_that_plain_values_are_strict_json():
    plain = Estimate(1.0, math.nan, math.nan, 3, "nats", "mean").to_plain()
    assert json.loads(json.dumps(plain, allow_nan=False))["low"] is None


def test_that_margins_that_are_all_zero_are_ties():
    found = probe_estimates([of_margin(0.0, str(i)) for i in range(16)], PromptResamples(range(16)), BETA)
    assert (found["accuracy"].value, found["margin"].low, found["margin"].high) == (0.5, 0.0, 0.0)
