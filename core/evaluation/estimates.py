"""Estimates of what a probe measured: proportions with Wilson intervals, means with a bootstrap by prompt.

Pairs of one prompt are not independent, so whole prompts are drawn, never single pairs. The draws have a fixed seed and
depend on nothing but the number of prompts: the same rows give the same interval to the last digit on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.domain.estimate import Estimate
from core.domain.run_events import PairMetrics
from core.evaluation.preference_metrics import column, half_credit
from core.evaluation.statistics import Z95, cluster_se, group_numbers, wilson

Array = NDArray[np.float64]

RESAMPLES = 2000
"""Draws of a bootstrap."""
MOST_DRAWN_GROUPS = 400
"""With more groups than this the interval is the normal one, from which a bootstrap no longer differs."""
_SEED = 20_240_229
_MEANS: dict[str, str] = {"margin": "nats × β", "h": "nats", "loss": "nats"}


def proportion(hits: ArrayLike, estimator: str = "share of pairs, ties one half; Wilson 95 %") -> Estimate:
    """Return the mean of ``hits``, each 0, 1/2 or 1, with its Wilson interval; NaN and (0, 1) for none."""
    x = np.asarray(hits, dtype=np.float64)
    n, count = int(x.size), float(x.sum())
    low, high = wilson(count, n)
    return Estimate(count / n if n else math.nan, low, high, n, "", estimator, groups=n)


def gap_between(ours: Estimate, theirs: Estimate) -> Estimate:
    """Return ours minus theirs of two separate groups of pairs, with the interval that both intervals give.

    Source: G. Y. Zou and A. Donner, Stat. Med. 27 (2008), the method of variance estimates recovery.
    """
    low = math.hypot(ours.value - ours.low, theirs.high - theirs.value)
    high = math.hypot(ours.high - ours.value, theirs.value - theirs.low)
    gap = ours.value - theirs.value
    return Estimate(gap, gap - low, gap + high, ours.n + theirs.n, ours.unit, "difference of two means; MOVER")


class PromptResamples:
    """The draws of a bootstrap over groups of pairs, made once for all numbers of the same pairs.

    Source: B. Efron, Ann. Statist. 7 (1979), percentile interval; drawn by cluster as in A. C. Davison and
    D. V. Hinkley, Bootstrap Methods and their Application (1997), section 3.8. With few groups it is a little too
    narrow, like every percentile interval.
    """

    def __init__(self, groups: Sequence[Hashable]) -> None:
        """Args: groups: the group (prompt) of each pair."""
        self._group = group_numbers(groups)
        self.groups = int(self._group.max()) + 1 if self._group.size else 0
        self._sizes = np.bincount(self._group, minlength=self.groups).astype(np.float64)

    def mean(self, values: ArrayLike, unit: str = "") -> Estimate:
        """Return the mean over pairs with its 95 % interval.

        The interval is NaN with fewer than two groups, and value and interval where a value is not finite.

        Args:
            values: (n,) one value a pair, in the order of the groups.
            unit: of the values.
        """
        x = np.asarray(values, dtype=np.float64)
        n = int(x.size)
        mean = math.fsum(x.tolist()) / n if n else math.nan
        words = f"mean over pairs; bootstrap 95 % by prompt, {RESAMPLES:,} draws"
        if self.groups < 2 or not math.isfinite(mean):
            return Estimate(mean, math.nan, math.nan, n, unit, "mean over pairs; no interval", groups=self.groups)
        sums = np.bincount(self._group, weights=x, minlength=self.groups).astype(np.float64)
        if self.groups > MOST_DRAWN_GROUPS:
            se = cluster_se((x - mean) / n, self._group)
            low, high = mean - Z95 * se, mean + Z95 * se
            words = "mean over pairs; ± 1.96 SE by prompt"
        else:
            counts = _draws(self.groups)
            low, high = np.percentile(counts @ sums / (counts @ self._sizes), (2.5, 97.5))
        return Estimate(mean, float(low), float(high), n, unit, words, groups=self.groups)


@lru_cache(maxsize=4)
def _draws(groups: int) -> Array:
    """Return how often each group is in each draw, (RESAMPLES, groups)."""
    rng = np.random.default_rng((_SEED, groups))
    return rng.multinomial(groups, np.full(groups, 1.0 / groups), size=RESAMPLES).astype(np.float64)


def probe_estimates(rows: Sequence[PairMetrics], resamples: PromptResamples, beta: float) -> dict[str, Estimate]:
    """Return the estimates of one probe by the name of their column in the ledger.

    Args:
        rows: the probe's pairs.
        resamples: of the same pairs, in the same order.
        beta: factor between log-ratios (nats) and rewards (nats × β).
    """
    ref = half_credit(column(rows, "ref_chosen") - column(rows, "ref_rejected"))
    found = {
        "accuracy": proportion(half_credit(column(rows, "margin"))),
        "ref_accuracy": proportion(ref, "share that the reference's log-probs rank right; Wilson 95 %"),
    }
    for name, unit in _MEANS.items():
        found[name] = resamples.mean(column(rows, name), unit)
    for side in ("chosen", "rejected"):
        moved = column(rows, f"logp_{side}") - column(rows, f"ref_{side}")
        found[f"displacement_{side}"] = resamples.mean(moved, "nats")
        found[f"reward_{side}"] = resamples.mean(beta * moved, "nats × β")
        found[f"logp_{side}"] = resamples.mean(column(rows, f"logp_{side}"), "nats")
    return found
