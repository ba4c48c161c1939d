"""Tests of whether probabilities are right, without bins. Both are of labels 0 and 1 that depend on nothing else."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

_TERMS = 100
"""Terms of the series of a Brownian path; with fewer its smallest values would be wrong."""


@dataclass(frozen=True, slots=True)
class CalibrationTest:
    """One test: its statistic and its two-sided p; n labels that are 0 or 1."""

    name: str
    statistic: float
    p: float
    n: int

    def to_plain(self) -> dict[str, object]:
        """Return plain values; None for what is no number."""
        plain = asdict(self)
        return {key: None if isinstance(one, float) and not math.isfinite(one) else one for key, one in plain.items()}


def spiegelhalter(p: ArrayLike, y: ArrayLike) -> CalibrationTest:
    """Return Spiegelhalter's test: z = Σ (y - p)(1 - 2p) / sqrt(Σ (1 - 2p)² p (1 - p)), normal where p is right.

    It does not depend on which answer is called A. It says nothing (NaN) where every probability is 0, 1/2 or 1, and
    nothing of labels that are shares, which are left out.
    Source: D. Spiegelhalter, Statistics in Medicine 5 (1986) 421.

    Args:
        p: (n,) probabilities.
        y: (n,) labels.
    """
    probability, label = _decided(p, y)
    spread = float(((1 - 2 * probability) ** 2 * probability * (1 - probability)).sum())
    if spread <= 0:
        return CalibrationTest("Spiegelhalter", math.nan, math.nan, int(label.size))
    z = float(((label - probability) * (1 - 2 * probability)).sum()) / math.sqrt(spread)
    return CalibrationTest("Spiegelhalter", z, float(2 * stats.norm.sf(abs(z))), int(label.size))


def kolmogorov_smirnov(p: ArrayLike, y: ArrayLike) -> CalibrationTest:
    """Return the test of the largest cumulative difference of labels and probabilities, in the order of these.

    The differences in units of sqrt(Σ p (1 - p)) move like a Brownian path where p is right. Equal probabilities are
    taken together, so that the order of the pairs does not matter.
    Source: I. Arrieta-Ibarra et al., Metrics of calibration for probabilistic predictions, JMLR 23 (2022).

    Args:
        p: (n,) probabilities.
        y: (n,) labels; shares are left out.
    """
    probability, label = _decided(p, y)
    scale = math.sqrt(float((probability * (1 - probability)).sum()))
    if scale <= 0:
        return CalibrationTest("Kolmogorov-Smirnov", math.nan, math.nan, int(label.size))
    order = np.argsort(probability, kind="stable")
    ordered = probability[order]
    path = np.cumsum(label[order] - ordered)
    ends = np.append(ordered[1:] != ordered[:-1], True)
    largest = float(np.abs(path[ends]).max()) / scale
    return CalibrationTest("Kolmogorov-Smirnov", largest, 1 - _path_stays_within(largest), int(label.size))


def _path_stays_within(limit: float) -> float:
    """Return the probability that a Brownian path of length 1 stays within ± limit (W. Feller II, X.5)."""
    if limit <= 0:
        return 0.0
    k = np.arange(_TERMS)
    odd = 2 * k + 1
    found = 4 / math.pi * float(((-1.0) ** k / odd * np.exp(-(odd**2) * math.pi**2 / (8 * limit**2))).sum())
    return min(1.0, max(0.0, found))


def _decided(p: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    probability, label = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    kept = (label == 0) | (label == 1)
    return probability[kept], label[kept]
