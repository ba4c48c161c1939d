"""The gate's limits of speed and memory: no row without a limit, and what each interval says of it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.domain.arm_cost import ArmCost
from core.domain.estimate import Estimate
from core.domain.gate_limits import GateLimits
from core.evaluation.gate import decide
from core.evaluation.gate_costs import costs
from core.evaluation.gate_input import GateInput
from tests.core.evaluation.gate_cases import number, passing, plain_evidence

COST = ArmCost(
    number(2.0, 1.5, 2.5, 20, "s"),
    number(30.0, 25.0, 35.0, 20, "tokens/s"),
    Estimate(1.5, math.nan, math.nan, 20, "GiB", "largest"),
)


def known(limits: GateLimits, cost: ArmCost | None = COST) -> GateInput:
    return replace(passing(plain_evidence()), limits=limits, cost=cost)


@pytest.mark.parametrize(
    ("limits", "state"),
    [
        (GateLimits(answer_seconds=3.0), "passed"),
        (GateLimits(answer_seconds=3.0, memory_gib=2.0), "passed"),
        (GateLimits(answer_seconds=1.0), "failed"),
        (GateLimits(answer_seconds=3.0, memory_gib=1.0), "failed"),
        (GateLimits(answer_seconds=2.2), "insufficient"),
    ],
)
def test_that_the_whole_interval_must_lie_within_the_limit(limits: GateLimits, state: str) -> None:
    (check,) = costs(known(limits))
    assert (check.state, check.group, check.key) == (state, "health", "cost")
    assert "seconds an answer" in check.reason
    decision = decide(known(limits))
    assert decision.outcome == {"passed": "passed", "failed": "failed"}.get(state, "insufficient")


def test_that_there_is_no_row_without_a_limit_and_no_pass_without_a_number() -> None:
    assert costs(known(GateLimits())) == ()
    (unmeasured,) = costs(known(GateLimits(answer_seconds=1.0), None))
    assert unmeasured.state == "insufficient" and "not measured" in unmeasured.reason
    elsewhere = replace(COST, memory=Estimate(math.nan, math.nan, math.nan, 0, "GiB", "largest"))
    (check,) = costs(known(GateLimits(memory_gib=2.0), elsewhere))
    assert check.state == "insufficient"
