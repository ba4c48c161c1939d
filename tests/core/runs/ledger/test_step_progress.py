from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.run_events import RunEvent, RunStarted, StateChanged, StepDone
from core.runs.ledger.step_progress import StepProgress, read_progress
from tests.core.runs.ledger.test_run_clock import KL, STARTED, step, written


def progress_of(path: Path, *attempts: list[tuple[int, RunEvent]]) -> StepProgress:
    with written(path, *attempts) as db:
        return read_progress(db)


def tokens(number: int, rate: float, seconds: float, pairs: int) -> StepDone:
    return replace(step(number, seconds), tokens_per_s=rate, pairs=pairs)


def test_that_pairs_and_tokens_are_summed_up_and_tokens_are_whole_again(tmp_path: Path) -> None:
    events = [(0, STARTED), (5, tokens(1, 7 / 3.0, 3.0, 4)), (9, tokens(2, 11 / 0.7, 0.7, 2))]
    found = progress_of(tmp_path / "l", events)
    assert (found.steps, found.pairs, found.tokens) == ((1, 2), (4.0, 6.0), (7.0, 18.0))


def test_that_tokens_are_not_known_where_one_step_has_recorded_no_time(tmp_path: Path) -> None:
    found = progress_of(tmp_path / "l", [(0, STARTED), (5, step(1)), (9, step(2, seconds=0.0))])
    assert (found.pairs, found.tokens) == ((4.0, 8.0), ())


def test_that_minutes_hold_looks_between_steps_but_no_preparation_and_no_pause(tmp_path: Path) -> None:
    events = [
        (0, STARTED),
        (100, step(1, seconds=30.0)),  # of which 70 s were preparation
        (160, KL),
        (190, step(2)),
        (200, StateChanged("paused")),
        (500, StateChanged("running")),
        (520, step(3)),
    ]
    found = progress_of(tmp_path / "l", events)
    assert found.minutes == pytest.approx((0.5, 0.5 + 1.5, 0.5 + 1.5 + 0.5))


def test_that_lost_steps_and_the_time_between_attempts_do_not_count(tmp_path: Path) -> None:
    first = [(0, STARTED), (60, step(1, seconds=60.0)), (120, step(2)), (180, step(3))]
    again = RunStarted("r", 10, 1, 4, 0, "cpu", "float32", "f", 2)
    second: list[tuple[int, RunEvent]] = [(1000, again), (1300, step(3, seconds=12.0)), (1360, step(4))]
    found = progress_of(tmp_path / "l", first, second)
    assert found.steps == (1, 2, 3, 4)
    assert found.minutes == pytest.approx((1.0, 2.0, 2.2, 3.2))


def test_that_a_run_without_steps_has_no_progress(tmp_path: Path) -> None:
    assert progress_of(tmp_path / "l", [(0, STARTED)]) == StepProgress()
