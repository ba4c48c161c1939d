"""How long a run still takes: the pieces of work that remain, each at what the newest of its kind took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from core.domain.look_plan import LooksPlanned
from core.domain.run_config import RunConfig
from core.runs.ledger.run_clock import RunClock

QUANTILE = 1.2816
"""Of the normal distribution: 80 % of its mass is within this many standard deviations of the mean."""

LONE_SPREAD = 0.3
"""Standard deviation assumed, as a share of the value, where a kind of work was seen only once."""


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Seconds that remain: the expected value, and the interval that holds it with 80 % probability."""

    seconds: float
    low: float
    high: float


def remaining_work(
    config: RunConfig, step: int, total: int, made: frozenset[str], every: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Return how often each kind of work is still to be done after optimizer step ``step`` of ``total``.

    Args:
        config: the run's settings, for its cadences.
        step: optimizer steps done.
        total: optimizer steps of the whole run.
        made: kinds of measurement that ``step`` has already.
        every: steps between two measurements of each kind, where the run has planned others than its settings.
    """
    cadences = every or LooksPlanned.as_set(config).every
    left = {kind: _due_after(steps, step, total) for kind, steps in cadences.items()}
    for kind, steps in cadences.items():
        due_now = steps > 0 and (step % steps == 0 or step == total)
        left[kind] += int(due_now and kind not in made)
    saved = config.checkpoint_every
    left["save"] = (_multiples(saved, step, total - 1) if saved else 0) + 1
    left["step"] = total - step
    return left


def time_left(clock: RunClock, config: RunConfig, step: int, total: int) -> TimeLeft | None:
    """Return the time that remains; None before the first step, when nothing is known of its cost.

    Each kind of work that remains n times and was seen m times with mean c and variance v adds n*c to the expected
    value and n*v + n^2*v/m to its variance; kinds are taken as independent. The piece that is going on counts for what
    it has not used up yet. A kind that was never seen adds nothing.
    """
    if "step" not in clock.costs or total < step:
        return None
    every = clock.every or LooksPlanned.as_set(config).every
    left = remaining_work(config, step, total, clock.made, every)
    seconds, spread = _sum(clock.costs, left)
    going_on = next((kind for kind in ("eval", "kl", "sample") if _going_on(kind, every[kind], step, clock)), "step")
    if going_on in clock.costs:
        seconds -= min(clock.idle_s, fmean(clock.costs[going_on]))
    return _with_limits(seconds, spread)


def sum_of_costs(costs: Mapping[str, Sequence[float]], left: Mapping[str, int]) -> TimeLeft:
    """Return the time that ``left`` units of each kind take at what those in ``costs`` took, as :func:`time_left`."""
    return _with_limits(*_sum(costs, left))


def _with_limits(seconds: float, spread: float) -> TimeLeft:
    half = QUANTILE * math.sqrt(spread)
    return TimeLeft(max(0.0, seconds), max(0.0, seconds - half), max(0.0, seconds + half))


def _sum(costs: Mapping[str, Sequence[float]], left: Mapping[str, int]) -> tuple[float, float]:
    seconds = spread = 0.0
    for kind, seen in costs.items():
        count, mean = left.get(kind, 0), fmean(seen)
        per_piece = variance(seen) if len(seen) > 1 else (LONE_SPREAD * mean) ** 2
        seconds += count * mean
        spread += count * per_piece + count**2 * per_piece / len(seen)
    return seconds, spread


def _going_on(kind: str, every: int, step: int, clock: RunClock) -> bool:
    return every > 0 and step % every == 0 and kind not in clock.made and kind in clock.costs


def _due_after(every: int, step: int, total: int) -> int:
    """Return how often a measurement is due after the steps above ``step``; the last step always has one."""
    if every <= 0 or step >= total:
        return 0
    return _multiples(every, step, total) + int(total % every != 0)


def _multiples(every: int, above: int, up_to: int) -> int:
    return max(0, up_to // every - above // every)
