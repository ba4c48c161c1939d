"""The win rate over the difference of lengths, as values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain


@dataclass(frozen=True, slots=True)
class LengthPoint:
    """The win rate at one difference of lengths, in tokens; of a bin it is the mean of its differences."""

    tokens: float
    rate: Estimate

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"tokens": self.tokens, **plain(self.rate)}


@dataclass(frozen=True, slots=True)
class LengthCurve:
    """What a logistic model expects at each difference of lengths, beside what was observed.

    Attributes:
        curve: from the smallest to the largest difference that was seen, shortest first; the interval is of the curve
            at one place. bins: observed rates, of equal mass, shortest difference first.
    """

    curve: tuple[LengthPoint, ...]
    bins: tuple[LengthPoint, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"curve": [one.to_plain() for one in self.curve], "bins": [one.to_plain() for one in self.bins]}

    def without_ends(self, why: str) -> LengthCurve:
        """Return the same rates without intervals, for a sample that people watch grow.

        Args:
            why: ends the words of each estimator.
        """

        def bare(one: LengthPoint) -> LengthPoint:
            words = f"{one.rate.estimator}; {why}"
            return LengthPoint(one.tokens, Estimate(one.rate.value, math.nan, math.nan, one.rate.n, "", words))

        return LengthCurve(tuple(map(bare, self.curve)), tuple(map(bare, self.bins)))
