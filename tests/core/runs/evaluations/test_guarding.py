"""An arm with a guardrail: made of another arm's answers, measured like any, compared with the same arm without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.errors import UsageError
from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm, EvaluationRecord
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.run_events import Finished
from core.domain.threshold import ErrorRates, Threshold
from core.evaluation.guardrail import REFUSAL
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.status import evaluation_status
from tests.core.runs.evaluations.conftest import new_evaluation
from tests.core.runs.evaluations.test_evaluator import attempt_until

RATE = Estimate(0.1, 0.0, 0.4, 10, "", "by hand; Clopper-Pearson 95 %")
RATES = ErrorRates(RATE, RATE, "d v1 sealed test")
HOST = EvaluationHost(host="terminal")


def guarded(pattern: str, base: str = "aligned") -> Arm:
    scoring = {"kind": "rules", "weights": {pattern: 1.0}, "read": "prompt"}
    threshold = Threshold("harm", "guardrail", "rules 1", 0.5, RATES, RATES, number=2, scoring=scoring)
    return Arm(f"{base} + harm v2", "guarded", guard=threshold.to_plain(), base=base)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, trained_run: object) -> EvaluationFolder:
    arms = [Arm("aligned", "aligned"), guarded("bread|tides"), guarded("nothing at all", "reference")]
    path = tmp_path_factory.mktemp("guarded") / "evaluation"
    folder = new_evaluation(path, trained_run, arms=arms)  # type: ignore[arg-type]
    assert isinstance(evaluate(folder.path, HOST), Finished)
    return folder


def test_that_the_guarded_answers_are_the_others_where_the_guardrail_does_not_act(measured: EvaluationFolder) -> None:
    ledger = EvaluationLedger(measured.ledger)
    plain = {row.item: row for row in ledger.answers("asks v2", "aligned")}
    found = {row.item: row for row in ledger.answers("asks v2", "aligned + harm v2")}
    assert found.keys() == plain.keys()
    assert {item for item, row in found.items() if row.text == REFUSAL} == {"ask-1", "ask-3"}
    assert all(replace(found[item], arm="aligned") == plain[item] for item in ("ask-0", "ask-2", "ask-4"))
    assert ledger.scores("rankings v1", "aligned + harm v2") == [] == ledger.kl_rows("asks v2", "aligned + harm v2")
    status = evaluation_status(measured)
    assert (status.share, status.done) == (1.0, dict(status.total))


def test_that_the_evidence_compares_the_arm_with_itself_without_the_guardrail(measured: EvaluationFolder) -> None:
    evidence = measured.evidence()
    assert evidence is not None
    suite, ledger = evidence["suites"]["asks v2"], EvaluationLedger(measured.ledger)
    acted = suite["metrics"]["guardrail_acted"]
    assert (acted["aligned + harm v2"]["value"], acted["aligned + harm v2"]["n"]) == (0.4, 5)
    assert acted["reference + harm v2"]["value"] == 0.0
    lengths = {
        arm: {row.item: row.tokens for row in ledger.answers("asks v2", arm)}
        for arm in ("aligned", "aligned + harm v2")
    }
    by_hand = [lengths["aligned + harm v2"][item] - tokens for item, tokens in lengths["aligned"].items()]
    with_without = suite["guarded"]["aligned + harm v2"]
    assert with_without["base"] == "aligned"
    change = with_without["differences"]["length"]["aligned + harm v2"]
    assert (change["value"], change["n"]) == (pytest.approx(sum(by_hand) / 5), 5)
    assert "difference to aligned" in change["estimator"] and 0 <= change["p_holm"] <= 1
    same = suite["guarded"]["reference + harm v2"]["differences"]["length"]["reference + harm v2"]
    assert (same["value"], same["lo"]) == (0.0, None) and "all equal" in same["estimator"]
    line = MeasuredEvidence.from_plain(evidence).line()["suites"]["asks v2"]
    assert line["length.guarding"]["aligned + harm v2"]["value"] == change["value"]
    assert line["length.difference"].keys() == {"aligned", "aligned + harm v2", "reference + harm v2"}


def test_that_a_killed_evaluation_goes_on_to_the_same_evidence(
    measured: EvaluationFolder, make_evaluation: Callable[..., EvaluationFolder]
) -> None:
    again = make_evaluation("again", arms=list(measured.record().arms))
    attempt_until(again, 13)
    assert EvaluationLedger(again.ledger).answers("rankings v1", "aligned + harm v2") != []
    assert isinstance(evaluate(again.path, HOST), Finished)
    assert again.evidence_file.read_bytes() == measured.evidence_file.read_bytes()


def test_that_the_record_keeps_the_threshold_and_names_its_hash(measured: EvaluationFolder) -> None:
    record = measured.record()
    assert EvaluationRecord.from_plain(record.to_plain()) == record
    arm = record.arms[2]
    assert arm.inputs["guardrail"] == Threshold.from_plain(arm.guard).sha256
    assert [one.name for one in record.scored_arms] == ["reference", "aligned"]


def test_that_a_guardrail_on_an_arm_that_is_not_evaluated_is_refused(
    make_evaluation: Callable[..., EvaluationFolder], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="guards aligned, which is no arm"):
        make_evaluation(arms=[guarded("x", "aligned without system"), guarded("x")][1:])
    assert list(tmp_path.iterdir()) == []
