"""The over-optimisation curve of checkpoints made by hand: its suite, its evaluations, and what fit_curve gives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.domain.estimate import Z95, Estimate
from core.domain.measured_evidence import MeasuredEvidence
from core.evaluation.measures.over_optimisation import fit_curve
from core.services.proxies.curve import MeasuredCheckpoint, curve_of

SQUARES = (1.0, 4.0, 9.0, 16.0, 25.0, 36.0)


def share(value: float, half: float = 0.05) -> Estimate:
    return Estimate(value, value - half, value + half, 100, "", "made up")


def nats(value: float) -> Estimate:
    return Estimate(value, value - 1, value + 1, 8, "nats", "mean")


def checkpoint(
    step: int, kl: float | None, accuracy: float | None = None, people: Estimate | None = None, *, suite: str = "a v1"
) -> MeasuredCheckpoint:
    metrics = {
        **({"sequence_kl": {"aligned": nats(kl)}} if kl is not None else {}),
        **({"preference_accuracy": {"aligned": share(accuracy)}} if accuracy is not None else {}),
    }
    evidence = MeasuredEvidence(arms={"reference": "reference", "aligned": "aligned"}, metrics={suite: metrics})
    return MeasuredCheckpoint(f"id-{step}", f"E {step}", step, evidence, people)


def test_that_points_lie_at_the_root_of_the_kl_and_the_curve_is_that_of_fit_curve() -> None:
    rates = [0.6, 0.68, 0.7, 0.66, 0.6, 0.5]
    halves = [0.05, 0.04, 0.06, 0.05, 0.03, 0.05]
    measured = [
        checkpoint(10 * n, kl, 0.6 + 0.03 * n, share(rate, half))
        for n, (kl, rate, half) in enumerate(zip(SQUARES, rates, halves, strict=True), 1)
    ]
    found = curve_of(measured)
    assert [point.distance.value for point in found.points] == [1, 2, 3, 4, 5, 6]
    assert (found.points[1].distance.low, found.points[1].distance.high) == (math.sqrt(3), math.sqrt(5))
    wanted = fit_curve([1, 2, 3, 4, 5, 6], np.array(rates) - 0.5, np.array(halves) / Z95)
    of = {fit.number: fit for fit in found.fits}
    people = of["win_rate"]
    assert people.peak is not None and people.gain is not None and people.decay is not None
    assert (people.gain.value, people.decay.value) == pytest.approx((wanted.gain.value, wanted.decay.value))
    assert people.peak.value == pytest.approx(wanted.peak.value) and people.peak.unit == "√nats"
    assert (people.peak.low, people.peak.high) == pytest.approx((wanted.peak.low, wanted.peak.high))
    assert people.path[0] == (0.0, 0.5)
    assert people.path[-1] == (6.0, pytest.approx(0.5 + wanted.at(6.0)[0]))
    assert of["preference_accuracy"].missing == "" and found.alarm.startswith("Over-optimised")


def test_that_few_checkpoints_have_points_and_the_words_of_the_refusal() -> None:
    found = curve_of([checkpoint(10, 1.0, 0.6), checkpoint(20, 4.0, 0.7, share(0.6))])
    assert len(found.points) == 2 and found.alarm == ""
    accuracy, people = found.fits
    assert "there are 2 such checkpoints" in accuracy.missing and "there is 1 such checkpoint" in people.missing
    assert "evaluate more of them" in people.missing and people.path == ()
    assert curve_of([]).points == () and "0 such checkpoints" in curve_of([]).fits[0].missing


def test_that_numbers_of_different_suites_are_not_mixed() -> None:
    found = curve_of([checkpoint(10, 1.0), checkpoint(20, 4.0), checkpoint(30, 9.0, suite="b v1")])
    assert found.kl_suite == "a v1" and [point.step for point in found.points] == [10, 20]
    assert found.left_out == ("E 30: its KL was not measured on a v1.",)
    beside = {"a v1": {"sequence_kl": {"aligned": nats(4.0)}}}
    pairs = checkpoint(10, 1.0, 0.6, suite="pairs v1")
    both = replace(pairs, evidence=replace(pairs.evidence, metrics={**beside, **pairs.evidence.metrics}))
    assert curve_of([both]).kl_suite == "pairs v1" and curve_of([both]).points[0].distance.value == 1.0


def test_that_a_checkpoint_without_a_distance_above_zero_is_named() -> None:
    found = curve_of([checkpoint(10, -0.5), checkpoint(20, None, 0.7), checkpoint(0, 4.0)])
    assert [point.checkpoint for point in found.points] == ["result"]
    assert "not above 0" in found.left_out[0] and found.left_out[1].startswith("E 20: its KL was not measured")


def test_that_a_checkpoint_that_was_evaluated_twice_counts_once_by_the_evaluation_that_says_more() -> None:
    newest, voted = checkpoint(10, 4.0), replace(checkpoint(10, 4.0, people=share(0.6)), evaluation_id="voted")
    (point,) = curve_of([newest, voted]).points
    assert point.evaluation_id == "voted"
    (point,) = curve_of([newest, replace(newest, evaluation_id="older")]).points
    assert point.evaluation_id == "id-10"


def test_that_a_win_rate_without_a_decisive_vote_is_no_point_of_people() -> None:
    nothing = Estimate(math.nan, math.nan, math.nan, 0, "", "no votes")
    found = curve_of([checkpoint(10, 1.0, 0.6, nothing), checkpoint(20, 4.0, 0.7, nothing)])
    assert all(point.people is None for point in found.points) and found.alarm == ""
