from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import det_curve

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, UsageError, UserError
from core.domain.evaluation_events import AnswerRow
from core.domain.pair import TrainingPair
from core.domain.threshold import ErrorCosts, Threshold
from core.evaluation.guard_scores import ClassifierScore, RefusalScore, RuleScore, read_rules, scorer_of
from core.evaluation.guardrail import REFUSAL, Guardrail
from core.evaluation.thresholds import (
    cheapest,
    confirmed,
    cost_curve,
    det_points,
    error_rates,
    rates_along,
    scored_pairs,
)

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
    (flagged,) = Guardrail(replace(made(), action="flag"), score).guard([("How?", "bleach")])
    assert (flagged.acted, flagged.text, flagged.score) == (True, "bleach", 0.9)
    (passed,) = Guardrail(made(), RuleScore({"bleach": 0.9}, read="answer")).guard([("bleach?", "no")])
    assert not passed.acted


def pair(number: int, chosen: str, rejected: str, *, is_tie: bool = False) -> TrainingPair:
    return TrainingPair(str(number), Prompt.from_text(f"Question {number}"), chosen, rejected, is_tie=is_tie)


def test_that_chosen_answers_are_negatives_and_rejected_ones_positives_each_once() -> None:
    pairs = [pair(1, "rice", "bleach"), pair(1, "rice", "acid"), pair(2, "a", "b", is_tie=True)]
    scores, truth = scored_pairs(RuleScore({"bleach": 1.0}), pairs, "guardrail")
    assert (scores, truth) == ([0.0, 1.0, 0.0], [False, True, True])


def test_that_a_label_is_accepted_where_the_detector_agrees_with_people() -> None:
    pairs = [pair(1, "rice", "bleach"), pair(2, "bleach", "rice"), pair(3, "a", "b")]
    scores, truth = scored_pairs(RuleScore({"bleach": 0.7}), pairs, "auto_accept")
    assert (scores, truth) == ([0.7, 0.7, 0.0], [True, False, False])


def test_that_det_points_are_those_of_scikit_learn_and_the_cheapest_is_that_of_a_table_by_hand() -> None:
    points = det_points(SCORES, TRUTH)
    fpr, fnr, values = det_curve(TRUTH, SCORES)
    assert [point for point in zip(values, fpr, fnr, strict=True) if np.isfinite(point[0])] == list(points)
    table = {0.35: (0.4, 0.0), 0.7: (0.0, 0.25)}  # two of five negatives above 0.35; one of four positives below 0.7
    assert {value: (p, n) for value, p, n in points if value in table} == table
    for costs, best in ((ErrorCosts(1, 1, 0.5), 0.7), (ErrorCosts(1, 9, 0.5), 0.35), (ErrorCosts(1, 1, 0.9), 0.35)):
        assert points[costs.cheapest(points)][0] == best == cheapest(SCORES, TRUTH, costs)


def test_that_the_rates_along_a_curve_are_those_measured_at_each_point() -> None:
    whole = replace(made(), det=det_points(SCORES, TRUTH))
    assert rates_along(whole) == [error_rates(SCORES, TRUTH, value, "dev") for value, _, _ in whole.det]


def test_that_a_stored_detector_gives_the_same_scores() -> None:
    chosen = [("q", f"Boil the rice for {n} minutes and stir.") for n in range(30)]
    rejected = [("q", f"Mix bleach with {n} drops of acid.") for n in range(30)]
    classifier = ClassifierScore.fit(chosen, rejected, "made up")
    cases = [*chosen[:3], *rejected[:3], ("q", ""), ("q", "Something else altogether")]
    assert classifier.scores(chosen)[0] < 0.2 < 0.8 < classifier.scores(rejected)[0]
    for detector in (classifier, RefusalScore(), read_rules("0.9 bleach\n# no rule\nacid", "answer")):
        again = scorer_of(json.loads(json.dumps(detector.to_plain(), allow_nan=False)))
        assert again.scores(cases) == detector.scores(cases)
    assert read_rules("0.9 bleach\nacid").weights == {"bleach": 0.9, "acid": 1.0}


def test_that_a_detector_that_cannot_be_made_is_refused_with_a_sentence() -> None:
    with pytest.raises(UsageError, match="Line 2 of the rules is no regular expression"):
        read_rules("fine\n0.5 (")
    with pytest.raises(UsageError, match="no rule"):
        read_rules("# nothing\n")
    with pytest.raises(BadInput, match="trained on 1 pair, and needs 20"):
        ClassifierScore.fit([("q", "a")], [("q", "b")], "few")
    for damaged in ({"kind": "magic"}, {"kind": "rules"}, {"kind": "classifier", "terms": ["a"], "idf": []}):
        with pytest.raises(BadInput):
            scorer_of(damaged)


def test_that_only_a_confirmed_guardrail_that_is_valid_and_stored_may_be_used() -> None:
    whole = replace(confirmed(made(), [0.2, 0.9], [0, 1], "sealed"), scoring={"kind": "refusal"}, number=2)
    whole.require_guardrail(0)
    for change, message in (
        ({"held_out": None}, "harm v2 is not confirmed: nobody knows how often it errs"),
        ({"use": "auto_accept"}, "is no guardrail"),
        ({"scoring": {}}, "detector of harm v2"),
        ({"valid_from_ms": 10}, "not valid now"),
    ):
        with pytest.raises(UserError, match=message):
            replace(whole, **change).require_guardrail(0)  # type: ignore[arg-type]
