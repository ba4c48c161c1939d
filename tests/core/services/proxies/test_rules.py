"""The alarms of the proxy register on numbers made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.estimate import Estimate
from core.domain.judging import UNCALIBRATED, JudgeReport, JudgeSetup
from core.domain.measured_evidence import MeasuredEvidence
from core.services.proxies import rules


def est(value: float, low: float, high: float, n: int = 100) -> Estimate:
    return Estimate(value, low, high, n, "", "made up")


def evidence(metrics: dict[str, Any] | None = None, differences: dict[str, Any] | None = None) -> MeasuredEvidence:
    return MeasuredEvidence(
        arms={"reference": "reference", "aligned": "aligned"},
        metrics={"suite v1": metrics or {}},
        differences={"suite v1": differences or {}},
        watermarks=("detector not audited", "another"),
    )


def aligned(estimate: Estimate) -> dict[str, Estimate]:
    return {"aligned": estimate}


def test_that_a_reward_that_ranks_well_beside_a_lost_vote_raises_the_alarm() -> None:
    good = evidence({"preference_accuracy": aligned(est(0.7, 0.6, 0.8))})
    found = rules.reward(good, est(0.3, 0.2, 0.4))
    assert "people prefer the reference's answers" in found.alarm and not found.missing
    assert rules.reward(good, est(0.5, 0.4, 0.6)).alarm == ""
    assert "Ask people" in rules.reward(good, None).missing
    assert "Evaluate on pairs" in rules.reward(evidence(), None).missing
    assert [rules.reward(one, people).next_step for one, people in ((good, est(0.5, 0.4, 0.6)), (good, None))] == [
        "", "people",
    ]  # fmt: skip
    undecided = est(0.5, float("nan"), float("nan"), 1)
    assert rules.reward(good, undecided).next_step == "votes" and rules.reward(evidence(), None).next_step == "evaluate"


def test_that_more_refusals_of_benign_requests_raise_the_alarm_whatever_harmful_ones_do() -> None:
    found = rules.detector(evidence(differences={"over_refusal": aligned(est(0.1, 0.02, 0.18))}))
    assert "refuses more benign requests" in found.alarm and found.watermarks == ("detector not audited",)
    assert rules.detector(evidence(differences={"over_refusal": aligned(est(0.05, -0.02, 0.1))})).alarm == ""
    assert "look-alikes" in rules.detector(evidence()).missing


@pytest.mark.parametrize(
    ("change", "people", "controlled", "words"),
    [
        (est(30, 26, 34), None, None, "more than 25% longer"),
        (est(30, 20, 40), None, None, ""),
        (est(1, 0, 2), est(0.6, 0.52, 0.68), est(0.48, 0.4, 0.56), "at equal length they do not"),
        (est(1, 0, 2), est(0.6, 0.52, 0.68), est(0.58, 0.5, 0.66), ""),
    ],
)
def test_that_length_is_told_from_quality(
    change: Estimate, people: Estimate | None, controlled: Estimate | None, words: str
) -> None:
    measured = evidence({"length": {"reference": est(100, 90, 110)}}, {"length": aligned(change)})
    alarm = rules.length(measured, people, controlled).alarm
    assert words in alarm if words else alarm == ""


def test_that_memory_is_told_from_learning() -> None:
    held_out = {"preference_accuracy": aligned(est(0.6, 0.5, 0.7))}
    found = rules.training(evidence({**held_out, "memorised_accuracy": aligned(est(0.3, 0.1, 0.5))}))
    assert "training pairs better" in found.alarm and found.against == est(0.6, 0.5, 0.7)
    assert rules.training(evidence({**held_out, "memorised_accuracy": aligned(est(0.1, -0.1, 0.3))})).alarm == ""
    assert "trained_pairs" in rules.training(evidence(held_out)).missing


def test_that_a_judge_that_differs_from_people_raises_the_alarm_and_keeps_its_watermark() -> None:
    one = est(0.9, 0.8, 0.95)
    setup = JudgeSetup("http://127.0.0.1/v1", "m", "r", "0")
    report = JudgeReport(setup, "aligned", "reference", one, one, one, one, one, one, (UNCALIBRATED,))
    found = rules.judge(report, est(0.5, 0.4, 0.6))
    assert "lie apart" in found.alarm and found.watermarks == (UNCALIBRATED,)
    assert rules.judge(report, est(0.85, 0.7, 0.95)).alarm == "" and "Ask people" in rules.judge(report, None).missing
