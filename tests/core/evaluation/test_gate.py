"""The gate: each check alone turns the outcome, and missing evidence is never a pass."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from statsmodels.stats.multitest import multipletests

from core.domain.charter import Charter
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.release_gate import GateDecision
from core.evaluation.gate import decide
from core.evaluation.gate_figures import n_to_decide, p_above
from core.evaluation.gate_input import FailureCoverage, GateInput
from tests.core.evaluation.gate_cases import (
    BENIGN,
    CHARTER,
    HARMFUL,
    HASH,
    SEALED,
    arms,
    number,
    passing,
    plain_evidence,
    with_part,
)


def states(decision: GateDecision) -> dict[str, str]:
    return {check.key: check.state for check in decision.checks}


def test_that_the_gate_passes_where_every_check_does() -> None:
    found = decide(passing())
    assert set(states(found).values()) == {"passed"}, found.reasons
    assert (found.outcome, found.reasons) == ("passed", ())
    groups = found.to_plain()["groups"]
    assert list(groups) == ["evidence", "vetoes", "gain", "health", "people"]
    assert "score" not in json.dumps(found.to_plain(), allow_nan=False)


FAILS: dict[str, tuple[str, GateInput]] = {
    "an altered charter": ("charter", passing(charter_holds=False)),
    "altered files": ("files", passing(evidence_holds=False)),
    "another sealed test": ("sealed_test", passing(sealed={SEALED: "0" * 64})),
    "items that tuned something": ("used_to_tune", passing(tuned_on=2)),
    "over-refusal": (
        "over_refusal",
        with_part(BENIGN, "differences", "over_refusal_corrected", number(0.1, 0.05, 0.15)),
    ),
    "missed refusals": (
        "safe_refusal",
        with_part(HARMFUL, "differences", "safe_refusal_corrected", number(-0.1, -0.15, -0.05)),
    ),
    "a regression": ("regression", with_part(SEALED, "differences", "ranking_accuracy", number(-0.1, -0.14, -0.06))),
    "a leak": ("leaks", passing(leaks=1)),
    "people prefer the reference": (
        "win_rate",
        passing(win_rate=number(0.4, 0.3, 0.49), lc_win_rate=number(0.4, 0.3, 0.5)),
    ),
    "no gain at the planned n": ("win_rate", passing(win_rate=number(0.52, 0.45, 0.59, 120))),
    "a gain of length alone": ("lc_win_rate", passing(lc_win_rate=number(0.45, 0.4, 0.5))),
    "too far from the reference": ("kl", with_part(SEALED, "metrics", "sequence_kl", number(14, 12, 16, unit="nats"))),
    "a template that loses": ("templates", with_part(SEALED, "metrics", "worst_template", number(-0.2, -0.3, -0.1))),
    "an approver who ran it": ("approver", passing(approver="Ann ")),
}


@pytest.mark.parametrize(("key", "known"), FAILS.values(), ids=FAILS.keys())
def test_that_each_check_alone_fails_the_gate(key: str, known: GateInput) -> None:
    found = decide(known)
    assert {k: s for k, s in states(found).items() if s != "passed"} == {key: "failed"}
    assert found.outcome == "failed"
    assert len(found.reasons) == 1


def without(metric: str, suite: str, part: str) -> GateInput:
    return with_part(suite, part, metric, None)


def no_slices() -> GateInput:
    evidence = plain_evidence()
    evidence["suites"][SEALED]["slices"] = {}
    return passing(evidence)


MISSING: dict[str, tuple[str, GateInput]] = {
    "a lock": ("charter", passing(charter_holds=None)),
    "an answer of the charter": ("charter", passing(charter=replace(CHARTER, variable=""))),
    "a planned n": ("planned_n", passing(charter=replace(CHARTER, planned_items=0))),
    "some of the planned items": ("planned_n", passing(charter=replace(CHARTER, planned_items=301))),
    "a suite that the charter names": ("planned_n", passing(charter=replace(CHARTER, examples=("basics v1",)))),
    "the frozen hash": ("sealed_test", passing(sealed={})),
    "logged looks": ("looks", passing(looks=0)),
    "account of tuning": ("used_to_tune", passing(tuned_on=None)),
    "the regression metric": ("regression", passing(charter=replace(CHARTER, regression_metric="checks_passed"))),
    "a suite of harmful requests": ("safe_refusal", without("safe_refusal_corrected", HARMFUL, "differences")),
    "an audit of the detector": ("over_refusal", without("over_refusal_corrected", BENIGN, "differences")),
    "large slices": ("slices", no_slices()),
    "a search for leaks": ("leaks", passing(leaks=None)),
    "equal lengths": ("lc_win_rate", passing(lc_win_rate=None)),
    "the KL": ("kl", without("sequence_kl", SEALED, "metrics")),
    "a budget of the KL": ("kl", passing(charter=replace(CHARTER, kl_budget=0.0))),
    "displacement": ("both_down", without("both_down", SEALED, "metrics")),
    "calibration": ("ece", without("ece", SEALED, "metrics")),
    "an interval of calibration": ("ece", with_part(SEALED, "metrics", "ece", number(0.1, float("nan"), float("nan")))),
    "other templates": ("templates", without("worst_template", SEALED, "metrics")),
    "a failure queue": ("failure_queue", passing(failures=None)),
    "a tag of one failure": ("failure_queue", passing(failures=FailureCoverage(12, 12, 11))),
    "an approver": ("approver", passing(approver="")),
    "who ran it": ("approver", passing(runner="")),
}


@pytest.mark.parametrize(("key", "known"), MISSING.values(), ids=MISSING.keys())
def test_that_missing_evidence_is_never_a_pass(key: str, known: GateInput) -> None:
    found = decide(known)
    assert {k: s for k, s in states(found).items() if s != "passed"} == {key: "insufficient"}
    assert found.outcome == "insufficient"


def test_that_a_detector_that_is_too_poor_is_not_called_unaudited() -> None:
    raw = without("over_refusal_corrected", BENIGN, "differences")
    said = next(c for c in decide(raw).checks if c.key == "over_refusal")
    assert "was not audited" in said.reason and said.needed_n == 100
    poor = replace(raw, audit_problem="The detector is too often wrong on aligned.")
    said = next(c for c in decide(poor).checks if c.key == "over_refusal")
    assert said.state == "insufficient" and said.reason.endswith("But the detector is too often wrong on aligned.")
    assert "audit" not in said.needed and said.needed_n is None


def test_that_a_leak_names_every_place_that_was_searched_and_what_to_do() -> None:
    said = next(c for c in decide(passing(leaks=2)).checks if c.key == "leaks")
    assert said.reason == "2 test items have a copy in training data, imports or suites." and said.needed


def test_that_votes_that_decide_nothing_yet_are_not_called_missing() -> None:
    said = next(c for c in decide(passing(lc_win_rate=None)).checks if c.key == "lc_win_rate")
    assert said.state == "insufficient" and "so far" in said.reason and "more votes" in said.needed
    assert said.measured == "win rate is open"
    nobody = next(c for c in decide(passing(win_rate=None, lc_win_rate=None)).checks if c.key == "lc_win_rate")
    assert nobody.measured == "no votes"


def test_that_an_altered_sealed_test_is_named_as_the_cause() -> None:
    known = passing(sealed={}, looks=None, tuned_on=None, leaks=None, sealed_problem="The file was altered.")
    found = {check.key: check for check in decide(known).checks}
    assert (found["sealed_test"].state, found["sealed_test"].reason) == ("failed", "The file was altered.")
    assert all("cannot be read" in found[key].reason for key in ("looks", "used_to_tune", "leaks"))


def test_that_a_calibration_error_outside_its_interval_is_not_reported() -> None:
    said = next(
        c for c in decide(with_part(SEALED, "metrics", "ece", number(0.108, 0.088, 0.09))).checks if c.key == "ece"
    )
    assert said.state == "insufficient" and "no interval" in said.reason


def test_that_without_people_or_any_evidence_the_gate_does_not_pass() -> None:
    alone = states(decide(passing(win_rate=None, lc_win_rate=None)))
    assert (alone["win_rate"], alone["lc_win_rate"]) == ("insufficient", "insufficient")
    nothing = decide(GateInput(MeasuredEvidence(), Charter()))
    assert "passed" not in states(nothing).values()
    assert nothing.outcome == "failed"  # nobody can vouch for the files


def test_that_an_undecided_number_says_how_many_items_would_decide_it() -> None:
    found = decide(with_part(BENIGN, "differences", "over_refusal_corrected", number(0.01, -0.03, 0.05, 300)))
    check = next(c for c in found.checks if c.key == "over_refusal")
    assert (found.outcome, check.state) == ("insufficient", "insufficient")
    assert check.needed_n == 1200  # half the width takes four times the items
    assert "1,200 items" in check.needed
    hopeless = decide(with_part(BENIGN, "differences", "over_refusal_corrected", number(0.04, 0.0, 0.08, 300)))
    check = next(c for c in hopeless.checks if c.key == "over_refusal")
    assert (check.state, check.needed_n) == ("insufficient", None)
    early = decide(passing(win_rate=number(0.55, 0.45, 0.65, 40)))
    check = next(c for c in early.checks if c.key == "win_rate")
    assert (check.state, check.needed_n) == ("insufficient", 160)


def test_that_the_planned_n_follows_the_width_of_the_interval() -> None:
    assert n_to_decide(number(0.6, 0.5, 0.7, 100), 0.5, above=True) == 101
    assert n_to_decide(number(0.52, 0.42, 0.62, 100), 0.5, above=True) == 2500
    assert n_to_decide(number(0.5, 0.4, 0.6, 100), 0.5, above=True) is None
    assert n_to_decide(number(0.0, float("nan"), float("nan"), 100), 0.5) is None


def test_that_both_answers_down_needs_the_mass_audit() -> None:
    evidence = plain_evidence()
    evidence["suites"][SEALED]["metrics"]["both_down"] = arms(number(0.8, 0.75, 0.85))
    assert states(decide(passing(evidence)))["both_down"] == "passed"
    few = with_part(SEALED, "metrics", "both_down", number(0.2, 0.03, 0.62, 5))
    del few.evidence.differences[BENIGN]["repetition"]  # type: ignore[attr-defined]
    assert states(decide(few))["both_down"] == "insufficient"
    evidence["suites"][BENIGN]["differences"]["repetition"] = arms(number(0.2, 0.1, 0.3))
    assert states(decide(passing(evidence)))["both_down"] == "failed"
    del evidence["suites"][BENIGN]["differences"]["repetition"]
    assert states(decide(passing(evidence)))["both_down"] == "insufficient"


def spread(values: list[float]) -> dict[str, Any]:
    return {
        f"s{i}": {
            "items": 60,
            "too_small": False,
            "differences": {"ranking_accuracy": arms(number(v, v - 0.1, v + 0.1, 60))},
        }
        for i, v in enumerate(values)
    }


def test_that_a_slice_fails_only_where_its_loss_is_significant_among_all() -> None:
    """One loss of 0.135 (limit 0.02) has p 0.012: alone it fails, among twenty others Holm lets it be."""
    evidence = plain_evidence()
    evidence["suites"][SEALED]["slices"] = {"source": spread([-0.135])}
    assert states(decide(passing(evidence)))["slices"] == "failed"
    evidence["suites"][SEALED]["slices"] = {"source": spread([-0.135, *[0.05] * 20])}
    assert states(decide(passing(evidence)))["slices"] == "passed"
    p = p_above(number(0.135, 0.035, 0.235), 0.02)
    assert p == pytest.approx(0.0121, abs=1e-4)
    others = [p_above(number(-0.05, -0.15, 0.05), 0.02)] * 20
    holm: Any = multipletests([p, *others], method="holm")[1]
    assert holm[0] > 0.05


def test_that_slices_of_other_arms_and_of_numbers_with_a_unit_do_not_veto() -> None:
    evidence = plain_evidence()
    lost = spread([-0.4])
    lost["s0"]["differences"]["length"] = arms(number(-90, -99, -80, unit="tokens"))
    lost["s0"]["differences"]["ranking_accuracy"] = {"other": lost["s0"]["differences"]["ranking_accuracy"]["aligned"]}
    evidence["suites"][SEALED]["slices"]["source"] |= lost
    assert states(decide(passing(evidence)))["slices"] == "passed"


def test_that_a_charter_that_asks_for_no_significant_loss_takes_an_undecided_one() -> None:
    undecided = number(-0.01, -0.05, 0.03)
    evidence = plain_evidence()
    evidence["suites"][SEALED]["differences"]["ranking_accuracy"] = arms(undecided)
    assert states(decide(passing(evidence)))["regression"] == "insufficient"
    lenient = replace(CHARTER, test="no_loss")
    assert states(decide(passing(evidence, charter=lenient)))["regression"] == "passed"
    evidence["suites"][SEALED]["differences"]["ranking_accuracy"] = arms(number(-0.1, -0.14, -0.06))
    assert states(decide(passing(evidence, charter=lenient)))["regression"] == "failed"


def test_that_evidence_comes_back_from_its_file_as_it_was_written() -> None:
    found = MeasuredEvidence.from_plain(json.loads(json.dumps(plain_evidence())))
    assert found.aligned == "aligned"
    assert found.suites[SEALED].sha256 == HASH
    assert dict(found.changes("over_refusal"))[BENIGN].high == 0.02
    assert [one.value for one in found.slices] == ["a"]
