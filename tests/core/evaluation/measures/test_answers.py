"""Displacement, length, degeneration and memorisation, against hand, brute force and libraries."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from core.domain.estimate import Estimate
from core.evaluation.measures.degeneration import distinct, is_empty, repetition, switches_language, units
from core.evaluation.measures.displacement import mass_audit, quadrants
from core.evaluation.measures.length import fit_length, length_controlled, length_shift
from core.evaluation.measures.length_curve import POINTS, length_curve
from core.evaluation.measures.memorisation import auc, membership_auc, train_gap, verbatim_overlap


def test_that_the_quadrants_are_all_pairs_and_an_equal_policy_is_in_none_of_the_lower_ones():
    rng = np.random.default_rng(40)
    found = quadrants(rng.normal(size=50), rng.normal(size=50))
    four = (found.ideal, found.both_up, found.both_down, found.inverted)
    assert sum(e.value for e in four) == pytest.approx(1.0)
    equal = quadrants([0.0] * 5, [0.0] * 5)
    assert (equal.both_up.value, equal.chosen_down.value, equal.chosen.value) == (1.0, 0.0, 0.0)


def test_that_each_quadrant_is_named_by_what_moved():
    found = quadrants([1, 1, -1, -1, -1], [-1, 1, -2, -0.5, 1])
    assert [e.value for e in (found.ideal, found.both_up, found.both_down, found.inverted)] == [0.2, 0.2, 0.4, 0.2]
    assert found.margin_up_chosen_down.value == 0.2
    assert found.chosen.unit == "nats"


def test_that_falling_log_probs_alarm_only_where_samples_moved():
    down = Estimate(0.8, 0.7, 0.9, 50, "", "share")
    refused, still = {"refused": [1.0] * 8 + [0.0] * 4}, {"refused": [0.0] * 12}
    assert mass_audit(down, refused, still).alarm
    assert mass_audit(down, refused, still).moved == ("refused",)
    assert not mass_audit(down, still, still).alarm
    assert not mass_audit(Estimate(0.3, 0.2, 0.4, 50, "", "share"), refused, still).alarm


def test_that_a_shift_of_length_is_paired_and_relative():
    found = length_shift([20, 30, 40, 50], [10, 15, 20, 25])
    assert (found.difference.value, found.difference.unit) == (17.5, "tokens")
    assert found.ratio.value == 2.0


def played(gain: float, slope: float, n: int = 1500):
    rng = np.random.default_rng(41)
    d = rng.normal(30, 60, n)
    p = 1 / (1 + np.exp(-(gain + slope * np.tanh(d / d.std()))))
    return (rng.random(n) < p).astype(float), d


def test_that_a_win_rate_made_by_length_alone_is_even_at_equal_length():
    found = length_controlled(*played(0.0, 2.0))
    assert found.raw.low > 0.5
    assert found.controlled.low < 0.5 < found.controlled.high and found.slope == pytest.approx(2.0, abs=0.4)
    assert any("far apart" in w for w in found.warnings)


def test_that_a_true_gain_stays_at_equal_length():
    found = length_controlled(*played(0.8, 0.0))
    assert found.controlled.low < 1 / (1 + math.exp(-0.8)) < found.controlled.high
    assert found.warnings == ()


def test_that_rates_at_equal_length_and_along_the_curve_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(45)
    held = []
    for _ in range(200):
        d = rng.normal(20, 60, 200)
        truth = lambda at, d=d: 0.5 + math.tanh(at / d.std())  # noqa: E731
        p = 1 / (1 + np.exp(-(0.5 + np.tanh(d / d.std()))))
        fit = fit_length((rng.random(200) < p).astype(float), d)
        ends = [(at, fit.log_odds(at)) for at in (0.0, d.max())]
        held.append([low <= truth(at) <= high for at, (low, _, high) in ends])
    assert all(0.93 <= share <= 0.97 for share in np.mean(held, axis=0)), np.mean(held, axis=0)


def test_that_the_curve_over_length_is_the_fit_by_hand_and_runs_through_the_controlled_rate():
    y, d = played(0.4, -1.2, n=240)
    x = np.tanh(d / d.std())
    a, b = minimize(lambda w: np.logaddexp(0, w[0] + w[1] * x).sum() - (y * (w[0] + w[1] * x)).sum(), (0, 0)).x
    found = length_curve(y, d)
    assert [p.tokens for p in found.curve] == pytest.approx(np.linspace(d.min(), d.max(), POINTS))
    by_hand = [1 / (1 + math.exp(-a - b * math.tanh(p.tokens / d.std()))) for p in found.curve]
    assert [p.rate.value for p in found.curve] == pytest.approx(by_hand, abs=1e-4)
    low, value, high = fit_length(y, d).log_odds(0.0)
    controlled = length_controlled(y, d).controlled
    assert [1 / (1 + math.exp(-end)) for end in (low, value, high)] == pytest.approx(
        [controlled.low, controlled.value, controlled.high]
    )
    ends = np.quantile(d, np.linspace(0, 1, 9))
    parts = [(d > low) & (d <= high) for low, high in zip([-np.inf, *ends[1:-1]], [*ends[1:-1], np.inf], strict=True)]
    assert [p.rate.value for p in found.bins] == pytest.approx([y[part].mean() for part in parts])
    assert [p.rate.n for p in found.bins] == [30] * 8 and all(p.rate.has_interval for p in found.bins)
    bare = found.without_ends("later").to_plain()
    assert bare["curve"][0]["lo"] is None and bare["bins"][0]["value"] == found.bins[0].rate.value
    assert length_curve([1.0] * 40 + [0.0] * 40, [50.0] * 40 + [-50.0] * 40) is None
    assert length_curve([1, 0, 1], [4, 4, 4]) is None and length_curve([], []) is None


def test_that_length_that_cannot_be_controlled_for_is_said():
    assert "equally long" in length_controlled([1, 0, 1, 0.5], [0, 0, 0, 0]).warnings[0]
    assert "ended alike" in length_controlled([1, 1, 1], [1, 2, 3]).warnings[0]
    decided = length_controlled([1.0] * 40 + [0.0] * 40, [50.0] * 40 + [-50.0] * 40)
    assert "decides nearly every pair" in decided.warnings[0] and math.isnan(decided.controlled.value)


def test_that_loops_are_repetition_and_plain_text_is_none():
    assert repetition("one two three four five six") == 0
    assert distinct("one two three four") == 1
    # "a b c d a b c d a b c d": nine 4-grams, of which four are different
    assert repetition("A b, c d. a b c d! a b c d") == pytest.approx(1 - 4 / 9)
    # "no no no": two bigrams, one of them different
    assert distinct("no no no") == 0.5


def test_that_a_short_text_neither_repeats_nor_varies():
    assert math.isnan(repetition("one two three"))
    assert math.isnan(distinct(""))
    assert is_empty(" -- !\n") and not is_empty("a")


def test_that_scripts_without_blanks_count_characters():
    assert repetition("春眠不覺曉處處聞啼鳥") == 0
    assert repetition("春眠春眠春眠春眠春眠春眠") > 0.5
    assert list(units("Two Words")) == ["two", "words"]


def test_that_an_answer_in_another_language_is_a_switch_and_an_unsure_one_is_not_counted():
    assert switches_language("The cat is on the roof of the house.", "en") == 0
    assert switches_language("Die Katze ist auf dem Dach und schläft.", "en") == 1
    assert math.isnan(switches_language("42", "en")) and math.isnan(switches_language("The cat is here.", ""))


def test_that_auc_is_that_of_scikit_learn_and_turns_with_its_sides():
    rng = np.random.default_rng(42)
    a, b = rng.normal(0.5, 1, 40).round(1), rng.normal(0, 1, 60).round(1)
    found = auc(a, b)
    assert found.value == pytest.approx(roc_auc_score([1] * 40 + [0] * 60, np.concatenate([a, b])))
    assert auc(b, a).value == pytest.approx(1 - found.value)
    assert found.low < found.value < found.high


def test_that_auc_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(43)
    truth = 0.5 * (1 + math.erf(0.8 / 2))
    found = [auc(rng.normal(0.8, 1, 60), rng.normal(0, 1, 80)) for _ in range(500)]
    assert 0.93 <= np.mean([e.low <= truth <= e.high for e in found]) <= 0.97


def test_that_lower_losses_of_training_pairs_are_memory():
    assert membership_auc([0.1, 0.2], [0.5, 0.6]).value == 1.0
    assert membership_auc([0.5, 0.6], [0.5, 0.6]).value == 0.5
    assert train_gap([1.0, 3.0], [1.0, 1.0]).value == 1.0


def test_that_the_overlap_is_the_longest_run_by_brute_force():
    one, two = list("abcabdabce"), list("xabceabd")
    runs = [two[i:j] for i, j in itertools.combinations(range(len(two) + 1), 2)]
    longest = max(len(r) for r in runs if any(one[k : k + len(r)] == r for k in range(len(one))))
    assert verbatim_overlap(one, two) == longest / len(two)
    assert verbatim_overlap([], [1, 2]) == 0.0 and verbatim_overlap([1], []) == 0.0
