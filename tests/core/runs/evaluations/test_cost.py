"""What an evaluation is expected to cost, against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.domain.evaluation_settings import EvaluationConfig
from core.runs.evaluations.cost import MeasuredSpeed, expected_cost
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.timing import items_to_time
from tests.core.runs.evaluations.conftest import open_suite, preference_suite

SPEED = MeasuredSpeed(load_s=10, prompt_s=1, token_s=0.5, pair_s=2)


def test_that_each_kind_of_work_counts_for_every_arm(make_evaluation: Callable[..., EvaluationFolder]) -> None:
    record = make_evaluation().record()  # 2 arms; 6 preferences, 5 open items; 6 new tokens; 3 + 3 KL answers of 4
    cost = expected_cost(record, SPEED)
    assert cost.parts == {"load": 10, "answers": 2 * 11 * (1 + 6 * 0.5), "scores": 2 * 6 * 2, "kl": 6 * (3 + 4 * 0.5)}
    assert cost.seconds == pytest.approx(sum(cost.parts.values()))
    assert cost.sentence() == "At most 2 min 32 s (loading 10 s, answers 1 min 28 s, scoring pairs 24 s, KL 30 s)."


def test_that_what_is_cheaper_says_how_much_and_what_is_lost(make_evaluation: Callable[..., EvaluationFolder]) -> None:
    record = make_evaluation().record()
    record = replace(
        record,
        config=EvaluationConfig(max_new_tokens=128, kl_prompts=0),
        suites=tuple(replace(suite, used=400, answered=400) for suite in record.suites[1:]),
    )
    cost = expected_cost(record, SPEED)
    assert [one.option for one in cost.cheaper] == [
        "--limit 30", "--limit 50", "--limit 100", "--set max_new_tokens=64",
    ]  # fmt: skip
    assert cost.cheaper[0].seconds == pytest.approx(10 + 2 * 30 * 65)
    assert "wider intervals" in cost.cheaper[0].loses


def test_that_few_items_are_timed_preferences_among_them() -> None:
    items = [*open_suite().items, *preference_suite().items]
    timed = items_to_time(items, EvaluationConfig(batch_answers=2))
    assert len(timed) <= 6
    assert sum(row["expected"] == "preference" for row in timed) >= 2
