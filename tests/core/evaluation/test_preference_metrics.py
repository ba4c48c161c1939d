from __future__ import annotations

import numpy as np
import pytest

from core.domain.run_events import from_plain, to_plain
from core.evaluation.preference_metrics import (
    accuracy,
    gradient_weights,
    length_bias,
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


def test_that_length_bias_sees_a_policy_that_learned_length():
    lengths = [(20, 10), (30, 10), (10, 20), (10, 10)]
    rows = [of_margin(0.1 * (c - r), tokens_chosen=c, tokens_rejected=r) for c, r in lengths]
    found = length_bias(rows)
    assert found.longer_chosen.value == 0.625
    assert found.longer_by_margin.value == 1.0
    assert found.pearson == pytest.approx(1.0)
    assert found.spearman == pytest.approx(1.0)
    assert found.mean_difference == 5.0


def test_that_swapping_the_answers_turns_right_into_wrong():
    rows = [row("a", 2.0, -1.0), row("b", -3.0, -2.0), row("c", 0.5, 0.0)]
    swapped = [row(r.pair_id, r.logp_rejected - r.ref_rejected, r.logp_chosen - r.ref_chosen) for r in rows]
    assert accuracy(swapped).value == pytest.approx(1 - accuracy(rows).value)
