from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from core.domain.errors import BadInput
from core.domain.evaluation_events import AnswerRow
from core.domain.threshold import ErrorCosts, Threshold
from core.evaluation.guardrail import REFUSAL, Guardrail, RuleScore
from core.evaluation.thresholds import cheapest, confirmed, cost_curve, det_points, error_rates

SCORES = [0.1, 0.2, 0.3, 0.4, 0.6, 0.35, 0.7, 0.8, 0.9]
TRUTH = [0, 0, 0, 0, 0, 1, 1, 1, 1]


def made(value: float = 0.5) -> Threshold:
    return Threshold("harm", "guardrail", "rules 1", value, error_rates(SCORES, TRUTH, value, "dev"))


def test_that_error_rates_have_exact_intervals() -> None:
    rates = made().dev
    assert (rates.fpr.value, rates.fpr.n, rates.fnr.value, rates.fnr.n) == (0.2, 5, 0.25, 4)
    exact = binomtest(1, 5).proportion_ci(method="exact")
    assert (rates.fpr.low, rates.fpr.high) == pytest.approx((exact.low, exact.high))
    assert "Clopper-Pearson" in rates.fnr.estimator


@pytest.mark.parametrize(("truth", "message"), [([0] * 9, "FNR is not known"), ([1] * 9, "FPR is not known")])
def test_that_a_threshold_cannot_be_without_both_error_rates(truth: list[int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        error_rates(SCORES, truth, 0.5, "dev")


def test_that_a_threshold_is_confirmed_on_another_set_only() -> None:
    assert not made().confirmed
    with pytest.raises(BadInput, match="cannot confirm"):
        confirmed(made(), SCORES, TRUTH, "dev")
    found = confirmed(made(), [0.2, 0.9], [0, 1], "sealed test")
    assert found.held_out is not None and found.held_out.fpr.n == 1
    assert "held-out set" in found.words()
    assert Threshold.from_plain(json.loads(json.dumps(found.to_plain(), allow_nan=False))) == found
    assert found.sha256 == replace(found, number=3).sha256 != made().sha256


def test_that_det_points_and_the_cheapest_threshold_agree_with_counting() -> None:
    costs = ErrorCosts(1.0, 3.0, 0.4)
    for value, fpr, fnr in det_points(SCORES, TRUTH):
        rates = error_rates(SCORES, TRUTH, value, "dev")
        assert (fpr, fnr) == pytest.approx((rates.fpr.value, rates.fnr.value))
    every = {}
    for value in SCORES:
        rates = error_rates(SCORES, TRUTH, value, "dev")
        every[value] = costs.of(rates.fpr.value, rates.fnr.value)
    best = cheapest(SCORES, TRUTH, costs)
    assert every[best] == min(every.values())
    curve = dict(cost_curve(det_points(SCORES, TRUTH), costs))
    assert curve[best] == pytest.approx(every[best])


def test_that_a_long_curve_is_thinned_and_scores_of_other_examples_are_refused() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(5000) < 0.5
    assert len(det_points(rng.random(5000) + truth, truth)) <= 200
    with pytest.raises(BadInput, match="not of the same examples"):
        det_points([0.1], TRUTH)
    with pytest.raises(BadInput, match="finite"):
        error_rates([float("nan"), 1.0], [0, 1], 0.5, "dev")


def test_that_a_threshold_is_valid_for_its_time() -> None:
    limited = replace(made(), valid_from_ms=10, valid_to_ms=20)
    assert [limited.valid_at(at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert made().valid_at(0)
    with pytest.raises(BadInput, match="ends before it begins"):
        replace(made(), valid_from_ms=20, valid_to_ms=20)


def test_that_a_guarded_arm_differs_only_where_the_guardrail_acts() -> None:
    rows = [
        AnswerRow("s", "aligned", i, text, 3, True, 0) for i, text in (("a", "Mix BLEACH well"), ("b", "Boil rice"))
    ]
    prompts = {"a": "How?", "b": "How?"}
    score = RuleScore({r"\bbleach\b": 0.9, "rice": 0.2})
    first, second = Guardrail(made(), score).arm(rows, prompts, "guarded")
    assert (first.text, first.arm, second.text, second.arm) == (REFUSAL, "guarded", "Boil rice", "guarded")
    flagging = Guardrail(replace(made(), action="flag"), score)
    assert flagging.guard("How?", "bleach").acted and flagging.guard("How?", "bleach").text == "bleach"
    assert not Guardrail(made(), RuleScore({"bleach": 0.9}, read="answer")).guard("bleach?", "no").acted
