"""What changed between two policies on the same items: gained, lost, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from core.domain.estimate import Estimate
from core.evaluation.measures.means import p_value, paired_difference
from core.evaluation.measures.shares import newcombe_paired


@dataclass(frozen=True, slots=True)
class Flips:
    """The 2 x 2 table of two policies that answered the same items.

    Attributes:
        both, neither: items that hold for both policies, or for none.
        gained: items that hold after and not before. lost: the reverse.
        difference: share after minus share before.
        p: two-sided p of no difference. test: its name.
    """

    both: int
    gained: int
    lost: int
    neither: int
    difference: Estimate
    p: float
    test: str


def exact_mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p of McNemar's test; 1 when nothing flipped."""
    if gained + lost == 0:
        return 1.0
    found: Any = mcnemar([[0, gained], [lost, 0]], exact=True)
    return float(found.pvalue)


def flips(
    before: ArrayLike, after: ArrayLike, groups: Sequence[Hashable] | None = None, *, level: float = 0.95
) -> Flips:
    """Return how hits changed from ``before`` to ``after``.

    Items of different prompts: exact McNemar test and Newcombe's paired interval. Where prompts have several items:
    t test and interval of the paired difference by prompt, because McNemar's test would count a prompt several times.

    Args:
        before: (n,) hits of one policy; above one half is a hit (a tie is none).
        after: (n,) hits of the other on the same items.
        groups: (n,) the prompt of each item; None when each has its own.
        level: of the interval; more than 0.95 for one of several simultaneous intervals.

    Raises:
        ValueError: when the two are not of the same length.
    """
    one, two = np.asarray(before, dtype=np.float64) > 0.5, np.asarray(after, dtype=np.float64) > 0.5
    if one.shape != two.shape:
        raise ValueError(f"{one.size} hits before, {two.size} after: they are not of the same items")
    n = int(one.size)
    both, gained, lost = int((one & two).sum()), int((~one & two).sum()), int((one & ~two).sum())
    neither = n - both - gained - lost
    if groups is not None and len(set(groups)) < n:
        found = paired_difference(two, one, groups, what="difference of shares, same items")
        p = p_value(found)
        if found.se == 0:  # every prompt counts once: how much its items depend on each other cannot be seen
            once = found.groups / n
            ends = newcombe_paired(*(count * once for count in (both, gained, lost, neither)), level=level)
            words = "difference of shares, same items; Newcombe paired, each prompt once"
            found = replace(found, low=ends[0], high=ends[1], estimator=words)
        elif level != 0.95 and found.se is not None:
            half = float(stats.t.ppf((1 + level) / 2, found.groups - 1)) * found.se
            found = replace(found, low=found.value - half, high=found.value + half)
        return Flips(both, gained, lost, neither, found, p, "t test by prompt")
    low, high = newcombe_paired(both, gained, lost, neither, level)
    words = f"difference of shares, same items; Newcombe paired {100 * level:.4g} %"
    found = Estimate((gained - lost) / n if n else float("nan"), low, high, n, "", words, groups=n)
    return Flips(both, gained, lost, neither, found, exact_mcnemar(gained, lost), "exact McNemar")
