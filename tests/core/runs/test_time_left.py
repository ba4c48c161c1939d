from __future__ import annotations

import math
import random

import pytest

from core.domain.run_config import RunConfig
from core.runs.ledger.run_clock import RunClock
from core.runs.time_left import remaining_work, time_left

EVERY = {"eval_every": 5, "kl_every": 10, "sample_every": 10, "checkpoint_every": 4}


def config(**values: int) -> RunConfig:
    return RunConfig().with_values({**EVERY, **values})


def counted_step_by_step(settings: RunConfig, step: int, total: int, made: frozenset[str]) -> dict[str, int]:
    """Walk the run as the engine does: after each step its measurements, then its checkpoint; at the end all."""
    left: dict[str, int] = dict.fromkeys(("step", "eval", "kl", "sample", "save"), 0)
    cadences = {"eval": settings.eval_every, "kl": settings.kl_every, "sample": settings.sample_every}
    for now in range(step, total + 1):
        left["step"] += now > step
        for kind, every in cadences.items():
            due = every and (now % every == 0 or now == total)
            left[kind] += bool(due and not (now == step and kind in made))
        regular = settings.checkpoint_every and now % settings.checkpoint_every == 0
        left["save"] += now == total or bool(regular and now > step)
    return left


def test_that_the_work_that_remains_is_what_the_run_will_do() -> None:
    rng = random.Random(3)
    for _ in range(300):
        settings = config(**{name: rng.choice((0, 1, 3, 7, 10)) for name in EVERY})
        total = rng.randint(1, 40)
        step = rng.randint(0, total)
        made = frozenset(kind for kind in ("eval", "kl", "sample") if rng.random() < 0.5)
        assert remaining_work(settings, step, total, made) == counted_step_by_step(settings, step, total, made)


def test_that_measurements_and_checkpoints_are_part_of_the_time_left() -> None:
    costs = {"step": (2.0, 2.0), "eval": (30.0, 30.0), "kl": (50.0, 50.0), "sample": (80.0, 80.0), "save": (1.0, 1.0)}
    left = time_left(RunClock(costs=costs), config(), 11, 20)
    assert left is not None
    assert left.seconds == pytest.approx(9 * 2 + 2 * 30 + 1 * 50 + 1 * 80 + 3 * 1)
    assert (left.low, left.high) == (left.seconds, left.seconds)  # nothing varied


def test_that_the_interval_follows_from_how_much_the_pieces_varied() -> None:
    costs = {"step": (1.0, 3.0, 1.0, 3.0)}
    left = time_left(RunClock(costs=costs), config(eval_every=0, kl_every=0, sample_every=0), 0, 12)
    assert left is not None
    spread = 12 * (4 / 3) + 144 * (4 / 3) / 4
    assert left.seconds == pytest.approx(24.0)
    assert left.high - left.seconds == pytest.approx(1.2816 * math.sqrt(spread))


def test_that_the_estimate_falls_while_one_measurement_goes_on() -> None:
    costs = {"step": (2.0,), "eval": (30.0,)}
    settings = config(kl_every=0, sample_every=0)
    at = [time_left(RunClock(costs=costs, idle_s=idle), settings, 10, 20) for idle in (0.0, 10.0, 25.0, 60.0)]
    assert [round(left.seconds - at[0].seconds) for left in at if left and at[0]] == [0, -10, -25, -30]


def test_that_nothing_is_said_before_the_first_step() -> None:
    assert time_left(RunClock(costs={"eval": (3.0,)}), config(), 0, 10) is None
