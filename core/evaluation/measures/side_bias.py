"""Whether the side on which an answer stood drew the choice."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from core.domain.estimate import Estimate
from core.evaluation.measures.shares import share_by_prompt


@dataclass(frozen=True, slots=True)
class SideBias:
    """How often the answer on the left was chosen, and the exact p that the side does not matter."""

    left: Estimate
    p: float


def side_bias(chose_left: ArrayLike, groups: Sequence[Hashable] | None = None) -> SideBias:
    """Return whether reviewers favour a side; it means something only where sides were drawn at random.

    Args:
        chose_left: (n,) of judgements that preferred one side.
        groups: (n,) the prompt of each; None when each has its own.
    """
    left = np.asarray(chose_left, dtype=bool)
    share = share_by_prompt(left, groups, "share that chose the left answer")
    return SideBias(share, exact_p(share))


def exact_p(left: Estimate) -> float:
    """Return the exact p of a share of choices that the side does not matter; NaN without any."""
    return float(stats.binomtest(round(left.value * left.n), left.n).pvalue) if left.n else math.nan
