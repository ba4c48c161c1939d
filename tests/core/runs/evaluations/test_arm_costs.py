"""What arms cost: from made-up batches against the delta method by hand, and which batches count."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain.evaluation_events import Answered, KlScored
from core.evaluation.measures.means import ratio_of_sums
from core.runs.evaluations.arm_costs import GIB, arm_costs


def batch(arm: str, number: int, count: int, tokens: int, seconds: float, memory: int = 0, left: int = 0) -> Answered:
    out = tuple(f"x{n}" for n in range(left))
    return Answered("s", arm, number, count, tokens, seconds, out, memory_bytes=memory)


def test_that_cost_is_the_ratio_of_sums_with_the_interval_of_the_delta_method() -> None:
    made = [batch("a", 0, 4, 100, 2.0, 1 << 30), batch("a", 1, 4, 80, 1.0, 3 << 29), batch("a", 2, 3, 60, 1.5, left=1)]
    (cost,) = arm_costs(made).values()
    assert cost.seconds.value == pytest.approx(4.5 / 10) and cost.speed.value == pytest.approx(240 / 4.5)
    x, y = np.array([2.0, 1.0, 1.5]), np.array([4.0, 4.0, 2.0])
    residual = (x - 0.45 * y) / 10
    assert cost.seconds.se == pytest.approx(math.sqrt(3 / 2 * float(residual @ residual)))
    assert cost.seconds.se is not None
    assert cost.seconds.high - cost.seconds.value == pytest.approx(4.302652729911275 * cost.seconds.se)
    assert (cost.seconds.n, cost.seconds.unit, cost.speed.unit) == (3, "s", "tokens/s")
    assert (cost.memory.value, cost.memory.n, cost.memory.has_interval) == (3 * (1 << 29) / GIB, 3, False)
    assert cost.to_plain()["memory"]["unit"] == "GiB"


def test_that_guardrails_other_work_and_batches_without_an_answer_count_for_nothing() -> None:
    made = [batch("guarded", 0, 4, 100, 0.0), KlScored("s", "a", 0, 2, 3.0), batch("a", 0, 1, 0, 1.0, left=1)]
    assert arm_costs(made) == {}
    (served,) = arm_costs([batch("server", 0, 4, 100, 2.0)]).values()
    assert math.isnan(served.memory.value) and served.memory.n == 0, "an endpoint's memory is not known here"
    assert "n too small" in served.seconds.estimator


def test_that_the_interval_of_a_ratio_holds_the_truth_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(9), 0
    for _ in range(500):
        under = rng.integers(2, 9, 25).astype(float)
        over = under * 0.7 + rng.normal(0, 0.8, 25)
        found = ratio_of_sums(over, under)
        held += found.low <= 0.7 <= found.high
    assert 0.93 <= held / 500 <= 0.97
