"""Golden trajectories of TRL 1.16: the engine reproduces every loss, step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.run_events import StepDone
from tests.core.training.golden_runs import FIELDS, STEPS, allowed, run_golden, trajectories

NAMES = tuple(trajectories())


FIRST = 5
"""Steps of the default suite; the slow group compares all of them."""


def compare(name: str, steps: list[StepDone], count: int = STEPS) -> None:
    golden = trajectories()[name]
    beta = golden["settings"]["beta"]
    assert len(steps) == count <= len(golden["steps"]) == STEPS
    for index, (step, logged) in enumerate(zip(steps, golden["steps"][:count], strict=True)):
        assert step.lr == logged["learning_rate"]
        for field, ours in FIELDS.items():
            expected, found = logged[field], getattr(step, ours)
            assert abs(found - expected) <= allowed(name, field, beta, expected, index), (name, step.step, field)


@pytest.mark.parametrize("name", NAMES)
def test_that_the_first_steps_of_every_loss_equal_the_golden_trajectory(name: str, tmp_path: Path) -> None:
    compare(name, run_golden(name, tmp_path, FIRST), FIRST)


def test_that_every_step_of_a_run_equals_the_golden_trajectory(tmp_path: Path) -> None:
    compare("sigmoid", run_golden("sigmoid", tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_that_every_step_of_every_loss_equals_the_golden_trajectory(name: str, tmp_path: Path) -> None:
    compare(name, run_golden(name, tmp_path))


@pytest.mark.parametrize("forward", ["shared", "separate"])
@pytest.mark.parametrize("name", ["ld_alpha0.5", "sigmoid+sft"])
def test_that_every_forward_pass_equals_the_golden_trajectory(name: str, forward: str, tmp_path: Path) -> None:
    compare(name, run_golden(name, tmp_path, FIRST, forward=forward), FIRST)


def test_that_a_run_starts_exactly_at_the_reference(tmp_path: Path) -> None:
    first = run_golden("sigmoid", tmp_path, first=1)[0]
    assert abs(first.loss - 0.6931471805599453) < 1e-12
    assert first.accuracy == 0.5
    assert first.gradient_weight == 0.5
    assert all(row.h == 0.0 for row in first.rows)


@pytest.mark.parametrize("name", ["sigmoid", "aot", "sigmoid+sft"])
def test_that_no_split_into_micro_batches_changes_a_step(name: str, tmp_path: Path) -> None:
    whole = run_golden(name, tmp_path / "whole", micro_batch=4, steps=2)
    for micro in (1, 3):
        for one, other in zip(whole, run_golden(name, tmp_path / str(micro), micro_batch=micro, steps=2), strict=True):
            for ours in FIELDS.values():
                size = max(abs(getattr(one, ours)), 1.0)
                assert abs(getattr(one, ours) - getattr(other, ours)) < 1e-6 * size, (micro, one.step, ours)
