"""Whether sigma(margin) is the probability that people prefer an answer.

Everything is in the order in which the answers were presented, A and B: with the chosen answer always first, every
label would be 1 and calibration would mean nothing.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from statsmodels.api import GLM, families
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from core.domain.estimate import Z95, Estimate
from core.evaluation.estimates import RESAMPLES, proportion
from core.evaluation.measures.means import SEED, mean_by_prompt
from core.evaluation.statistics import group_numbers

Array = NDArray[np.float64]
BINS = 10
NULL_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of a reliability diagram.

    Attributes:
        predicted: mean probability. observed: share that came true, with its Wilson interval.
        low_edge, high_edge: of the probabilities in it. members: their places.
    """

    predicted: float
    observed: Estimate
    low_edge: float
    high_edge: float
    members: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Brier:
    """The Brier score and Murphy's split of it: score = reliability - resolution + uncertainty + within.

    ``within``: what is left because the probabilities in a bin are not all equal. ``skill``: 1 - score / uncertainty.
    Source: A. Murphy, J. Appl. Meteorol. 12 (1973).
    """

    score: Estimate
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    skill: float


@dataclass(frozen=True, slots=True)
class Ece:
    """Expected calibration error, and its 95 % band when the probabilities are right (simulated labels)."""

    error: Estimate
    null_low: float
    null_high: float

    @property
    def is_miscalibrated(self) -> bool:
        """Whether the error is larger than chance explains."""
        return self.error.value > self.null_high


def in_order_shown(margins: ArrayLike, chosen_is_a: ArrayLike) -> tuple[Array, Array]:
    """Return the margin of A over B and whether A was chosen, (n,) each.

    Args:
        margins: (n,) chosen minus rejected.
        chosen_is_a: (n,) whether the chosen answer is A of the pair.
    """
    first = np.asarray(chosen_is_a, dtype=bool)
    return np.where(first, 1.0, -1.0) * np.asarray(margins, dtype=np.float64), first.astype(np.float64)


