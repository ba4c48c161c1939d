"""Win rates, and an interval that stays valid however often it is looked at while people judge."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import betaln, xlog1py, xlogy

from core.domain.estimate import Estimate
from core.evaluation.measures.means import mean_by_prompt, p_value
from core.evaluation.measures.shares import share_by_prompt

Array = NDArray[np.float64]
PRIOR = (2.0, 2.0)
"""Of the mixture: narrow where a win rate of two policies usually lies, valid everywhere."""
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class WinRate:
    """How one policy did against another.

    Attributes:
        rate: (wins + ties / 2) / all. decisive: wins among the pairs that are no ties. ties: share of ties.
        p: exact two-sided p of a decisive win rate of one half; by prompt where prompts have several pairs.
    """

    rate: Estimate
    decisive: Estimate
    ties: Estimate
    p: float


def win_rate(scores: ArrayLike, groups: Sequence[Hashable] | None = None) -> WinRate:
    """Return the win rate of scores 1 (won), 1/2 (tie) and 0 (lost); other values are means of several judgements.

    For when the planned number has been reached; before, use :func:`confidence_sequence`.

    Args:
        scores: (n,) one a pair of answers.
        groups: (n,) the prompt of each; None when each has its own.
    """
    x = np.asarray(scores, dtype=np.float64)
    names = list(groups) if groups is not None else list(range(x.size))
    rate = mean_by_prompt(x, names, what="(wins + ties / 2) / all") if x.size else share_by_prompt(x)
    if rate.has_interval:
        low, high = max(0.0, rate.low), min(1.0, rate.high)
        rate = Estimate(rate.value, low, high, rate.n, "", rate.estimator, rate.se, rate.groups)
    settled = x != 0.5
    own = [name for name, kept in zip(names, settled, strict=True) if kept]
    wins = x[settled] > 0.5
    decisive = share_by_prompt(wins, own, "wins among pairs without ties")
    p = float(stats.binomtest(int(wins.sum()), wins.size).pvalue) if wins.size else math.nan
    if len(set(own)) < len(own):
        p = p_value(mean_by_prompt(wins, own), 0.5)
    return WinRate(rate, decisive, share_by_prompt(~settled, names, "share of ties"), p)


def rejects(p0: ArrayLike, wins: ArrayLike, losses: ArrayLike, alpha: float = 0.05) -> NDArray[np.bool_]:
    """Return whether a win rate of ``p0`` is rejected after these wins and losses, at any time of looking.

    It is when B(S + a, F + b) / B(a, b) >= p0^S (1 - p0)^F / alpha. By Ville's inequality this ever happens for the
    true rate with probability ``alpha`` at most. Source: H. Robbins, Ann. Math. Statist. 41 (1970); S. Howard et al.,
    Ann. Statist. 49 (2021).
    """
    return _evidence(np.asarray(p0, float), np.asarray(wins, float), np.asarray(losses, float)) >= -math.log(alpha)


def confidence_sequence(wins: ArrayLike, losses: ArrayLike, alpha: float = 0.05) -> tuple[Array, Array]:
    """Return both ends of the anytime-valid interval after each count of ``wins`` and ``losses``.

    Args:
        wins: how many so far, one number or (n,).
        losses: the same; ties are in neither.
        alpha: chance that the interval ever misses the true rate.
    """
    s, f = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (wins, losses))
    middle = np.divide(s, s + f, out=np.full_like(s, 0.5), where=s + f > 0)
    return _edge(s, f, np.zeros_like(s), middle, alpha), _edge(s, f, np.ones_like(s), middle, alpha)


def sequential_win_rate(outcomes: Sequence[float], alpha: float = 0.05) -> list[Estimate]:
    """Return the decisive win rate after each outcome (1 won, 1/2 tie, 0 lost) with its anytime-valid interval.

    Each interval is the intersection of all so far, which stays valid. Where the intersection does not hold the rate
    (the first judges were of another mind than the later ones), it is the one after that outcome alone, which is valid
    at any time too.
    """
    x = np.asarray(outcomes, dtype=np.float64)
    wins, losses = np.cumsum(x > 0.5), np.cumsum(x < 0.5)
    own = confidence_sequence(wins, losses, alpha)
    low, high = np.maximum.accumulate(own[0]), np.minimum.accumulate(own[1])
    decisive = wins + losses
    rate = np.divide(wins, decisive, out=np.full(x.size, 0.5), where=decisive > 0)
    holds = (low <= rate) & (rate <= high) & (low < high)
    low, high = np.where(holds, low, own[0]), np.where(holds, high, own[1])
    words = f"wins among pairs without ties; confidence sequence {100 * (1 - alpha):.4g} % (beta mixture), any time"
    return [
        Estimate(float(s / (s + f)) if s + f else math.nan, float(a), float(b), int(s + f), "", words)
        for s, f, a, b in zip(wins, losses, low, high, strict=True)
    ]


def _evidence(p: Array, wins: Array, losses: Array) -> Array:
    """Return the log of the mixture's likelihood over that of ``p``."""
    a, b = PRIOR
    return betaln(wins + a, losses + b) - betaln(a, b) - xlogy(wins, p) - xlog1py(losses, -p)


def _edge(wins: Array, losses: Array, outside: Array, inside: Array, alpha: float) -> Array:
    """Return where the evidence passes the limit between ``inside``, not rejected, and ``outside``, by halving."""
    limit = -math.log(alpha)
    free = _evidence(outside, wins, losses) < limit
    outer, inner = outside.copy(), inside.copy()
    for _ in range(_HALVINGS):
        middle = (outer + inner) / 2
        cut = _evidence(middle, wins, losses) >= limit
        outer, inner = np.where(cut, middle, outer), np.where(cut, inner, middle)
    return np.where(free, outside, outer)
