from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.look_plan import LooksPlanned
from core.domain.run_events import (
    CheckpointSaved,
    EvalDone,
    GateReport,
    KlDone,
    PhaseChanged,
    RunEvent,
    RunStarted,
    SampleDone,
    StateChanged,
    StepDone,
)
from core.runs.ledger.open_read_only import open_ledger
from core.runs.ledger.run_clock import RunClock, read_clock
from core.runs.ledger.timeline import read_timeline
from core.runs.ledger.writer import LedgerWriter


def step(number: int, seconds: float = 2.0) -> StepDone:
    return StepDone(number, 0.1, 0.6, 0, 0, 0.5, 0, 0, -1, -2, 0, 0, 0.5, 1, 1e-5, 10, 4, 0, seconds)


def probe(number: int, split: str = "dev") -> EvalDone:
    return EvalDone(number, split, 4, 0.6, 0, 0, 0.5, 0.1, 0.9, 0.5, 0, 0, -1, -2, 0, 0)


STARTED = RunStarted("r", 10, 1, 4, 0, "cpu", "float32", "f")
GATE = GateReport(True, 0.69, 0.69, 0.0)
KL = KlDone(0, 1.0, 0.1, 1.0, 0.2, 0.1, 4, 32, 0.5)
SAMPLE = SampleDone(0, "p1", "q", "a", "b", 1)


def written(path: Path, *attempts: list[tuple[int, RunEvent]]) -> sqlite3.Connection:
    """Write a ledger whose events happen at the given seconds; each list is one attempt."""
    for events in attempts:
        now = [0]
        ledger = LedgerWriter(path, "r", clock_ms=lambda now=now: now[0])
        for at_s, event in events:
            now[0] = at_s * 1000
            ledger.append(event)
        ledger.close()
    return open_ledger(path)  # type: ignore[return-value]


def clock_of(path: Path, *attempts: list[tuple[int, RunEvent]], now_s: int | None = None) -> RunClock:
    with written(path, *attempts) as db:  # type: ignore[union-attr]
        where = read_timeline(db).where()
        return read_clock(db, where=where, live_until_ms=None if now_s is None else now_s * 1000)


FIRST_LOOK = [(0, STARTED), (10, GATE), (13, probe(0)), (17, probe(0, "train")), (22, KL), (30, SAMPLE), (31, SAMPLE)]


def test_that_a_measurement_costs_from_the_end_of_the_one_before_to_its_last_row(tmp_path: Path) -> None:
    clock = clock_of(tmp_path / "l", FIRST_LOOK)
    assert clock.costs == {"eval": (7.0,), "kl": (5.0,), "sample": (9.0,)}
    assert clock.made == {"eval", "kl", "sample"}


def test_that_measurements_after_a_step_begin_at_its_end(tmp_path: Path) -> None:
    events = [*FIRST_LOOK, (40, step(1)), (41, PhaseChanged("evaluate", 0, 8)), (44, probe(1)), (50, step(2))]
    clock = clock_of(tmp_path / "l", events)
    assert clock.costs["eval"] == (4.0,)  # at the start the reference stands for the policy, which costs less
    assert clock.costs["step"] == (2.0, 2.0)
    assert clock.made == frozenset()


def test_that_elapsed_is_the_wall_time_of_each_attempt_without_the_time_between(tmp_path: Path) -> None:
    second = [(500, RunStarted("r", 10, 1, 4, 0, "cpu", "float32", "f", 1)), (530, step(2)), (535, KL)]
    clock = clock_of(tmp_path / "l", [(100, STARTED), (120, GATE), (140, step(1))], second)
    assert clock.elapsed_ms == (40 + 35) * 1000


def test_that_the_attempt_that_is_worked_on_lasts_until_now(tmp_path: Path) -> None:
    clock = clock_of(tmp_path / "l", [(100, STARTED), (120, step(1))], now_s=150)
    assert (clock.elapsed_ms, clock.idle_s) == (50_000, 30.0)


def test_that_time_paused_is_told_and_belongs_to_no_piece_of_work(tmp_path: Path) -> None:
    events = [
        *FIRST_LOOK[:2],
        (11, StateChanged("paused")),
        (14, StateChanged("running")),
        (20, probe(0)),
        (25, StateChanged("paused")),
    ]
    clock = clock_of(tmp_path / "l", events, now_s=40)
    assert clock.costs["eval"] == (7.0,)
    assert clock.paused_ms == (3 + 15) * 1000
    assert clock.elapsed_ms == 40_000
    assert clock.idle_s == 0.0


def test_that_a_pause_ends_with_the_attempt_that_was_killed_in_it(tmp_path: Path) -> None:
    first = [(0, STARTED), (10, step(1)), (12, StateChanged("paused"))]
    second = [(100, RunStarted("r", 10, 1, 4, 0, "cpu", "float32", "f", 1)), (110, step(2))]
    clock = clock_of(tmp_path / "l", first, second, now_s=120)
    assert (clock.paused_ms, clock.elapsed_ms, clock.idle_s) == (0, 32_000, 10.0)


def test_that_a_checkpoint_costs_what_it_reports(tmp_path: Path) -> None:
    events = [(0, STARTED), (5, step(1)), (9, CheckpointSaved(1, "x", "y", 3.5))]
    clock = clock_of(tmp_path / "l", events, now_s=9)
    assert (clock.costs["save"], clock.idle_s) == ((3.5,), 0.0)


@pytest.mark.parametrize(
    ("older", "newer", "gap"),
    [
        (PhaseChanged("reference", 4, 20), PhaseChanged("reference", 8, 20), 3.0),
        (PhaseChanged("reference", 4, 20, "4 from the cache"), PhaseChanged("reference", 8, 20), 3.0),
        (PhaseChanged("kl", 0, 8), PhaseChanged("sample", 0, 4), None),
        (PhaseChanged("evaluate", 4, 8, "dev"), PhaseChanged("evaluate", 4, 8, "train"), None),
    ],
)
def test_that_the_gap_between_reports_is_that_of_one_phase(
    tmp_path: Path, older: PhaseChanged, newer: PhaseChanged, gap: float | None
) -> None:
    assert clock_of(tmp_path / "l", [(0, STARTED), (4, older), (7, newer)]).phase_gap_s == gap


def test_that_a_ledger_without_events_has_no_times(tmp_path: Path) -> None:
    assert clock_of(tmp_path / "l", []) == RunClock()


def test_that_samples_of_the_start_drawn_with_later_ones_cost_nothing(tmp_path: Path) -> None:
    late = replace(SAMPLE, step=10)
    events = [(0, STARTED), (10, GATE), (13, probe(0)), (20, step(1)), (90, step(10)), (99, SAMPLE), (99, late)]
    clock = clock_of(tmp_path / "l", events)
    assert clock.costs["sample"] == (9.0,)
    assert clock.costs["eval"] == (3.0,)


def test_that_the_newest_plan_of_measurements_is_read(tmp_path: Path) -> None:
    assert clock_of(tmp_path / "none", FIRST_LOOK).every == {}
    events = [(0, STARTED), (1, LooksPlanned(40, 100, 0, 2)), (10, GATE)]
    assert clock_of(tmp_path / "l", events).every == {"eval": 40, "kl": 100, "sample": 0}