def reliability(p: ArrayLike, y: ArrayLike, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Return the bins of a reliability diagram, of equal mass; equal probabilities stay in one bin.

    Args:
        p: (n,) probabilities.
        y: (n,) labels in [0, 1]; shares of people are allowed.
        bins: most bins.
    """
    probability, label = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    edges, place = equal_mass(probability, bins)
    found = []
    for number in np.unique(place):
        own = place == number
        observed = proportion(label[own], "share that came true; Wilson 95 %")
        low, high = map(float, edges[number : number + 2])
        members = tuple(map(int, np.flatnonzero(own)))
        found.append(ReliabilityBin(float(probability[own].mean()), observed, low, high, members))
    return tuple(found)


def ece(predicted: ArrayLike, y: ArrayLike, groups: Sequence[Hashable] | None = None, bins: int = BINS) -> Ece:
    """Return the expected calibration error with its bootstrap interval and its null band.

    The error of a perfect model is above 0 in a small sample, so it is compared with the band, not with 0. For the same
    reason the error of a resample is larger than that of the sample, and no interval that assumes otherwise is right.
    The one given reaches from the sample's error less that excess to the resamples' upper end, 0 at least: it holds the
    error and is wider than 95 % needs.

    Args:
        predicted: (n,) probabilities.
        y: (n,) labels in [0, 1].
        groups: (n,) the prompt of each; None when each has its own.
        bins: most bins, of equal mass.
    """
    both = np.column_stack([np.asarray(predicted, dtype=np.float64), np.asarray(y, dtype=np.float64)])
    what = f"expected calibration error, {bins} bins of equal mass"
    if not both.size:
        return Ece(Estimate(math.nan, math.nan, math.nan, 0, "", f"{what}; no interval"), math.nan, math.nan)
    error = _with_interval(both, group_numbers(groups if groups is not None else range(len(both))), bins, what)
    _, place = equal_mass(both[:, 0], bins)
    rng, p = np.random.default_rng(SEED), both[:, 0]
    drawn = [np.abs(np.bincount(place, p - (rng.random(p.size) < p))).sum() / p.size for _ in range(NULL_DRAWS)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Ece(error, float(low), float(high))


def brier(p: ArrayLike, y: ArrayLike, groups: Sequence[Hashable] | None = None, bins: int = BINS) -> Brier:
    """Return the Brier score with its interval by prompt, and Murphy's split of it; see :class:`Brier`."""
    probability, label = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    score = mean_by_prompt((probability - label) ** 2, groups, what="Brier score, mean (p - y)²")
    if not probability.size:
        return Brier(score, math.nan, math.nan, math.nan, math.nan, math.nan)
    _, place = equal_mass(probability, bins)
    mass = np.bincount(place)
    mean_p, mean_y = (np.bincount(place, v) / np.maximum(mass, 1) for v in (probability, label))
    base, share = float(label.mean()), mass / probability.size
    reliability_, resolution = float(share @ (mean_p - mean_y) ** 2), float(share @ (mean_y - base) ** 2)
    uncertainty = float(label.var())
    within = score.value - reliability_ + resolution - uncertainty
    skill = 1 - score.value / uncertainty if uncertainty > 0 else math.nan
    return Brier(score, reliability_, resolution, uncertainty, within, skill)


def temperature(margins: ArrayLike, y: ArrayLike, groups: Sequence[Hashable] | None = None) -> Estimate:
    """Return the T that makes sigma(margin / T) fit the labels best; above 1 the policy is too sure of itself.

    Fitted on dev, by logistic regression without intercept and cluster-robust errors; dividing by T changes what a
    margin means, not which answer wins. NaN with the reason in the estimator when no T fits: the margins separate the
    labels, or say nothing about them.

    Args:
        margins: (n,) A over B.
        y: (n,) whether A was preferred, or by what share.
        groups: (n,) the prompt of each; None when each has its own.
    """
    m, label = np.asarray(margins, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n = int(m.size)
    signs = (label - 0.5) * m
    numbers = group_numbers(groups if groups is not None else range(n))
    count = int(numbers.max()) + 1 if n else 0
    if count < 3 or not (signs > 0).any():
        return Estimate(math.nan, math.nan, math.nan, n, "", "temperature; margins say nothing of the labels")
    if ((m == 0) | (label == (m > 0))).all():
        return Estimate(math.nan, math.nan, math.nan, n, "", "temperature; margins separate the labels")
    with warnings.catch_warnings():
        # Separation was looked for above; statsmodels also warns where shares are met exactly, which is no fault.
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        model = GLM(label, m[:, None], family=families.Binomial())
        fitted = model.fit(cov_type="cluster", cov_kwds={"groups": numbers})
    slope, se = float(fitted.params[0]), float(fitted.bse[0])
    if slope <= 0:
        return Estimate(math.nan, math.nan, math.nan, n, "", "temperature; margins say nothing of the labels")
    low, high = 1 / (slope + Z95 * se), 1 / (slope - Z95 * se) if slope > Z95 * se else math.inf
    return Estimate(1 / slope, low, high, n, "", "temperature, maximum likelihood; by prompt 95 %", groups=count)


def probabilities(margins: ArrayLike, t: float = 1.0) -> Array:
    """Return sigma(margin / t), (n,)."""
    return expit(np.asarray(margins, dtype=np.float64) / t)


def equal_mass(p: Array, bins: int) -> tuple[Array, NDArray[np.intp]]:
    """Return the edges of bins of equal mass and the bin of each probability; edges that coincide are one."""
    if not p.size:
        return np.array([0.0, 1.0]), np.zeros(0, dtype=np.intp)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)))
    return np.append(edges, edges[-1]) if edges.size < 2 else edges, np.searchsorted(edges[1:-1], p)


def _with_interval(both: Array, numbers: NDArray[np.intp], bins: int, what: str) -> Estimate:
    """Return the error of (n, 2) probabilities and labels; whole prompts are drawn."""
    value, count = _error(both[:, 0], both[:, 1], bins), int(numbers.max()) + 1
    if count < 3:
        return Estimate(value, math.nan, math.nan, len(both), "", f"{what}; no interval", groups=count)
    members = [np.flatnonzero(numbers == group) for group in range(count)]
    rng, drawn = np.random.default_rng(SEED), np.empty(RESAMPLES)
    for n in range(RESAMPLES):
        rows = both[np.concatenate([members[group] for group in rng.integers(0, count, count)])]
        drawn[n] = _error(rows[:, 0], rows[:, 1], bins)
    upper = max(value, float(np.percentile(drawn, 97.5)))
    words = f"{what}; conservative bootstrap 95 % by prompt, {RESAMPLES:,} draws"
    return Estimate(value, max(0.0, 2 * value - upper), upper, len(both), "", words, groups=count)


def _error(p: Array, y: Array, bins: int) -> float:
    _, place = equal_mass(p, bins)
    return float(np.abs(np.bincount(place, p - y)).sum() / p.size)
