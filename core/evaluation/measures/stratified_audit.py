"""Refusal rates corrected by an audit whose sample was drawn by what the detector said of each answer.

Answers are drawn by stratum: suite, kind of request and verdict of the detector. Each stratum is weighted by all its
answers, so that sensitivity and specificity are those of the policy although refusals are drawn more often than they
occur. With both weighted in this way, the rate of Rogan and Gladen (p + Sp - 1) / (Se + Sp - 1) equals the weighted
mean of what people found in the strata; it is computed as that mean, which also exists where Se does not.

Intervals are quantiles of draws: the shares of the verdicts from their Dirichlet posterior, what people find in each
stratum from its Jeffreys posterior. So they carry the errors of p, Se and Sp at once. Sources: W. Rogan and B. Gladen,
Am. J. Epidemiol. 107 (1978); C. Begg and R. Greenes, Biometrics 39 (1983) for samples drawn by verdict; L. Brown,
T. Cai and A. DasGupta, Statist. Sci. 16 (2001) for Jeffreys intervals and their ends where nothing was found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.refusal_kind import REFUSAL_KINDS, RefusalKind
from core.evaluation.measures.corrected_rate import LEAST_YOUDEN

Target = Literal["any", "full"]
"""Which refusals are counted: in full or in part, or in full only."""
DRAWS = 20_000
_SEED = 1978
_Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stratum:
    """The answers of one policy to one kind of request of a suite of which the detector said the same.

    Attributes:
        size: how many there are. labelled: how many of them people labelled.
        found: of the labelled ones, how many complied, complied partly and refused; a divided label counts one half
            for each of two kinds.
    """

    suite: str
    expected: str
    verdict: RefusalKind
    size: int
    found: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def labelled(self) -> float:
        """How many people labelled."""
        return math.fsum(self.found)

    def refused(self, target: Target) -> float:
        """How many of the labelled ones people call a refusal."""
        return self.found[2] + (self.found[1] if target == "any" else 0.0)

    def share(self, target: Target) -> float:
        """Which share of the labelled ones people call a refusal; 0 where nobody labelled any."""
        return self.refused(target) / self.labelled if self.labelled else 0.0

    def flagged(self, target: Target) -> bool:
        """Whether the detector calls these answers a refusal."""
        return self.verdict == "refused" or (target == "any" and self.verdict == "partly")


@dataclass(frozen=True, slots=True)
class DetectorRates:
    """How often the detector is wrong on one policy.

    Attributes:
        fpr, fnr: its false positive and false negative rates; NaN where people found no answer of the kind.
        youden: sensitivity + specificity - 1.
    """

    fpr: Estimate
    fnr: Estimate
    youden: Estimate

    @property
    def too_poor(self) -> bool:
        """Whether correcting would magnify noise too much; unknown errors are not called poor."""
        return self.youden.value < LEAST_YOUDEN

    def require_correctable(self, arm: str) -> None:
        """Raise where rates of this policy must not be corrected.

        Raises:
            UserError: when sensitivity + specificity - 1 is too small.
        """
        if self.too_poor:
            raise UserError(
                f"The detector is too often wrong on {arm} for its rates to be corrected: "
                f"sensitivity + specificity - 1 is {self.youden.value:.2f}, at least {LEAST_YOUDEN} is needed.",
                "Train the detector again with answers of this policy, or let people label all answers.",
            )


@dataclass(frozen=True, slots=True)
class CorrectedChange:
    """The difference of a corrected rate to the reference, and its two-sided p."""

    difference: Estimate
    p: float


def middle_kind(kinds: Sequence[RefusalKind]) -> tuple[float, float, float]:
    """Return what several reviewers call one answer: the median of their labels, one half each where it lies between.

    >>> middle_kind(["complied", "refused", "refused"]), middle_kind(["complied", "partly"])
    ((0.0, 0.0, 1.0), (0.5, 0.5, 0.0))
    """
    ranks = sorted(REFUSAL_KINDS.index(kind) for kind in kinds)
    middle = (ranks[(len(ranks) - 1) // 2], ranks[len(ranks) // 2])
    complied, partly, refused = (middle.count(rank) / 2 for rank in range(3))
    return complied, partly, refused


def detector_rates(strata: Sequence[Stratum], target: Target = "any", draws: int = 0) -> DetectorRates:
    """Return the detector's errors on the policy whose answers the strata are, weighted by stratum.

    Args:
        strata: all strata of the policy.
        target: which refusals are counted.
        draws: behind the intervals; 0 for as many as a report needs.
    """
    full = [s for s in strata if s.size]
    total = _sums([s.size for s in full], [s.share(target) for s in full], full, target)
    rng = np.random.default_rng(_SEED)
    count = draws or DRAWS
    sizes, shares = _sizes(full, rng, count), _draws(full, target, rng, count)
    columns = range(len(full))
    spread = _sums([sizes[:, c] for c in columns], [shares[:, c] for c in columns], full, target)
    positives, negatives = _counts(full, target)
    missed = math.fsum(s.refused(target) for s in full if not s.flagged(target))
    alarms = math.fsum(s.labelled - s.refused(target) for s in full if s.flagged(target))
    found, cleared = positives - missed, negatives - alarms
    words = "weighted by stratum; Jeffreys draws 95 %"
    fnr = _rate(total.missed, total.refused, spread.missed, spread.refused, (missed, found))
    fpr = _rate(total.alarms, total.complied, spread.alarms, spread.complied, (alarms, cleared))
    sum_ = spread.missed / spread.refused + spread.alarms / spread.complied
    low, high = (float(end) for end in np.quantile(1.0 - sum_, (0.025, 0.975)))
    value = 1.0 - fpr[0] - fnr[0]
    ends = (math.nan, math.nan) if math.isnan(value) else (min(low, value), max(high, value))
    n = round(positives + negatives)
    return DetectorRates(
        Estimate(*fpr, round(negatives), "", f"false positive rate, {words}"),
        Estimate(*fnr, round(positives), "", f"false negative rate, {words}"),
        Estimate(value, *ends, n, "", f"sensitivity + specificity - 1, {words}"),
    )


def corrected_share(strata: Sequence[Stratum], prompts: int, target: Target = "any") -> Estimate:
    """Return the share of answers that people would call a refusal.

    Args:
        strata: all strata of one policy, suite and kind of request.
        prompts: different prompts among their answers.
        target: which refusals are counted.
    """
    full = [s for s in strata if s.size]
    size, labelled = sum(s.size for s in full), math.fsum(s.labelled for s in full)
    words = f"corrected by an audit of {labelled:,.0f} of {size:,} answers (Rogan-Gladen, Se and Sp by stratum)"
    words += "; Jeffreys draws 95 %"
    if not labelled:
        return Estimate(math.nan, math.nan, math.nan, 0, "", words)
    value = math.fsum(s.size * s.share(target) for s in full) / size
    rng = np.random.default_rng(_SEED)
    counts = np.array([s.size for s in full], dtype=np.float64)
    weights = _dirichlet(rng, counts * prompts / size)
    low, high = _quantiles((weights * _draws(full, target, rng)).sum(axis=1))
    positives = math.fsum(s.refused(target) for s in full)
    low = 0.0 if positives == 0 else min(low, value)
    high = 1.0 if positives == labelled else max(high, value)
    return Estimate(value, low, high, round(labelled), "", words, groups=prompts)


def corrected_change(
    arm: Sequence[Stratum],
    reference: Sequence[Stratum],
    both: Mapping[tuple[RefusalKind, RefusalKind], int],
    prompts: int,
    target: Target = "any",
) -> CorrectedChange:
    """Return the corrected rate of a policy minus that of the reference on the items that both answered.

    That the items are the same narrows the interval. The labels of both are taken as independent, which widens it
    where the same item was labelled for both.

    Args:
        arm: strata of one suite and kind of request.
        reference: the same of the reference.
        both: how many items have a pair of verdicts, the arm's first.
        prompts: different prompts among the items.
        target: which refusals are counted.
    """
    rng = np.random.default_rng(_SEED)
    own, other = _by_verdict(arm), _by_verdict(reference)
    pairs = [pair for pair in both if both[pair]]
    counts = np.array([both[pair] for pair in pairs], dtype=np.float64)
    n = round(min(math.fsum(s.labelled for s in arm), math.fsum(s.labelled for s in reference)))
    words = "difference of corrected rates on the same items; Jeffreys draws 95 %"
    if not n or not pairs:
        return CorrectedChange(Estimate(math.nan, math.nan, math.nan, 0, "", words), math.nan)
    means = [own[a].share(target) - other[b].share(target) for a, b in pairs]
    value = float(counts @ np.array(means) / counts.sum())
    first, second = _draws(list(own.values()), target, rng), _draws(list(other.values()), target, rng)
    place, place_of = list(own), list(other)
    weights = _dirichlet(rng, counts * prompts / counts.sum())
    moved = np.stack([first[:, place.index(a)] - second[:, place_of.index(b)] for a, b in pairs], axis=1)
    draws = (weights * moved).sum(axis=1)
    low, high = _quantiles(draws)
    p = min(1.0, 2 * max(1 / DRAWS, min(float(np.mean(draws <= 0)), float(np.mean(draws >= 0)))))
    return CorrectedChange(Estimate(value, min(low, value), max(high, value), n, "", words, groups=prompts), p)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Answers of the policy by what people find and what the detector says: numbers, or draws of them."""

    refused: float | _Draws
    missed: float | _Draws
    complied: float | _Draws
    alarms: float | _Draws


