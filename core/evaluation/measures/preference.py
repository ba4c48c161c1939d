"""Preference accuracy where people also say tie, what people themselves reach, and what tuning changed of the order."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.domain.estimate import Estimate
from core.domain.run_events import PairMetrics
from core.evaluation.measures.flips import Flips, flips
from core.evaluation.measures.means import mean_by_prompt
from core.evaluation.measures.shares import share_by_prompt
from core.evaluation.preference_metrics import column, half_credit


def accuracy_by_prompt(margins: ArrayLike, groups: Sequence[Hashable] | None = None, eps: float = 0.0) -> Estimate:
    """Return the share of decisive pairs whose margin is above ``eps``; within it counts one half.

    Args:
        margins: (n,) chosen minus rejected, of pairs that people did not call a tie.
        groups: (n,) the prompt of each; None when each has its own.
        eps: of :func:`tie_threshold`, found on dev; 0 for exact ties alone.
    """
    hits = half_credit(np.asarray(margins, dtype=np.float64), eps)
    return share_by_prompt(hits, groups, f"share of margins above {eps:g}, ties one half")


def tie_threshold(margins: ArrayLike, is_tie: ArrayLike) -> float:
    """Return the eps at which most pairs of dev agree with people: 0 or one of the margins; the smallest of equals.

    Never call it on a test split. Source: D. Deutsch et al., arXiv 2305.14324 (tie calibration).

    Args:
        margins: (n,) chosen minus rejected; the order does not matter for a tie.
        is_tie: (n,) whether people called the two equally good.
    """
    m, tie = np.asarray(margins, dtype=np.float64), np.asarray(is_tie, dtype=bool)
    candidates = np.unique(np.concatenate([[0.0], np.abs(m)]))
    right = np.sort(m[~tie & (m > 0)])
    equal = np.sort(np.abs(m[tie]))
    agreed = (right.size - np.searchsorted(right, candidates, "right")) + np.searchsorted(equal, candidates, "right")
    return float(candidates[int(np.argmax(agreed))])


def accuracy_with_ties(
    margins: ArrayLike, is_tie: ArrayLike, eps: float, groups: Sequence[Hashable] | None = None
) -> Estimate:
    """Return the share of pairs on which model and people say the same of three: chosen, tie, rejected.

    The model says tie where a margin is within ``eps``, which comes from dev.
    """
    m, tie = np.asarray(margins, dtype=np.float64), np.asarray(is_tie, dtype=bool)
    agreed = np.where(tie, np.abs(m) <= eps, m > eps)
    return share_by_prompt(agreed, groups, f"share that agrees with people, ties within {eps:g} included")


def human_ceiling(counts: ArrayLike, groups: Sequence[Hashable] | None = None) -> Estimate:
    """Return the accuracy that the best possible model reaches against one label of one person.

    It is the mean over pairs of the largest share that a verdict got. With a single label a pair it says nothing: such
    pairs are left out.

    Args:
        counts: (n, verdicts) how many people gave each verdict.
        groups: (n,) the prompt of each pair; None when each has its own.
    """
    given = np.asarray(counts, dtype=np.float64)
    several = given.sum(axis=1) >= 2 if given.size else np.zeros(0, dtype=bool)
    shares = given[several].max(axis=1) / given[several].sum(axis=1) if several.any() else np.zeros(0)
    own = list(groups) if groups is not None else list(range(len(several)))
    kept = [name for name, keep in zip(own, several, strict=True) if keep]
    return mean_by_prompt(shares, kept, what="expected agreement with one label, pairs with two labels or more")


def ranking_flips(rows: Sequence[PairMetrics], groups: Sequence[Hashable] | None = None) -> Flips:
    """Return which pairs the policy's log-probs rank right and the reference's do not, and the reverse.

    Source: A. Chen et al., arXiv 2405.19534: tuning rarely turns the reference's order around.
    """
    before = half_credit(column(rows, "ref_chosen") - column(rows, "ref_rejected"))
    after = half_credit(column(rows, "logp_chosen") - column(rows, "logp_rejected"))
    return flips(before, after, groups)


def majority(counts: ArrayLike) -> list[int]:
    """Return the verdict with most labels of each pair, (n,); -1 where two share the first place."""
    given = np.asarray(counts, dtype=np.float64)
    best = given.max(axis=1, keepdims=True) if given.size else np.zeros((0, 1))
    alone = (given == best).sum(axis=1) == 1
    return [int(v) if a else -1 for v, a in zip(given.argmax(axis=1), alone, strict=True)] if given.size else []


def longer_preferred(chosen: ArrayLike, rejected: ArrayLike, groups: Sequence[Hashable] | None = None) -> Estimate:
    """Return how often the longer answer was chosen, among pairs of unequal length, in any unit of length."""
    difference = np.asarray(chosen, dtype=np.float64) - np.asarray(rejected, dtype=np.float64)
    uneven = difference != 0
    own = list(groups) if groups is not None else list(range(difference.size))
    kept = [name for name, keep in zip(own, uneven, strict=True) if keep]
    if not kept:
        return Estimate(math.nan, 0.0, 1.0, 0, "", "share of pairs whose longer answer was chosen")
    return share_by_prompt(difference[uneven] > 0, kept, "share of pairs whose longer answer was chosen")
