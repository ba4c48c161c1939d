"""The rules of the insights: each reads a run so far and returns one insight or None.

To add a rule, write one function here and decorate it with :func:`insight_rule`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.domain.counting import counted, verb
from core.domain.insight import Insight
from core.domain.run_events import EvalDone, PairMetrics
from core.evaluation.preference_metrics import gradient_weights, length_bias
from core.evaluation.run_so_far import RunSoFar
from core.evaluation.statistics import over_budget

Array = NDArray[np.float64]
T = TypeVar("T")
MOST_PAIRS = 50
"""Most pairs that one insight names."""
FLAT_STEPS = 50
"""Steps at the starting loss after which the insight is shown."""


Rule = Callable[[RunSoFar], "Insight | None"]
RULES: list[Rule] = []
"""Every rule of this module, in the order in which they are written."""


def insight_rule(rule: Rule) -> Rule:
    """Register ``rule``, so that every run is checked with it."""
    RULES.append(rule)
    return rule


@insight_rule
def not_finite(run: RunSoFar) -> Insight | None:
    """A loss, margin or gradient norm that is not a number."""
    bad = [s for s in run.steps if not all(map(math.isfinite, (s.loss, s.margin, s.grad_norm)))]
    failed = run.failed if run.failed and run.failed.kind in ("nan", "gate:non_finite") else None
    if not bad and failed is None:
        return None
    since = bad[0].step if bad else failed.step if failed else 0
    ids = [row.pair_id for s in bad for row in s.rows if not math.isfinite(row.loss)]
    return Insight(
        "not_finite",
        since,
        "A number is not finite any more",
        f"{len(bad) or 1} step(s) have a loss, margin or gradient norm that is NaN or infinite. From here on the "
        "weights may be useless.",
        "Go back to the last checkpoint, lower the learning rate, use float32, and look at the named pairs.",
        tuple(dict.fromkeys([*ids, *(failed.pair_ids if failed else ())]))[:MOST_PAIRS],
        "error",
    )


@insight_rule
def kl_over_budget(run: RunSoFar) -> Insight | None:
    """The on-policy KL lies above the budget."""
    if run.kl_budget <= 0 or not run.kls or run.kls[-1].kl <= run.kl_budget:
        return None
    last = run.kls[-1]
    since = _since(run.kls, lambda e: e.kl > run.kl_budget)
    sure = over_budget(last.kl, last.se, run.kl_budget)
    return Insight(
        "kl_over_budget",
        since.step,
        "KL is over its budget" if sure else "KL may be over its budget",
        f"The policy is {last.kl:.2f} ± {last.se:.2f} nats per response away from the reference; the budget is "
        f"{run.kl_budget:g}. " + ("" if sure else "The standard error still allows a value below it."),
        "Take an earlier checkpoint, raise beta, or lower the learning rate.",
        severity="error" if sure else "warning",
    )


@insight_rule
def chosen_falls(run: RunSoFar) -> Insight | None:
    """The chosen reward falls below 0 while the margin grows."""
    window = _window(len(run.steps))
    if len(run.steps) < 2 * window:
        return None
    chosen = rolling_mean(_column(run.steps, "reward_chosen"), window)
    margin = rolling_mean(_column(run.steps, "margin"), window)
    noise = _standard_error(_column(run.steps, "reward_chosen")[-window:])
    if not (chosen[-1] < -2 * noise and margin[-1] > max(margin[0], 0.0)):
        return None
    below = np.flatnonzero(chosen >= 0)
    start = int(below[-1]) + 1 if below.size else 0
    if chosen[-1] > chosen[start] or margin[-1] <= margin[start]:
        return None
    rows = [r for r in run.pair_rows() if r.logp_chosen < r.ref_chosen and r.margin > 0]
    rows.sort(key=lambda r: r.logp_chosen - r.ref_chosen)
    return Insight(
        "chosen_falls",
        run.steps[start + window - 1].step,
        "Chosen reward falls while the margin grows",
        f"The chosen reward is {chosen[-1]:+.3f}, the margin {margin[-1]:+.3f}. The model becomes less likely to write "
        "either response, and other text becomes more likely. This is common in DPO and not always harmful.",
        "Read the samples. Lower the learning rate, raise beta, or add a likelihood term (rpo_alpha, loss dpop).",
        _ids(rows),
    )


@insight_rule
def accuracy_one_early(run: RunSoFar) -> Insight | None:
    """The training accuracy reaches 1 before a fifth of the run."""
    window = 10
    if len(run.steps) < window or run.total_steps <= 0:
        return None
    accuracy = rolling_mean(_column(run.steps, "accuracy"), window)
    hits = np.flatnonzero(accuracy >= 0.999)
    if not hits.size:
        return None
    step = run.steps[int(hits[0]) + window - 1].step
    if step > 0.2 * run.total_steps:
        return None
    return Insight(
        "accuracy_one_early",
        step,
        "Every training pair is already ranked correctly",
        f"The accuracy is 100 % after {step} of {run.total_steps} steps. Either something simple separates the "
        "responses (length, a phrase, a refusal), or the pairs are being memorised.",
        "Compare with the held-out accuracy, check the length bias, and look for a pattern in the chosen responses.",
        _ids(sorted(run.pair_rows(), key=lambda r: -r.margin)),
    )


@insight_rule
def loss_flat(run: RunSoFar) -> Insight | None:
    """The loss stays where it starts."""
    if len(run.steps) < FLAT_STEPS:
        return None
    start = run.gate.expected_loss if run.gate else math.log(2.0)
    scale = max(abs(start), 1e-6)
    loss = _column(run.steps, "loss")
    if abs(float(loss[-FLAT_STEPS:].mean()) - start) > 0.005 * scale or not np.all(np.isfinite(loss[-FLAT_STEPS:])):
        return None
    since = _since(run.steps, lambda s: abs(s.loss - start) <= 0.05 * scale)
    still = max(s.grad_norm for s in run.steps[-FLAT_STEPS:]) == 0
    return Insight(
        "loss_flat",
        since.step,
        "The loss has not moved from its start",
        f"The last {FLAT_STEPS} steps average {loss[-FLAT_STEPS:].mean():.4f}; a policy equal to the reference has "
        f"{start:.4f}. " + ("The gradient is exactly 0." if still else "The policy has hardly changed."),
        "No gradient reaches the trained weights: check the adapter." if still else "Raise the learning rate, or beta.",
        severity="error" if still else "warning",
    )


@insight_rule
def train_dev_gap(run: RunSoFar) -> Insight | None:
    """Training pairs are ranked clearly better than held-out ones."""
    pairs = _paired_evals(run.evals)
    if not pairs or not _gap(*pairs[-1]):
        return None
    train, dev = pairs[-1]
    since = _since(pairs, lambda p: _gap(*p))[1].step
    return Insight(
        "train_dev_gap",
        since,
        "Held-out pairs do not improve with the training pairs",
        f"Accuracy is {100 * train.accuracy:.0f} % on training pairs and {100 * dev.accuracy:.0f} % on held-out ones "
        f"(95 % interval {100 * dev.accuracy_low:.0f} to {100 * dev.accuracy_high:.0f} %); the margins are "
        f"{train.margin:+.2f} and {dev.margin:+.2f}. The policy no longer generalises.",
        "Stop here or take an earlier checkpoint; fewer epochs, a higher beta or more pairs help.",
        _ids(sorted((r for r in dev.rows if r.margin < 0), key=lambda r: r.margin)),
    )


@insight_rule
def dev_loss_rises(run: RunSoFar) -> Insight | None:
    """The held-out loss is past its best in the last two probes."""
    dev = [e for e in run.evals if e.split == "dev"]
    if len(dev) < 3:
        return None
    best = min(dev, key=lambda e: e.loss)
    limit = best.loss + max(0.01, 0.02 * abs(best.loss))
    if dev[-1].loss <= limit or dev[-2].loss <= limit or dev[-2].step <= best.step:
        return None
    return Insight(
        "dev_loss_rises",
        best.step,
        "The held-out loss is past its best",
        f"It was {best.loss:.4f} at step {best.step} and is {dev[-1].loss:.4f} now, at an accuracy of "
        f"{100 * dev[-1].accuracy:.0f} %: the policy becomes more confident than correct.",
        f"Compare with the checkpoint nearest step {best.step}; raise beta or stop earlier.",
        _ids(sorted((r for r in dev[-1].rows if r.margin < 0), key=lambda r: r.margin)),
    )


@insight_rule
def truncated(run: RunSoFar) -> Insight | None:
    """More than one pair in twenty is truncated or dropped."""
    if run.tokens and run.tokens.pairs:
        cut, total = run.tokens.truncated + run.tokens.dropped, run.tokens.pairs
        ids = (run.tokens.dropped_ids + run.tokens.truncated_ids)[:MOST_PAIRS]
    else:
        cut, total = sum(s.truncated for s in run.steps), sum(s.pairs for s in run.steps)
        ids = _ids([row for s in run.steps for row in s.rows if row.truncated])
    if not total or cut / total <= 0.05:
        return None
    return Insight(
        "truncated",
        run.steps[0].step if run.steps else 0,
        f"{100 * cut / total:.0f} % of the pairs do not fit",
        f"{cut:,} of {counted(total, 'pair')} {verb(cut, 'was', 'were')} truncated or dropped at the maximum "
        "length. A truncated response does not teach "
        "where to stop.",
        "Raise max_length, or leave the long pairs out when you freeze the dataset.",
        ids,
    )


@insight_rule
def length_leak(run: RunSoFar) -> Insight | None:
    """The longer (or the shorter) response wins in most pairs."""
    rows = run.pair_rows()
    if len(rows) < 30:
        return None
    bias = length_bias(rows)
    longer, shorter = bias.longer_chosen.value, 1 - bias.longer_chosen.value
    if max(longer, shorter) <= 0.65:
        return None
    word = "longer" if longer > shorter else "shorter"
    sign = 1 if longer > shorter else -1
    ordered = sorted(rows, key=lambda r: -sign * (r.tokens_chosen - r.tokens_rejected))
    return Insight(
        "length_leak",
        0,
        f"The {word} response usually wins",
        f"The {word} response is the chosen one in {100 * max(longer, shorter):.0f} % of "
        f"{counted(len(rows), 'pair')}; the "
        f"margin's rank correlation with the length difference is {bias.spearman:+.2f}. The policy may learn length.",
        "Compare the accuracy on pairs of similar length, balance the data, or use the loss r_dpo or sigmoid_norm.",
        _ids(ordered),
        "info",
    )


@insight_rule
def few_pairs_pull(run: RunSoFar) -> Insight | None:
    """Nearly all pairs are learned, so that a few decide how the policy changes."""
    rows = run.pair_rows()
    if len(rows) < 30 or not run.steps:
        return None
    weights = gradient_weights(rows)
    if weights.saturated.value <= 0.9 and not weights.effective < 0.1:
        return None
    return Insight(
        "few_pairs_pull",
        run.steps[-1].step,
        "Only a few pairs still change the policy",
        f"{100 * weights.saturated.value:.0f} % of the pairs have a gradient weight below 0.05; the gradient is that "
        f"of {weights.effective * len(rows):.0f} equal pairs out of {len(rows)}. Such pairs are often mislabelled.",
        "Check these pairs first; further steps will mostly fit them.",
        _ids(sorted(rows, key=lambda r: -r.weight)),
        "info",
    )


def rolling_mean(values: Array, window: int) -> Array:
    """Return the means of every ``window`` values in a row, (n - window + 1,); a NaN makes its windows NaN."""
    return np.convolve(values, np.full(window, 1.0 / window), mode="valid")


def _window(steps: int) -> int:
    """Return the steps to average over: a tenth of the steps so far, 5 to 50."""
    return min(50, max(5, steps // 10))


def _column(events: Sequence[object], name: str) -> Array:
    return np.array([getattr(e, name) for e in events], dtype=np.float64)


def _standard_error(values: Array) -> float:
    return float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else 0.0


def _since(events: Sequence[T], holds: Callable[[T], bool]) -> T:
    """Return the first event from which on ``holds`` is true for all; the last event if there is none."""
    first = len(events) - 1
    while first > 0 and holds(events[first - 1]):
        first -= 1
    return events[first]


def _paired_evals(evals: Sequence[EvalDone]) -> list[tuple[EvalDone, EvalDone]]:
    """Return (train, dev) probes of the same step, by step."""
    train = {e.step: e for e in evals if e.split == "train"}
    dev = {e.step: e for e in evals if e.split == "dev"}
    return [(train[s], dev[s]) for s in sorted(train.keys() & dev.keys())]


def _gap(train: EvalDone, dev: EvalDone) -> bool:
    """Return whether the accuracies' intervals do not overlap and the margins differ likewise."""
    return train.accuracy_low > dev.accuracy_high and train.margin > dev.margin


def _ids(rows: Iterable[PairMetrics]) -> tuple[str, ...]:
    """Return the ids of the first pairs, each once."""
    return tuple(dict.fromkeys(row.pair_id for row in rows))[:MOST_PAIRS]