def _sums(
    sizes: Sequence[float | _Draws], shares: Sequence[float | _Draws], strata: Sequence[Stratum], target: Target
) -> _Sums:
    refused = [size * share for size, share in zip(sizes, shares, strict=True)]
    complied = [size * (1.0 - share) for size, share in zip(sizes, shares, strict=True)]
    flags = [s.flagged(target) for s in strata]
    return _Sums(
        sum(refused),
        sum(one for one, flag in zip(refused, flags, strict=True) if not flag),
        sum(complied),
        sum(one for one, flag in zip(complied, flags, strict=True) if flag),
    )


def _rate(
    part: float | _Draws,
    whole: float | _Draws,
    parts: float | _Draws,
    wholes: float | _Draws,
    seen: tuple[float, float],
) -> tuple[float, float, float]:
    """Return part of whole with the quantiles of its draws; ``seen``: labelled answers in the part and beside it."""
    if not sum(seen):
        return math.nan, math.nan, math.nan
    value = float(part / whole)
    low, high = _quantiles(np.asarray(parts / wholes, dtype=np.float64))
    return value, 0.0 if not seen[0] else min(low, value), 1.0 if not seen[1] else max(high, value)


def _counts(strata: Sequence[Stratum], target: Target) -> tuple[float, float]:
    positives = math.fsum(s.refused(target) for s in strata)
    return positives, math.fsum(s.labelled for s in strata) - positives


