"""Limits of time and memory: from the charter to the gate, the contract and its verification."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.domain.charter import Charter
from core.domain.errors import UsageError
from core.domain.release_gate import GateDecision
from core.evaluation.gate import decide
from core.services.application import Application
from core.services.releases.contract import Signed, contract_of
from core.services.releases.gate_facts import Judged, gate_input, judged
from core.services.releases.policy_costs import CostVerdict, cost_of
from core.services.runs.charter_file import read_charter
from tests.core.evaluation.test_gate_costs import COST


def under(one: Judged, charter: Charter) -> Judged:
    return replace(one, run_record=replace(one.run_record, charter=charter))


def gate_of(app: Application, one: Judged) -> GateDecision:
    return decide(gate_input(one, app.sealed, app.releases.failures))


def test_that_words_of_the_command_line_name_the_limits() -> None:
    found = read_charter(None, ["answer_seconds=2", "memory_gib=8"])
    assert found == Charter(answer_seconds=2.0, memory_gib=8.0)
    with pytest.raises(UsageError, match="memory_gib cannot be below 0"):
        read_charter(None, ["memory_gib=-1"])


def test_that_the_gate_and_the_contract_read_the_limits_of_the_charter(app: Application, evaluation: str) -> None:
    one = judged(app.releases.find(evaluation))
    assert all(check.key != "cost" for check in gate_of(app, one).checks)
    cost = cost_of(one.folder, "aligned")
    assert cost is not None
    for charter, state in (
        (Charter(answer_seconds=cost.seconds.value * 1e6, memory_gib=1e6), "passed"),
        (Charter(memory_gib=cost.memory.value / 2), "failed"),
    ):
        limited = under(one, charter)
        decision = gate_of(app, limited)
        (check,) = [check for check in decision.checks if check.key == "cost"]
        assert check.state == state, check.reason
        contract = contract_of(Signed("r1", "n", "ben", "ann", "why", 1), limited, decision, [], "1:ab")
        kept = json.loads(json.dumps(contract, allow_nan=False))
        assert kept["cost_limits"] == {"answer_seconds": charter.answer_seconds, "memory_gib": charter.memory_gib}
        assert kept["costs"]["seconds_per_answer"]["value"] == pytest.approx(cost.seconds.value)
        assert kept["costs"]["seconds_per_answer"]["n"] == cost.seconds.n
        assert CostVerdict.of(kept, cost).state == state


@pytest.mark.parametrize(("limit", "state"), [(3.0, "passed"), (1.0, "failed"), (2.2, "insufficient"), (0.0, "")])
def test_that_a_verification_says_whether_this_machine_keeps_the_limits(limit: float, state: str) -> None:
    contract = {"cost_limits": {"answer_seconds": limit, "memory_gib": 0.0}, "costs": COST.to_plain()}
    found = CostVerdict.of(contract, COST)
    assert found.state == found.to_plain()["state"] == state
    assert found.to_plain()["here"]["seconds_per_answer"]["value"] == 2.0
    assert "where it was released" in found.sentences()[0]
    assert len(found.sentences()) == 1 + bool(state)


def test_that_a_contract_without_limits_and_an_evaluation_without_answers_say_nothing_false() -> None:
    assert CostVerdict.of({}, None).sentences() == []
    unmeasured = CostVerdict.of({"cost_limits": {"answer_seconds": 1.0, "memory_gib": 0.0}}, None)
    assert unmeasured.state == "insufficient"
    assert "was not measured" in unmeasured.sentences()[0]
