"""Metrics of a set of scored pairs: means, accuracy, rankings, gradient weights, length bias.

They are computed from the ledger's per-pair rows alone, so that every number can be computed again from a run folder
and for any subset of pairs. All means are sums over pairs divided by their number; a margin of exactly 0 counts one
half. Units: log-probs and h in nats, margins and rewards in nats * beta.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.run_events import EvalDone, PairMetrics
from core.evaluation.statistics import Z95, pearson, percentiles, spearman, wilson

Array = NDArray[np.float64]
SATURATED = 0.05
"""A pair with a gradient weight below this is learned."""
WRONG_SIDE = 0.5
"""A pair with a gradient weight above this is ranked wrongly."""


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion with its 95 % Wilson interval. ``count`` may hold halves (ties)."""

    value: float
    low: float
    high: float
    count: float
    n: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """How policy and reference rank the pairs by log-prob alone, and how the ranking changed.

    Attributes:
        margin: margin above 0 (the reward accuracy).
        policy: policy finds chosen more likely than rejected.
        reference: reference does. reference_per_token: by mean log-prob per token.
        gained, lost: pairs ranked correctly by the policy but not by the reference, and the reverse.
    """

    margin: Share
    policy: Share
    reference: Share
    reference_per_token: Share
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class GradientWeights:
    """The distribution of the gradient weights.

    Attributes:
        mean: mean gradient weight. quantiles: percent -> weight.
        effective: (sum w)^2 / sum w^2 / n in (0, 1]; 1 when all weights are equal, 1/n when only one is not 0.
        saturated: share below 0.05. wrong_side: share above 0.5.
        top_percent: share of the sum that comes from the largest 1 % of the weights (at least one).
    """

    mean: float
    quantiles: dict[float, float]
    effective: float
    saturated: Share
    wrong_side: Share
    top_percent: float


@dataclass(frozen=True, slots=True)
class LengthBias:
    """How far length alone predicts labels and margins. Differences are chosen minus rejected, in tokens.

    Attributes:
        longer_chosen: accuracy of always preferring the longer response, equal lengths counting one half.
        longer_by_margin: how often the policy's margin favours the longer one (unequal lengths only).
        pearson, spearman: correlation of margin and length difference over pairs.
        mean_difference: mean length difference.
    """

    longer_chosen: Share
    longer_by_margin: Share
    pearson: float
    spearman: float
    mean_difference: float


def column(rows: Sequence[PairMetrics], name: str) -> Array:
    """Return one field of all rows as a float64 array (n,)."""
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def share(hits: Array, z: float = Z95) -> Share:
    """Return the mean of ``hits`` (n,), each 0, 1/2 or 1, with its Wilson interval; NaN for no pairs."""
    n, count = int(hits.size), float(hits.sum())
    low, high = wilson(count, n, z)
    return Share(count / n if n else math.nan, low, high, count, n)


def half_credit(values: Array, eps: float = 0.0) -> Array:
    """Return 1 where a value is above ``eps``, 1/2 where it is within it, 0 below; NaN counts as wrong."""
    return np.where(values > eps, 1.0, np.where(np.abs(values) <= eps, 0.5, 0.0))


def accuracy(rows: Sequence[PairMetrics], eps: float = 0.0) -> Share:
    """Return the reward accuracy: share of margins above 0, ties one half."""
    return share(half_credit(column(rows, "margin"), eps))


def ranking(rows: Sequence[PairMetrics]) -> Ranking:
    """Return how policy and reference rank the pairs."""
    policy = half_credit(column(rows, "logp_chosen") - column(rows, "logp_rejected"))
    ref_chosen, ref_rejected = column(rows, "ref_chosen"), column(rows, "ref_rejected")
    reference = half_credit(ref_chosen - ref_rejected)
    tokens_chosen, tokens_rejected = (np.maximum(column(rows, f"tokens_{s}"), 1) for s in ("chosen", "rejected"))
    per_token = half_credit(ref_chosen / tokens_chosen - ref_rejected / tokens_rejected)
    return Ranking(
        accuracy(rows),
        share(policy),
        share(reference),
        share(per_token),
        gained=int(((policy > 0.5) & (reference <= 0.5)).sum()),
        lost=int(((policy <= 0.5) & (reference > 0.5)).sum()),
    )


