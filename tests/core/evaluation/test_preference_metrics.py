from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.run_events import from_plain, to_plain
from core.evaluation.preference_metrics import (
    accuracy,
    calibration,
    displacement,
    gradient_weights,
    length_bias,
    margins,
    ranking,
    summarise,
)
from tests.core.evaluation.rows import BETA, of_margin, row


def test_that_a_tie_counts_one_half():
    found = accuracy([of_margin(1.0), of_margin(-1.0), of_margin(0.0), of_margin(2.0)])
    assert (found.value, found.count, found.n) == (0.625, 2.5, 4)
    assert found.low < 0.625 < found.high


def test_that_an_untrained_policy_has_accuracy_one_half():
    assert accuracy([row() for _ in range(6)]).value == 0.5


def test_that_means_do_not_depend_on_how_rows_are_split():
    rows = [of_margin(z) for z in np.random.default_rng(0).normal(size=37)]
    whole = summarise(rows, split="dev", step=3, beta=BETA)
    parts = [summarise(part, split="dev", step=3, beta=BETA) for part in (rows[:5], rows[5:])]
    for name in ("loss", "margin", "h", "accuracy", "reward_chosen", "logp_rejected"):
        joined = (5 * getattr(parts[0], name) + 32 * getattr(parts[1], name)) / 37
        assert getattr(whole, name) == pytest.approx(joined, rel=1e-12, abs=1e-12), name


def test_that_the_probe_event_is_consistent_and_survives_json():
    rows = [row("a", 2.0, -1.0), row("b", -3.0, -2.0)]
    event = summarise(rows, split="dev", step=20, beta=BETA, kl_chosen=0.1, kl_rejected=0.2)
    assert event.margin == pytest.approx(event.reward_chosen - event.reward_rejected)
    assert event.margin == pytest.approx(BETA * event.h)
    assert event.displacement_chosen == pytest.approx(-0.5)
    assert event.accuracy == 0.5
    assert event.ref_accuracy == 1.0
    assert (event.kl_chosen, event.kl_rejected, event.pairs) == (0.1, 0.2, 2)
    assert from_plain(to_plain(event)) == event


def test_that_a_probe_without_pairs_is_refused():
    with pytest.raises(ValueError, match="without pairs"):
        summarise([], split="dev", step=0, beta=BETA)


def test_that_rankings_tell_reference_policy_and_margin_apart():
    rows = [
        row("kept", 1.0, 0.0),
        row("gained", 20.0, 0.0, ref_chosen=-40.0, ref_rejected=-30.0),
        row("lost", -15.0, 0.0),
        row("better but still behind", 5.0, 0.0, ref_chosen=-40.0, ref_rejected=-30.0),
    ]
    found = ranking(rows)
    assert found.margin.value == 0.75
    assert found.policy.value == 0.5
    assert found.reference.value == 0.5
    assert (found.gained, found.lost) == (1, 1)


def test_that_the_length_normalised_ranking_divides_by_each_answers_tokens():
    found = ranking([row(ref_chosen=-40.0, ref_rejected=-30.0, tokens_chosen=40, tokens_rejected=10)])
    assert (found.reference.value, found.reference_per_token.value) == (0.0, 1.0)


def test_that_gradient_weights_start_equal_and_gather_on_the_wrong_ones():
    start = gradient_weights([row() for _ in range(10)])
    assert (start.mean, start.effective, start.saturated.value, start.wrong_side.value) == (0.5, 1.0, 0.0, 0.0)
    late = gradient_weights([of_margin(8.0) for _ in range(99)] + [of_margin(-3.0)])
    assert late.saturated.value == 0.99
    assert late.wrong_side.value == 0.01
    assert late.effective < 0.02
    assert late.top_percent > 0.95


def test_that_displacement_tells_falling_answers_from_a_growing_margin():
    found = displacement([row("a", -1.0, -3.0), row("b", -1.0, 1.0), row("c", 1.0, -1.0, tokens_chosen=30)])
    assert found.chosen == pytest.approx(-1 / 3)
    assert found.rejected == pytest.approx(-1.0)
    assert found.chosen_per_token == pytest.approx(-1 / 50)
    assert found.chosen_down.value == pytest.approx(2 / 3)
    assert found.both_down.value == pytest.approx(1 / 3)
    assert found.margin_up_chosen_down.value == pytest.approx(1 / 3)


def test_that_calibrated_margins_have_little_calibration_error():
    rng = np.random.default_rng(0)
    z = rng.normal(size=20_000) * 2
    signed = np.where(rng.random(20_000) < 1 / (1 + np.exp(-z)), z, -z)
    good = calibration([of_margin(float(v)) for v in signed])
    sure = calibration([of_margin(3 * float(v)) for v in signed])
    assert good.ece < 0.02
    assert sure.ece > 0.1
    assert sure.brier > good.brier
    assert sum(b.n for b in good.bins) == 20_000
    assert max(b.n for b in good.bins) - min(b.n for b in good.bins) <= 1
    assert all(b.low <= b.accuracy <= b.high for b in good.bins)


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=30))
def test_that_log_loss_and_brier_are_those_of_the_margin(values):
    found = calibration([of_margin(v) for v in values])
    assert found.log_loss == pytest.approx(np.mean([math.log1p(math.exp(-v)) for v in values]), rel=1e-9)
    assert found.brier == pytest.approx(np.mean([(1 - 1 / (1 + math.exp(-v))) ** 2 for v in values]), rel=1e-9)


def test_that_an_undecided_policy_is_perfectly_calibrated():
    found = calibration([row() for _ in range(4)])
    assert found.ece == 0.0
    assert found.brier == 0.25
    assert found.log_loss == pytest.approx(math.log(2))


def test_that_length_bias_sees_a_policy_that_learned_length():
    lengths = [(20, 10), (30, 10), (10, 20), (10, 10)]
    rows = [of_margin(0.1 * (c - r), tokens_chosen=c, tokens_rejected=r) for c, r in lengths]
    found = length_bias(rows)
    assert found.longer_chosen.value == 0.625
    assert found.longer_by_margin.value == 1.0
    assert found.pearson == pytest.approx(1.0)
    assert found.spearman == pytest.approx(1.0)
    assert found.mean_difference == 5.0


def test_that_swapping_the_answers_flips_the_signs():
    rows = [row("a", 2.0, -1.0), row("b", -3.0, -2.0), row("c", 0.5, 0.0)]
    swapped = [row(r.pair_id, r.logp_rejected - r.ref_rejected, r.logp_chosen - r.ref_chosen) for r in rows]
    assert margins(swapped).mean == pytest.approx(-margins(rows).mean)
    assert accuracy(swapped).value == pytest.approx(1 - accuracy(rows).value)
    assert margins(rows).negative.value == pytest.approx(1 / 3)
