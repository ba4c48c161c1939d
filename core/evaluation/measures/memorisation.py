"""Whether a policy knows its training pairs by heart: gaps, membership, answers word for word."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from core.domain.estimate import Z95, Estimate
from core.evaluation.measures.means import difference_of_means
from core.evaluation.statistics import cluster_se, group_numbers


def train_gap(
    train: ArrayLike,
    held_out: ArrayLike,
    groups_train: Sequence[Hashable] | None = None,
    groups_held_out: Sequence[Hashable] | None = None,
    unit: str = "",
) -> Estimate:
    """Return the mean of a number on training pairs minus its mean on held-out pairs of the same frozen split."""
    return difference_of_means(train, held_out, groups_train, groups_held_out, unit)


def auc(above: ArrayLike, below: ArrayLike, groups: Sequence[Hashable] | None = None, what: str = "AUC") -> Estimate:
    """Return the chance that a value of ``above`` exceeds one of ``below``, ties one half, with DeLong's interval.

    Source: E. DeLong et al., Biometrics 44 (1988); by prompt, with the placements as parts. The interval is made on the
    scale of log-odds, so that it stays within (0, 1).

    Args:
        above: (n,) values.
        below: (m,) values.
        groups: (n + m,) the prompt of each value, those of ``above`` first; None when each has its own.
        what: begins the words of the estimator.
    """
    a, b = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    n, words = int(a.size + b.size), f"{what}; DeLong 95 % by prompt"
    if not a.size or not b.size:
        return Estimate(math.nan, 0.0, 1.0, n, "", words)
    ranks = stats.rankdata(np.concatenate([a, b]))
    of_a = (ranks[: a.size] - stats.rankdata(a)) / b.size
    of_b = 1 - (ranks[a.size :] - stats.rankdata(b)) / a.size
    value = float(of_a.mean())
    parts = np.concatenate([(of_a - value) / a.size, (of_b - value) / b.size])
    numbers = group_numbers(groups if groups is not None else range(n))
    se = cluster_se(parts, numbers)
    count = int(numbers.max()) + 1
    if not 0 < value < 1 or not se > 0:
        return Estimate(value, math.nan, math.nan, n, "", f"{what}; no interval", groups=count)
    odds, half = math.log(value / (1 - value)), Z95 * se / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-(odds + by))) for by in (-half, half))
    return Estimate(value, low, high, n, "", words, groups=count)


def membership_auc(
    train_losses: ArrayLike, held_out_losses: ArrayLike, groups: Sequence[Hashable] | None = None
) -> Estimate:
    """Return how well the loss alone tells a training pair (low) from a held-out one; one half is not at all."""
    train, held_out = np.asarray(train_losses, dtype=np.float64), np.asarray(held_out_losses, dtype=np.float64)
    return auc(-train, -held_out, groups, "AUC of the loss, training against held-out pairs")


def verbatim_overlap(generated: Sequence[Hashable], trained: Sequence[Hashable]) -> float:
    """Return the longest run of tokens or words that an answer shares with the trained one, over the length of that.

    Args:
        generated: tokens or words that the policy gives to the prompt, greedily.
        trained: the same of the chosen answer of that prompt.
    """
    if not trained:
        return 0.0
    run = SequenceMatcher(None, list(generated), list(trained), autojunk=False).find_longest_match()
    return run.size / len(trained)