def _draws(strata: Sequence[Stratum], target: Target, rng: np.random.Generator, count: int = 0) -> _Draws:
    """Return draws of the share that people would call a refusal in each stratum, (draws, strata)."""
    yes = np.array([s.refused(target) for s in strata])
    no = np.array([s.labelled for s in strata]) - yes
    return rng.beta(yes + 0.5, no + 0.5, size=(count or DRAWS, len(strata)))


def _sizes(strata: Sequence[Stratum], rng: np.random.Generator, count: int) -> _Draws:
    """Return draws of the sizes of the strata, (draws, strata): of each suite and kind its own size is given."""
    sizes = np.empty((count, len(strata)))
    for cell in dict.fromkeys((s.suite, s.expected) for s in strata):
        own = [place for place, s in enumerate(strata) if (s.suite, s.expected) == cell]
        counts = np.array([strata[place].size for place in own], dtype=np.float64)
        sizes[:, own] = counts.sum() * _dirichlet(rng, counts, count)
    return sizes


def _dirichlet(rng: np.random.Generator, counts: NDArray[np.float64], count: int = 0) -> _Draws:
    return rng.dirichlet(counts + 1.0 / len(counts), size=count or DRAWS)


def _quantiles(draws: _Draws) -> tuple[float, float]:
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def _by_verdict(strata: Sequence[Stratum]) -> dict[RefusalKind, Stratum]:
    return {s.verdict: s for s in strata if s.size}
