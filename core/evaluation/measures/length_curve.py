"""The win rate over the difference of lengths: the fitted curve that the length-controlled rate is a point of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from core.domain.estimate import Estimate
from core.domain.length_curve import LengthCurve, LengthPoint
from core.evaluation.measures.calibration import equal_mass
from core.evaluation.measures.length import LengthFit, fit_length
from core.evaluation.measures.shares import share_by_prompt

POINTS, MOST_BINS, LEAST_IN_BIN = 41, 8, 5
CURVE_WORDS = "win rate at this difference of lengths (logistic, tanh of the difference / sd); by prompt 95 %"
BIN_WORDS = "(wins + ties / 2) / all of a bin of equal mass"


def length_curve(
    scores: ArrayLike, differences: ArrayLike, groups: Sequence[Hashable] | None = None
) -> LengthCurve | None:
    """Return the curve of :func:`core.evaluation.measures.length.length_controlled`; None where it is not identified.

    Args:
        scores: (n,) 1 won, 1/2 tie, 0 lost, of the first arm.
        differences: (n,) tokens of its answer minus those of the other.
        groups: (n,) the prompt of each; None when each has its own.
    """
    y, d = np.asarray(scores, dtype=np.float64), np.asarray(differences, dtype=np.float64)
    fit = fit_length(y, d, groups)
    if fit is None or not fit.is_identified:
        return None
    places = np.linspace(float(d.min()), float(d.max()), POINTS)
    curve = tuple(LengthPoint(float(x), _at(fit, float(x), int(y.size))) for x in places)
    _, place = equal_mass(d, max(1, min(MOST_BINS, y.size // LEAST_IN_BIN)))
    bins = []
    for number in np.unique(place):
        inside = place == number
        prompts = None if groups is None else [g for g, is_in in zip(groups, inside, strict=True) if is_in]
        bins.append(LengthPoint(float(d[inside].mean()), share_by_prompt(y[inside], prompts, BIN_WORDS)))
    return LengthCurve(curve, tuple(bins))


def _at(fit: LengthFit, tokens: float, n: int) -> Estimate:
    low, value, high = (float(expit(end)) for end in fit.log_odds(tokens))
    return Estimate(value, low, high, n, "", CURVE_WORDS, groups=fit.prompts)
