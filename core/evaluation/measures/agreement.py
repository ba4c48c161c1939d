"""How far people agree with each other, and whether the side on which an answer stood drew their choice."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import evalica
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from core.domain.estimate import Estimate
from core.evaluation.measures.means import bootstrap_by_prompt
from core.evaluation.measures.shares import share_by_prompt

Scale = Literal["nominal", "ordinal"]
FIRM, TENTATIVE = 0.8, 0.667
"""Limits of Krippendorff's alpha: firm above the first, tentative above the second."""
_ALPHA_DRAWS = 500


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two reviewers on the same items: share of equal verdicts, and Cohen's kappa with its interval."""

    equal: Estimate
    kappa: Estimate


def pair_agreement(first: ArrayLike, second: ArrayLike, groups: Sequence[Hashable] | None = None) -> PairAgreement:
    """Return how far two reviewers agree. Source: J. Cohen, Educ. Psychol. Meas. 20 (1960).

    Args:
        first: (n,) verdicts of one, as numbers.
        second: (n,) verdicts of the other on the same items.
        groups: (n,) the prompt of each item; None when each has its own. Kappa's interval counts items.
    """
    a, b = np.asarray(first), np.asarray(second)
    equal = share_by_prompt(a == b, groups, "share of equal verdicts")
    words, n = "Cohen's kappa; asymptotic 95 %", int(a.size)
    kinds, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    if n < 2 or kinds.size < 2:
        return PairAgreement(equal, Estimate(math.nan, math.nan, math.nan, n, "", f"{words}; all verdicts are equal"))
    table = np.zeros((kinds.size, kinds.size))
    np.add.at(table, (codes[:n], codes[n:]), 1)
    found: Any = cohens_kappa(table)
    kappa = Estimate(float(found.kappa), float(found.kappa_low), float(found.kappa_upp), n, "", words)
    return PairAgreement(equal, kappa)


def fleiss(verdicts: ArrayLike, method: Literal["fleiss", "randolph"] = "fleiss") -> float:
    """Return the kappa of several reviewers who judged every item; ``randolph`` is free of the verdicts' shares.

    Source: J. Fleiss, Psychol. Bull. 76 (1971); J. Randolph (2005).

    Args:
        verdicts: (n, reviewers) verdicts as numbers, none missing.
        method: whose.
    """
    table, _ = aggregate_raters(np.asarray(verdicts))
    return float(fleiss_kappa(table, method=method))


def krippendorff(verdicts: ArrayLike, scale: Scale = "nominal") -> Estimate:
    """Return Krippendorff's alpha with a bootstrap over items; items with fewer than two verdicts say nothing.

    Source: K. Krippendorff, Content Analysis (2018). The bootstrap draws items, because drawing pairs of verdicts gives
    intervals that are too narrow.

    Args:
        verdicts: (n, reviewers) verdicts as numbers, NaN where a reviewer did not judge.
        scale: ``ordinal`` when the numbers have an order.
    """
    table = np.asarray(verdicts, dtype=np.float64)
    usable = table[np.isfinite(table).sum(axis=1) >= 2] if table.size else np.zeros((0, 2))

    def alpha(rows: np.ndarray) -> float:
        if np.unique(rows[np.isfinite(rows)]).size < 2:
            return math.nan
        return float(evalica.alpha(pd.DataFrame(rows.T), distance=scale).alpha)

    return bootstrap_by_prompt(alpha, usable, None, "", f"Krippendorff's alpha, {scale}", draws=_ALPHA_DRAWS)


def strength_of(alpha: float) -> Literal["firm", "tentative", "weak"]:
    """Return what an alpha allows: firm conclusions, tentative ones, or adjudication first."""
    return "firm" if alpha >= FIRM else "tentative" if alpha >= TENTATIVE else "weak"


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
    p = float(stats.binomtest(int(left.sum()), left.size).pvalue) if left.size else math.nan
    return SideBias(share_by_prompt(left, groups, "share that chose the left answer"), p)
