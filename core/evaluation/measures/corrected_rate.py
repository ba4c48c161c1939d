"""Rates of a detector corrected by an audit: what people would have found, with what the audit leaves open."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.estimate import Z95, Estimate
from core.evaluation.measures.shares import exact_share

LEAST_YOUDEN = 0.3
"""Of sensitivity + specificity - 1: with less, the correction would magnify noise more than threefold."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How a detector did on a sample that people labelled.

    Attributes:
        found, missed: positives that it flagged, and that it did not. false_alarms, cleared: the same of negatives.
    """

    found: int
    missed: int
    false_alarms: int
    cleared: int

    @classmethod
    def of(cls, flagged: ArrayLike, truth: ArrayLike) -> Audit:
        """Return the audit of what was flagged and what is true, (n,) each."""
        f, t = np.asarray(flagged, dtype=bool), np.asarray(truth, dtype=bool)
        return cls(int((f & t).sum()), int((~f & t).sum()), int((f & ~t).sum()), int((~f & ~t).sum()))

    @property
    def n(self) -> int:
        """How many were labelled."""
        return self.positives + self.negatives

    @property
    def positives(self) -> int:
        """How many are truly positive."""
        return self.found + self.missed

    @property
    def negatives(self) -> int:
        """How many are truly negative."""
        return self.false_alarms + self.cleared

    @property
    def fpr(self) -> Estimate:
        """False positive rate: flagged among the negatives."""
        return exact_share(self.false_alarms, self.negatives, "false positive rate")

    @property
    def fnr(self) -> Estimate:
        """False negative rate: not flagged among the positives."""
        return exact_share(self.missed, self.positives, "false negative rate")

    @property
    def youden(self) -> float:
        """Sensitivity + specificity - 1; NaN when one kind is missing."""
        if not self.positives or not self.negatives:
            return math.nan
        return self.found / self.positives + self.cleared / self.negatives - 1


def corrected_rate(flagged: int, n: int, audit: Audit) -> Estimate:
    """Return the true rate behind ``flagged`` of ``n`` answers of the policy that was audited.

    The value is Rogan and Gladen's (p + Sp - 1) / (Se + Sp - 1), held to [0, 1]. The interval carries the errors of p,
    Se and Sp. Sources: W. Rogan and B. Gladen, Am. J. Epidemiol. 107 (1978); Z. Lang and J. Reiczigel, Prev. Vet. Med.
    113 (2014) for the interval; Lee et al., arXiv 2511.21140.

    Args:
        flagged: answers that the detector flagged.
        n: answers that it judged.
        audit: of answers of the same policy.

    Raises:
        UserError: when the audit has no positives or no negatives, or the detector is too poor to be corrected.
    """
    _require_good(audit)
    value = _corrected(flagged / n if n else math.nan, audit.found / audit.positives, audit.cleared / audit.negatives)
    words = f"corrected by an audit of {audit.n:,} (Rogan-Gladen); Lang-Reiczigel 95 %"
    if not n:
        return Estimate(math.nan, 0.0, 1.0, 0, "", words)
    z2 = Z95**2
    p, worth = (flagged + z2 / 2) / (n + z2), n + z2
    se, positives = (audit.found + 1) / (audit.positives + 2), audit.positives + 2
    sp, negatives = (audit.cleared + 1) / (audit.negatives + 2), audit.negatives + 2
    rate = (p + sp - 1) / (se + sp - 1)
    of_se, of_sp = se * (1 - se) / positives, sp * (1 - sp) / negatives
    variance = (p * (1 - p) / worth + rate**2 * of_se + (1 - rate) ** 2 * of_sp) / (se + sp - 1) ** 2
    centre = rate + 2 * z2 * (rate * of_se - (1 - rate) * of_sp)
    half = Z95 * math.sqrt(variance)
    low, high = max(0.0, min(value, centre - half)), min(1.0, max(value, centre + half))
    return Estimate(value, low, high, n, "", words, groups=n)


def _corrected(p: float, se: float, sp: float) -> float:
    return min(1.0, max(0.0, (p + sp - 1) / (se + sp - 1)))


def _require_good(audit: Audit) -> None:
    if not audit.positives or not audit.negatives:
        kind = "positive" if not audit.positives else "negative"
        raise UserError(
            f"The audit of {counted(audit.n, 'answer')} holds no {kind} one: the rate cannot be corrected.",
            "Label more answers of this policy, from benign and from harmful prompts.",
        )
    if audit.youden < LEAST_YOUDEN:
        raise UserError(
            f"The detector is too often wrong on this policy to be corrected: sensitivity + specificity - 1 is "
            f"{audit.youden:.2f}, at least {LEAST_YOUDEN} is needed.",
            "Train the detector again with answers of this policy, or let people label all answers.",
        )
