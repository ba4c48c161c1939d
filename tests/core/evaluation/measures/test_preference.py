"""Accuracy with ties, human ceiling, flips of the ranking, calibration, against hand and library."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from mapie.metrics.calibration import expected_calibration_error
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from core.evaluation.measures.calibration import brier, ece, in_order_shown, probabilities, reliability, temperature
from core.evaluation.measures.preference import (
    accuracy_by_prompt,
    accuracy_with_ties,
    human_ceiling,
    longer_preferred,
    majority,
    ranking_flips,
    tie_threshold,
)
from tests.core.evaluation.rows import row

PANDALM = Path(__file__).resolve().parents[5] / "shared" / "data" / "pandalm_3annotators.jsonl.gz"


def test_that_margins_that_are_all_zero_are_half_right():
    assert accuracy_by_prompt([0.0] * 8).value == 0.5
    assert accuracy_by_prompt([0.2, -0.2, 0.05, 1.0], eps=0.1).value == pytest.approx(2.5 / 4)


def test_that_the_tie_threshold_is_the_best_of_all_by_brute_force():
    rng = np.random.default_rng(20)
    m, tie = rng.normal(0.4, 1, 60), rng.random(60) < 0.3
    m[tie] *= 0.3
    eps = tie_threshold(m, tie)
    best = max(accuracy_with_ties(m, tie, e).value for e in [0.0, *np.abs(m)])
    assert accuracy_with_ties(m, tie, eps).value == best
    assert tie_threshold([1.0, 2.0], [False, False]) == 0.0


def test_that_the_ceiling_is_what_people_agree_on_and_single_labels_say_nothing():
    found = human_ceiling([[3, 0, 0], [2, 1, 0], [1, 1, 1], [1, 0, 0]])
    assert (found.value, found.n) == (pytest.approx((1 + 2 / 3 + 1 / 3) / 3), 3)
    assert human_ceiling([[1, 0]]).n == 0
    assert majority([[3, 0, 0], [1, 1, 1], [0, 1, 2]]) == [0, -1, 2]


def test_that_real_labels_of_three_people_give_the_published_majorities_and_preference_for_length():
    if not PANDALM.exists():
        pytest.skip(f"{PANDALM} is not on this machine")
    with gzip.open(PANDALM, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    counts = np.array([[sum(int(r[f"annotator{k}"]) == v for k in (1, 2, 3)) for v in (0, 1, 2)] for r in rows])
    found = np.array(majority(counts))
    assert [int((found == v).sum()) for v in (0, 1, 2)] == [105, 422, 472]
    lengths = np.array([[len(str(r["response1"])), len(str(r["response2"]))] for r in rows])[found > 0]
    chosen = found[found > 0] - 1
    at = np.arange(chosen.size)
    longer = longer_preferred(lengths[at, chosen], lengths[at, 1 - chosen])
    assert longer.value == pytest.approx(0.675, abs=0.01)


def test_that_a_policy_equal_to_its_reference_flips_nothing_and_a_turned_one_does():
    same = [row("a"), row("b"), row("c", ref_chosen=-40.0)]
    assert (ranking_flips(same).gained, ranking_flips(same).lost) == (0, 0)
    turned = [row("a", h_chosen=-20.0), row("b"), row("c", h_chosen=15.0, ref_chosen=-40.0)]
    assert (ranking_flips(turned).gained, ranking_flips(turned).lost) == (1, 1)


def sample(n=300, sharp=1.0, seed=21):
    rng = np.random.default_rng(seed)
    m = rng.normal(0, 1.5, n)
    y = (rng.random(n) < probabilities(m)).astype(float)
    return m * sharp, y


def test_that_the_order_shown_keeps_what_was_chosen():
    m, y = in_order_shown([2.0, -1.0, 3.0], [True, False, False])
    assert m.tolist() == [2.0, 1.0, -3.0] and y.tolist() == [1.0, 0.0, 0.0]


def test_that_the_bins_are_those_of_scikit_learn():
    m, y = sample()
    p = probabilities(m)
    found = reliability(p, y)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    assert [b.observed.value for b in found] == pytest.approx(observed.tolist())
    assert [b.predicted for b in found] == pytest.approx(predicted.tolist())
    assert sum(b.observed.n for b in found) == 300
    assert len(reliability([0.5] * 20, [0, 1] * 10)) == 1


def test_that_the_calibration_error_is_that_of_mapie_and_of_the_bins():
    m, y = sample()
    p = probabilities(m)
    found = ece(p, y, bins=10)
    by_hand = sum(b.observed.n / 300 * abs(b.observed.value - b.predicted) for b in reliability(p, y))
    assert found.error.value == pytest.approx(by_hand)
    peer = expected_calibration_error(y.astype(int), p, num_bins=10, split_strategy="quantile")
    assert found.error.value == pytest.approx(float(peer), abs=0.03)


def test_that_right_probabilities_lie_in_the_null_band_and_sharpened_ones_do_not():
    right, sharp = sample(), sample(sharp=4.0)
    found = ece(probabilities(right[0]), right[1])
    assert found.null_low <= found.error.value <= found.null_high and not found.is_miscalibrated
    assert ece(probabilities(sharp[0]), sharp[1]).is_miscalibrated


@pytest.mark.parametrize(
    ("n", "samples", "least"),
    [(52, 6, 4), *(pytest.param(n, 20, 18, marks=pytest.mark.slow) for n in (52, 300))],
)
def test_that_the_interval_of_the_calibration_error_holds_it_and_the_true_error(n, samples, least):
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(samples):
        p = rng.uniform(0.3, 0.7, n)
        y = (rng.random(n) < np.clip(p + 0.1, 0, 1)).astype(float)  # every probability is 0.1 too small
        found = ece(p, y).error
        assert 0 <= found.low <= found.value <= found.high
        held += found.low <= 0.1 <= found.high
    assert held >= least


def test_that_the_brier_score_is_the_sum_of_its_parts():
    m, y = sample()
    p = probabilities(m)
    found = brier(p, y)
    assert found.score.value == pytest.approx(brier_score_loss(y, p))
    whole = brier(np.tile([0.2, 0.5, 0.9], 100), y, bins=3)
    assert whole.within == pytest.approx(0, abs=1e-12)
    assert whole.score.value == pytest.approx(whole.reliability - whole.resolution + whole.uncertainty)
    assert found.uncertainty == pytest.approx(y.mean() * (1 - y.mean()))


@pytest.mark.parametrize("truth", [0.5, 1.0, 3.0])
def test_that_the_temperature_that_was_put_in_is_found(truth):
    m, y = sample(4000)
    found = temperature(m * truth, y)
    assert found.low < truth < found.high and found.value == pytest.approx(truth, rel=0.12)


def test_that_a_temperature_that_does_not_exist_is_not_made_up():
    assert "separate" in temperature([1.0, 2.0, -1.0], [1, 1, 0]).estimator
    assert "nothing" in temperature([-1.0, -2.0, 1.0], [1, 1, 0]).estimator
    assert math.isnan(temperature([], []).value)


def test_that_nothing_measured_has_no_calibration():
    found = ece([], [])
    assert math.isnan(found.error.value) and math.isnan(brier([], []).score.value) and reliability([], []) == ()
