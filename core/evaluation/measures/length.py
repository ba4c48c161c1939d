"""How much longer answers became, and the win rate that would be left between answers of equal length."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import expit
from statsmodels.api import GLM, families

from core.domain.estimate import Estimate
from core.evaluation.measures.means import Array, bootstrap_of_sums, mean_by_prompt, paired_difference
from core.evaluation.statistics import group_numbers

LARGE_GAP = 0.1
"""Of raw and length-controlled win rate."""
FEW = 50
_STEEPEST = 8.0
"""Of the length term: beyond it length decides nearly every pair and the rest cannot be told apart from it."""


@dataclass(frozen=True, slots=True)
class LengthShift:
    """How the length of answers to the same prompts changed.

    Attributes:
        difference: aligned minus reference, in tokens. ratio: of the mean lengths, aligned / reference.
    """

    difference: Estimate
    ratio: Estimate


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """Win rate, raw and at equal length.

    Attributes:
        slope: of tanh(difference of lengths / its standard deviation), in log-odds; above 0 longer answers win.
        warnings: why the controlled number should be read with care; empty when nothing is known against it.
    """

    raw: Estimate
    controlled: Estimate
    slope: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LengthFit:
    """log-odds of winning = intercept + slope * tanh(difference / spread), with the covariance of both by prompt."""

    intercept: float
    slope: float
    covariance: Array
    spread: float
    prompts: int

    @property
    def is_identified(self) -> bool:
        """Whether length leaves enough to chance to be told apart from what else matters."""
        return abs(self.slope) <= _STEEPEST

    def log_odds(self, tokens: float) -> tuple[float, float, float]:
        """Return low end, value and high end at a difference of lengths (delta method, t by prompt, 95 %)."""
        row = np.array([1.0, math.tanh(tokens / self.spread)])
        value = float(row @ (self.intercept, self.slope))
        half = float(stats.t.ppf(0.975, max(1, self.prompts - 1))) * math.sqrt(float(row @ self.covariance @ row))
        return value - half, value, value + half


def length_shift(aligned: ArrayLike, reference: ArrayLike, groups: Sequence[Hashable] | None = None) -> LengthShift:
    """Return how much longer the aligned answers are than the reference's to the same prompts, in tokens."""
    both = np.column_stack([np.asarray(aligned, dtype=np.float64), np.asarray(reference, dtype=np.float64)])
    difference = paired_difference(both[:, 0], both[:, 1], groups, "tokens", "mean paired difference of lengths")
    ratio = bootstrap_of_sums(_ratio, both, groups, "", "mean length, aligned / reference")
    return LengthShift(difference, ratio)


def length_controlled(
    scores: ArrayLike,
    differences: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    what: str = "win rate",
) -> LengthControlled:
    """Return the win rate that a logistic model expects between answers of equal length.

    log-odds of winning = intercept + slope * tanh(difference / sd); the controlled rate is sigma(intercept). Source:
    Y. Dubois et al., arXiv 2404.04475, in its minimal form, without the difficulty of prompts; interval by prompt.

    Args:
        scores: (n,) 1 won, 1/2 tie, 0 lost, of the aligned policy.
        differences: (n,) length of the aligned answer minus that of the other.
        groups: (n,) the prompt of each; None when each has its own.
        what: begins the words of the estimator.
    """
    y, d = np.asarray(scores, dtype=np.float64), np.asarray(differences, dtype=np.float64)
    raw = mean_by_prompt(y, groups, what="(wins + ties / 2) / all")
    spread = float(d.std()) if d.size else 0.0
    if y.size < 3 or spread == 0 or float(y.std()) == 0:
        why = "All answers are equally long." if spread == 0 else "All pairs ended alike."
        return LengthControlled(
            raw, _unknown(int(y.size), what), math.nan, (why + " Length cannot be controlled for.",)
        )
    fit = fit_length(y, d, groups)
    assert fit is not None
    if not fit.is_identified:
        why = "Length decides nearly every pair: what else matters cannot be told apart from it."
        return LengthControlled(raw, _unknown(int(y.size), what), fit.slope, (why,))
    low, value, high = (float(expit(end)) for end in fit.log_odds(0.0))
    words = f"{what} at equal length (logistic, tanh of the difference); by prompt 95 %"
    controlled = Estimate(value, low, high, int(y.size), "", words, groups=fit.prompts)
    return LengthControlled(raw, controlled, fit.slope, tuple(_cautions(raw.value, value, fit.prompts)))


def fit_length(scores: Array, differences: Array, groups: Sequence[Hashable] | None = None) -> LengthFit | None:
    """Return the fit of the model of :func:`length_controlled`; None where all lengths or all outcomes are equal."""
    spread = float(differences.std()) if differences.size else 0.0
    if scores.size < 3 or spread == 0 or float(scores.std()) == 0:
        return None
    numbers = group_numbers(groups if groups is not None else range(scores.size))
    table = np.column_stack([np.ones(scores.size), np.tanh(differences / spread)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of perfect separation: the slope tells it
        fitted = GLM(scores, table, family=families.Binomial()).fit(cov_type="cluster", cov_kwds={"groups": numbers})
    intercept, slope = map(float, fitted.params)
    return LengthFit(intercept, slope, np.asarray(fitted.cov_params()), spread, int(numbers.max()) + 1)


def _ratio(sums: Array) -> Array:
    return np.where(sums[..., 1] > 0, sums[..., 0] / np.where(sums[..., 1] > 0, sums[..., 1], 1.0), np.nan)


def _unknown(n: int, what: str) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, n, "", f"{what} at equal length; not identified")


def _cautions(raw: float, controlled: float, prompts: int) -> list[str]:
    found = []
    if abs(raw - controlled) > LARGE_GAP:
        found.append(f"Raw {raw:.0%} and length-controlled {controlled:.0%} lie far apart: length explains much of it.")
    if (raw - 0.5) * (controlled - 0.5) < 0:
        found.append("Raw and length-controlled win rate are on different sides of one half.")
    if prompts < FEW:
        found.append(f"With fewer than {FEW} prompts the length term is uncertain.")
    return found
