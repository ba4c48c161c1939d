"""Rules about the optimizer steps: what is not finite, diverges, stands still or is wasted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.domain.counting import counted, verb
from core.domain.insight import Insight
from core.domain.number_text import format_value
from core.domain.run_events import StepDone
from core.evaluation.insight_rules.registry import (
    ids,
    insight_rule,
    rolling_mean,
    since,
    standard_error,
    stretches,
    values_of,
    window_of,
)
from core.evaluation.run_so_far import RunSoFar

FLAT_STEPS = 50
"""Steps at the starting loss after which the insight is shown."""
_SURE = 3.0
"""Standard errors by which a mean of steps must lie above the start."""
_LEAST_WINDOW, _LEAST_MEAN = 3, 5
"""Fewest steps whose loss is looked at, and fewest whose mean is compared by its standard error."""
_SPIKE = 10.0
_LEARNED = 0.01
"""Share of the first gradient weight below which a step teaches next to nothing."""


@insight_rule
def not_finite(run: RunSoFar) -> Insight | None:
    """A loss, margin or gradient norm that is not a number."""
    bad = [s for s in run.steps if not all(map(math.isfinite, (s.loss, s.margin, s.grad_norm)))]
    failed = run.failed if run.failed and run.failed.kind in ("nan", "gate:non_finite") else None
    if not bad and failed is None:
        return None
    at = [s.step for s in bad] or [failed.step if failed else 0]
    rows = run.train_rows(at[0], at[-1]).rows if bad else ()
    found = [row.pair_id for row in rows if not all(map(math.isfinite, (row.loss, row.margin)))]
    return Insight(
        "not_finite",
        at[0],
        "A number is not finite any more",
        f"{counted(len(at), 'step')} {verb(len(at), 'has', 'have')} a loss, margin or gradient norm that is NaN or "
        "infinite. From here on the weights may be useless.",
        "Go back to the last checkpoint, lower the learning rate, use float32, and look at the named pairs.",
        tuple(dict.fromkeys([*found, *(failed.pair_ids if failed else ())])),
        "error",
        spans=stretches(at),
        metrics=("loss", "margin"),
        figures=(("first at step", str(at[0])), ("steps", f"{len(at)} of {len(run.steps)}")),
        formula="loss, margin and gradient norm of each step as they were recorded",
        confirm="A run from the last checkpoint before it with half the learning rate stays finite.",
        pairs_steps=(at[0], at[-1]) if bad else None,
    )


@insight_rule
def diverged(run: RunSoFar) -> Insight | None:
    """The loss is many times its start."""
    found = _above_start(run)
    if found is None or not found.far:
        return None
    worst = max(found.steps, key=lambda s: s.loss)
    return Insight(
        "diverged",
        found.first,
        "The run diverged",
        f"The loss of the last {len(found.steps)} steps averages {format_value(found.mean)} and was "
        f"{format_value(found.start)} at the start; the largest is {format_value(worst.loss)} at step {worst.step}. "
        "The weights since then are worse than those it started from.",
        "Take a checkpoint from before, and train again with a tenth of the learning rate and a warm-up.",
        _highest_loss(run, found),
        "error",
        **_about_loss(found),
    )


@insight_rule
def loss_above_start(run: RunSoFar) -> Insight | None:
    """The loss is higher than that of the untrained policy."""
    found = _above_start(run)
    if found is None or found.far:
        return None
    return Insight(
        "loss_above_start",
        found.first,
        "The loss is above its start",
        f"The last {len(found.steps)} steps average {found.mean:.4f} ± {found.error:.4f}; a policy equal to the "
        f"reference has {found.start:.4f}. So far the training has made the policy worse than no training.",
        "Lower the learning rate or lengthen the warm-up; check that chosen and rejected are not the wrong way round.",
        _highest_loss(run, found),
        "warning",
        **_about_loss(found),
    )


@dataclass(frozen=True, slots=True)
class _Above:
    """The last steps of a run whose mean loss lies surely above the start.

    ``first`` is the step since which the rolling mean does; ``far`` says that most of them lie far above it.
    """

    steps: Sequence[StepDone]
    first: int
    start: float
    mean: float
    error: float
    far: bool


def _above_start(run: RunSoFar) -> _Above | None:
    """Return the last steps if their mean loss lies three standard errors above the start, else None."""
    window = min(window_of(len(run.steps)), len(run.steps) // 2)
    if window < _LEAST_WINDOW:
        return None
    loss = values_of(run.steps, "loss")
    last = loss[-window:]
    if not np.all(np.isfinite(last)):
        return None
    start, start_error = _start(run, loss, window)
    mean, error = float(last.mean()), standard_error(last)
    far = float(np.median(last)) > _far(start)
    sure = mean > start + _SURE * math.hypot(error, start_error) + 1e-6 * max(1.0, abs(start))
    if not far and (not sure or window < _LEAST_MEAN):
        return None
    means = rolling_mean(loss, window)
    below = np.flatnonzero(~(means > start))
    first = int(below[-1]) + 1 if below.size else 0
    return _Above(run.steps[-window:], run.steps[min(first + window, len(run.steps)) - 1].step, start, mean, error, far)


def _start(run: RunSoFar, loss: np.ndarray, window: int) -> tuple[float, float]:
    """Return the loss at the start and its standard error: the closed form, or the mean of the first steps."""
    if run.start_loss is not None:
        return run.start_loss, 0.0
    return float(loss[:window].mean()), standard_error(loss[:window])


def _far(start: float) -> float:
    """Return the loss from which on a run counts as diverged: three times its start, and at least 1 above."""
    return start + max(1.0, 2 * abs(start))


def _highest_loss(run: RunSoFar, found: _Above) -> tuple[str, ...]:
    rows = run.train_rows(found.steps[0].step, found.steps[-1].step).rows
    return ids(sorted((r for r in rows if r.loss > found.start), key=lambda r: -r.loss))


def _about_loss(found: _Above) -> dict[str, Any]:
    first, last = found.steps[0].step, found.steps[-1].step
    return {
        "spans": ((found.first, last),),
        "metrics": ("loss",),
        "figures": (
            ("loss at the start", format_value(found.start)),
            (f"steps {first} to {last}", f"{format_value(found.mean)} ± {format_value(found.error)}"),
        ),
        "test": f"The median of {len(found.steps)} steps lies above three times the start."
        if found.far
        else f"The mean of {len(found.steps)} steps lies more than three standard errors above the start.",
        "formula": "mean over the steps of loss = (sum over pairs) / pairs; at policy = reference sigmoid has ln 2",
        "confirm": "The held-out loss is above its value at step 0 as well.",
        "pairs_steps": (first, last),
    }


@insight_rule
def gradient_spikes(run: RunSoFar) -> Insight | None:
    """Single steps whose gradient is many times the usual one."""
    norms = values_of(run.steps, "grad_norm")
    finite = norms[np.isfinite(norms)]
    if finite.size < 20:
        return None
    usual = float(np.median(finite))
    spread = 1.4826 * float(np.median(np.abs(finite - usual)))
    limit = max(_SPIKE * usual, usual + _SPIKE * spread)
    at = [s.step for s in run.steps if math.isfinite(s.grad_norm) and s.grad_norm > limit > 0]
    if not at:
        return None
    worst = max((s for s in run.steps if s.step in set(at)), key=lambda s: s.grad_norm)
    rows = sorted(run.train_rows(worst.step, worst.step).rows, key=lambda r: -r.weight)
    return Insight(
        "gradient_spikes",
        at[0],
        f"{counted(len(at), 'step')} with a gradient over ten times the usual one",
        f"The gradient norm is {format_value(usual)} in the median step and {format_value(worst.grad_norm)} at step "
        f"{worst.step}. " + ("Clipping held the steps back." if run.clip else "Nothing held these steps back."),
        "Read the pairs of that step. Set clip to 1, lower the learning rate, or leave broken pairs out.",
        ids(rows),
        "info" if run.clip else "warning",
        spans=stretches(at),
        metrics=("loss",),
        figures=(("median norm", format_value(usual)), ("largest norm", f"{format_value(worst.grad_norm)}")),
        test="Above ten times the median, and above the median by ten scaled median deviations (1.4826 · MAD).",
        formula="Euclidean norm of the gradient over all trained weights, before clipping",
        confirm="The same pairs give a large gradient again at their next visit.",
        pairs_steps=(worst.step, worst.step),
    )


@insight_rule
def gradient_clipped(run: RunSoFar) -> Insight | None:
    """Nearly every step is clipped."""
    if run.clip <= 0 or len(run.steps) < 20:
        return None
    at = [s.step for s in run.steps if s.grad_norm > run.clip]
    if len(at) < 0.9 * len(run.steps):
        return None
    usual = float(np.median(values_of(run.steps, "grad_norm")))
    return Insight(
        "gradient_clipped",
        at[0],
        "Nearly every step is clipped",
        f"In {len(at)} of {counted(len(run.steps), 'step')} the gradient norm is above the limit of {run.clip:g}; "
        f"the median is {format_value(usual)}. Every step then has the same length, so that pairs of large gradients "
        "count less than they should.",
        f"Set clip to about {format_value(2 * usual, 2)}, or leave it: AdamW scales steps anyway.",
        severity="info",
        spans=stretches(at),
        metrics=("loss",),
        figures=(("clipped", f"{len(at)} of {len(run.steps)}"), ("median norm", format_value(usual))),
        formula="gradient norm > clip, counted over steps",
        confirm="A run with a higher limit reaches another held-out loss.",
    )


@insight_rule
def lr_zero(run: RunSoFar) -> Insight | None:
    """Steps with a learning rate of exactly 0, beyond the first of a warm-up and the last of a schedule."""
    at = [s.step for s in run.steps if s.lr == 0]
    if len(at) < 2 or len(at) <= 0.02 * len(run.steps):
        return None
    return Insight(
        "lr_zero",
        at[0],
        f"{counted(len(at), 'step')} had a learning rate of 0",
        f"{len(at)} of {counted(len(run.steps), 'step')} computed a gradient and then changed nothing.",
        "Check the schedule: a resume past its end, a warm-up that is too long, or lr 0.",
        severity="error" if len(at) == len(run.steps) else "warning",
        spans=stretches(at),
        metrics=("loss", "margin"),
        figures=(("steps with lr 0", f"{len(at)} of {len(run.steps)}"),),
        formula="learning rate of each step as it was recorded",
        confirm="The margins of a pair do not move between two visits in these steps.",
    )


@insight_rule
def wasted_steps(run: RunSoFar) -> Insight | None:
    """The last steps teach next to nothing, since every pair is learned."""
    if len(run.steps) < 20:
        return None
    weights = values_of(run.steps, "gradient_weight")
    start = float(np.nanmedian(weights[: window_of(len(run.steps))]))
    if not start > 0:
        return None
    learned = weights < _LEARNED * start
    count = int(np.argmin(learned[::-1])) if not learned.all() else len(learned)
    if count < max(10, len(run.steps) // 10):
        return None
    first, last = run.steps[-count].step, run.steps[-1].step
    return Insight(
        "wasted_steps",
        first,
        f"The last {counted(count, 'step')} taught next to nothing",
        f"Since step {first} the mean gradient weight is below 1 % of its start ({format_value(start)}): every pair of "
        "these batches is learned, and the time is wasted.",
        f"Stop near step {first}, take fewer epochs or more pairs, or raise beta so that learned pairs keep pulling.",
        severity="info",
        spans=((first, last),),
        metrics=("loss", "margin"),
        figures=(("weight at the start", format_value(start)), ("weight now", format_value(float(weights[-1])))),
        formula="mean over pairs of |dloss / dz|; for sigmoid σ(−z)",
        confirm="The held-out loss of a checkpoint near that step is no worse than that of the last one.",
    )


@insight_rule
def loss_flat(run: RunSoFar) -> Insight | None:
    """The loss stays where it starts."""
    if len(run.steps) < FLAT_STEPS:
        return None
    start = run.gate.expected_loss if run.gate else math.log(2.0)
    scale = max(abs(start), 1e-6)
    loss = values_of(run.steps, "loss")
    if abs(float(loss[-FLAT_STEPS:].mean()) - start) > 0.005 * scale or not np.all(np.isfinite(loss[-FLAT_STEPS:])):
        return None
    first = since(run.steps, lambda s: abs(s.loss - start) <= 0.05 * scale)
    still = max(s.grad_norm for s in run.steps[-FLAT_STEPS:]) == 0
    mean = float(loss[-FLAT_STEPS:].mean())
    return Insight(
        "loss_flat",
        first.step,
        "The loss has not moved from its start",
        f"The last {FLAT_STEPS} steps average {mean:.4f}; a policy equal to the reference has "
        f"{start:.4f}. " + ("The gradient is exactly 0." if still else "The policy has hardly changed."),
        "No gradient reaches the trained weights: check the adapter." if still else "Raise the learning rate, or beta.",
        severity="error" if still else "warning",
        spans=((first.step, run.steps[-1].step),),
        metrics=("loss",),
        figures=(("start", f"{start:.4f}"), (f"last {FLAT_STEPS} steps", f"{mean:.4f}")),
        test=f"The mean of {FLAT_STEPS} steps is within 0.5 % of the start.",
        formula="loss at policy = reference; for sigmoid ln 2",
        confirm="h is near 0 for every held-out pair.",
    )
