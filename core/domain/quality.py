"""The quality of labelling: agreement by group, figures of a reviewer, and what became of every pair."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain

AGREEMENT_MEASURES = {
    "alpha_nominal": "Krippendorff's alpha of the side",
    "alpha_ordinal": "Krippendorff's alpha of the strength",
    "percent": "Equal verdicts",
    "kappa": "Kappa",
    "ac2": "Gwet's AC2",
}
"""Keys of :class:`Agreement` in the order in which they are shown, with their names for people."""

REVIEWER_MEASURES = {
    "seconds": "Seconds a label (median)",
    "gold": "Right on gold items",
    "retest_same": "Retests alike, sides as before",
    "retest_swapped": "Retests alike, sides swapped",
    "left": "Chose the left side",
    "ties": "Ties",
    "amended": "Amended later",
    "changed": "Changed mind before saving",
    "fast": "Faster than reading (a hint)",
    "strong": "Strength 3",
    "length": "Pull of the longer answer",
    "format": "Pull of the more formatted answer",
    "drift": "Change on gold items",
    "skill": "Dawid-Skene skill",
}
"""Keys of :attr:`ReviewerQuality.measures` with their names for people."""


FIRM, TENTATIVE = 0.8, 0.667
"""Limits of Krippendorff's alpha: firm above the first, tentative above the second."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the reviewers of one group of labels agree.

    Attributes:
        measures: key of ``AGREEMENT_MEASURES`` -> estimate; n counts items with two labels or more.
        split: share of these items on which not all labels name the same side.
        labels: how many labels the group has.
    """

    measures: dict[str, Estimate]
    split: Estimate
    labels: int

    @property
    def items(self) -> int:
        """How many items have two labels or more."""
        return self.measures["percent"].n

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        found = {key: plain(estimate) for key, estimate in self.measures.items()}
        return {**found, "split": plain(self.split), "labels": self.labels, "items": self.items}


@dataclass(frozen=True, slots=True)
class ReviewerQuality:
    """What is known of one reviewer's work.

    Attributes:
        labels: how many labels count.
        share: of all labels that count.
        strengths: strength 1 to 3, "tie" and "neither" -> how often it was used.
        measures: key of ``REVIEWER_MEASURES`` -> estimate; a key is missing where the measure has no meaning, for
            example the side for imported labels.
        pairs: key -> pairs on which the number rests, newest first, at most a few hundred.
    """

    reviewer_id: int
    name: str
    kind: str
    labels: int
    share: float
    strengths: dict[str, int]
    measures: dict[str, Estimate]
    pairs: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "kind": self.kind,
            "labels": self.labels,
            "share": round(self.share, 6),
            "strengths": self.strengths,
            **{key: plain(estimate) for key, estimate in self.measures.items()},
        }


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Agreement by group and the reviewers' figures.

    Attributes:
        everything: agreement over all labels; None without a label.
        groups: kind of group ("criterion", "version", "pair", "source", "batch") -> name -> agreement.
        reviewers: people first, then by name.
        after: title of a dataset version -> agreement of the labels behind its items, that is after filtering.
        disagreed: pairs on which reviewers name different sides, oldest first.
    """

    everything: Agreement | None
    groups: dict[str, dict[str, Agreement]]
    reviewers: tuple[ReviewerQuality, ...]
    after: dict[str, Agreement]
    disagreed: tuple[int, ...]
