"""The list of rules, and what the rules share.

To add a rule, write one function in a module of this package and decorate it with :func:`insight_rule`. It reads a run
so far and returns one insight or None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.domain.estimate import Estimate
from core.domain.insight import Insight
from core.domain.number_text import format_value, interval_text, signed
from core.domain.run_events import EvalDone, PairMetrics
from core.evaluation.estimates import PromptResamples
from core.evaluation.run_so_far import RunSoFar

Array = NDArray[np.float64]
T = TypeVar("T")
Rule = Callable[[RunSoFar], "Insight | None"]
RULES: list[Rule] = []
"""Every rule of this package, in the order in which they are written."""
BY_PROMPT = "95 % interval of the mean over pairs, bootstrap by prompt"
"""How intervals of means over pairs are made, in words."""


def insight_rule(rule: Rule) -> Rule:
    """Register ``rule``, so that every run is checked with it."""
    RULES.append(rule)
    return rule


def window_of(steps: int) -> int:
    """Return the steps to average over: a tenth of the steps so far, 5 to 50."""
    return min(50, max(5, steps // 10))


def values_of(events: Sequence[object], name: str) -> Array:
    """Return one field of all events as a float64 array (n,)."""
    return np.array([getattr(e, name) for e in events], dtype=np.float64)


def standard_error(values: Array) -> float:
    """Return the standard error of a mean, 0 for a single value, NaN where a value is not finite."""
    if not np.all(np.isfinite(values)):
        return math.nan
    return float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else 0.0


def rolling_mean(values: Array, window: int) -> Array:
    """Return the means of every ``window`` values in a row, (n - window + 1,); a NaN makes its windows NaN."""
    return np.convolve(values, np.full(window, 1.0 / window), mode="valid")


def since(events: Sequence[T], holds: Callable[[T], bool]) -> T:
    """Return the first event from which on ``holds`` is true for all; the last event if there is none."""
    first = len(events) - 1
    while first > 0 and holds(events[first - 1]):
        first -= 1
    return events[first]


def stretches(steps: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return ascending steps as stretches without gaps: first and last step of each.

    >>> stretches([1, 2, 3, 7, 9, 10])
    ((1, 3), (7, 7), (9, 10))
    """
    found: list[tuple[int, int]] = []
    for step in steps:
        if found and step == found[-1][1] + 1:
            found[-1] = (found[-1][0], step)
        else:
            found.append((step, step))
    return tuple(found)


def ids(rows: Iterable[PairMetrics]) -> tuple[str, ...]:
    """Return the ids of the pairs, each once, in their order."""
    return tuple(dict.fromkeys(row.pair_id for row in rows))


def worst_first(rows: Iterable[PairMetrics]) -> list[PairMetrics]:
    """Return the rows with a margin below zero, the lowest first."""
    return sorted((row for row in rows if row.margin < 0), key=lambda row: row.margin)


def mean_of(run: RunSoFar, rows: Sequence[PairMetrics], values: Sequence[float], unit: str = "") -> Estimate:
    """Return the mean of one value a row, with its interval by prompt."""
    return PromptResamples(run.prompts(rows)).mean(values, unit)


def paired_change(run: RunSoFar, before: EvalDone, after: EvalDone, name: str) -> Estimate | None:
    """Return how the mean of a field moved between two probes, over the pairs that both measured.

    Both probes measure the same pairs, so the change of each pair is taken, which is far less noisy than the
    difference of two means. None where the rows of either are not there.
    """
    old = {row.pair_id: row for row in run.probe_rows(before).rows}
    rows = [row for row in run.probe_rows(after).rows if row.pair_id in old]
    if not rows:
        return None
    return mean_of(run, rows, [getattr(row, name) - getattr(old[row.pair_id], name) for row in rows])


def figure(estimate: Estimate, *, sign: bool = False) -> str:
    """Return value and interval of an estimate as a figure of an insight."""
    value = signed(estimate.value) if sign else format_value(estimate.value)
    return f"{value} {interval_text(estimate)}".rstrip()