def effective_number(weights: Array) -> float:
    """Return (Σw)² / Σw²: how many equal weights have the same noise; NaN where all are 0.

    Source: L. Kish, Survey Sampling (1965), effective sample size.

    >>> effective_number(np.array([1.0, 1.0, 0.0])), effective_number(np.array([3.0, 1.0]))
    (2.0, 1.6)
    """
    total, squares = float(weights.sum()), float(weights @ weights)
    return total * total / squares if squares > 0 else math.nan


def gradient_weights(rows: Sequence[PairMetrics]) -> GradientWeights:
    """Return the distribution of the gradient weights."""
    w = column(rows, "weight")
    total = float(w.sum())
    top = max(1, math.ceil(w.size / 100))
    strongest = float(np.sort(w)[-top:].sum()) if w.size else 0.0
    return GradientWeights(
        mean=_mean(w),
        quantiles=percentiles(w),
        effective=effective_number(w) / w.size if w.size else math.nan,
        saturated=share((w < SATURATED).astype(float)),
        wrong_side=share((w > WRONG_SIDE).astype(float)),
        top_percent=strongest / total if total > 0 else math.nan,
    )


def length_bias(rows: Sequence[PairMetrics]) -> LengthBias:
    """Return how far the length of the responses predicts labels and margins."""
    difference = column(rows, "tokens_chosen") - column(rows, "tokens_rejected")
    z = column(rows, "margin")
    uneven = difference != 0
    favours_longer = half_credit((np.sign(difference) * z)[uneven])
    return LengthBias(
        share(half_credit(difference)),
        share(favours_longer),
        pearson(z, difference),
        spearman(z, difference),
        _mean(difference),
    )


def summarise(
    rows: Sequence[PairMetrics],
    *,
    split: str,
    step: int,
    beta: float,
    kl_chosen: float | None = None,
    kl_rejected: float | None = None,
    kl_chosen_se: float | None = None,
    kl_rejected_se: float | None = None,
) -> EvalDone:
    """Return the event of one probe: means over ``rows`` and, when it was measured, the token KL.

    Args:
        rows: the probe's pairs, at least one.
        split: name of the split they are from.
        step: optimizer step after which they were scored.
        beta: factor between log-ratios (nats) and rewards (nats * beta).
        kl_chosen: mean KL(policy || reference) in nats per token on the chosen responses.
        kl_rejected: the same on the rejected responses.
        kl_chosen_se: standard error of ``kl_chosen`` over pairs.
        kl_rejected_se: the same of ``kl_rejected``.

    Raises:
        ValueError: without rows.
    """
    if not rows:
        raise ValueError("a probe without pairs has no means")
    logp_chosen, logp_rejected = _mean(column(rows, "logp_chosen")), _mean(column(rows, "logp_rejected"))
    chosen = _mean(column(rows, "logp_chosen") - column(rows, "ref_chosen"))
    rejected = _mean(column(rows, "logp_rejected") - column(rows, "ref_rejected"))
    right, order = accuracy(rows), ranking(rows)
    return EvalDone(
        step=step,
        split=split,
        pairs=len(rows),
        loss=_mean(column(rows, "loss")),
        margin=_mean(column(rows, "margin")),
        h=_mean(column(rows, "h")),
        accuracy=right.value,
        accuracy_low=right.low,
        accuracy_high=right.high,
        ref_accuracy=order.reference.value,
        reward_chosen=beta * chosen,
        reward_rejected=beta * rejected,
        logp_chosen=logp_chosen,
        logp_rejected=logp_rejected,
        displacement_chosen=chosen,
        displacement_rejected=rejected,
        kl_chosen=kl_chosen,
        kl_rejected=kl_rejected,
        kl_chosen_se=kl_chosen_se,
        kl_rejected_se=kl_rejected_se,
        rows=tuple(rows),
    )


def _mean(values: Array) -> float:
    return math.fsum(values.tolist()) / values.size if values.size else math.nan
