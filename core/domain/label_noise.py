"""How often labels are flipped, measured from retests and gold items, with its uncertainty.

A retest is the same reviewer on the same pair again. When each answer names the wrong side with probability e,
independently, two answers differ with probability 2 e (1 - e). A gold item has a known answer, which is missed
with probability e. Both together give one likelihood of e, from which come the estimate and the interval. A loss calls
this e ``label_smoothing``. A retest does not detect a mistake that a reviewer makes every time; a gold item does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.domain.counting import counted

_STEPS = 5000
"""Points between 0 and 1/2 at which the likelihood is evaluated: a resolution of 0.0001."""
_DROP95 = 1.9207
"""Half the 95 % point of chi-squared with one degree of freedom: the drop at the interval's ends."""


@dataclass(frozen=True, slots=True)
class NoiseCounts:
    """Counts of retests and gold items.

    Attributes:
        retests, changed: pairs judged twice with a side both times, and those on which the side changed.
        golds, missed: gold items answered with a side, and those with the wrong one.
        undecided: retests and gold items in which one of the two names no side; they say nothing of flips.
    """

    retests: int = 0
    changed: int = 0
    golds: int = 0
    missed: int = 0
    undecided: int = 0

    def __add__(self, other: NoiseCounts) -> NoiseCounts:
        return NoiseCounts(
            self.retests + other.retests,
            self.changed + other.changed,
            self.golds + other.golds,
            self.missed + other.missed,
            self.undecided + other.undecided,
        )


@dataclass(frozen=True, slots=True)
class FlipRate:
    """The probability that a label names the wrong side, with its 95 % likelihood interval, 0 to 1/2."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ReviewerNoise:
    """One reviewer's share of the measurement; ``flip`` is None without any."""

    name: str
    counts: NoiseCounts
    flip: FlipRate | None


@dataclass(frozen=True, slots=True)
class NoiseReport:
    """The measurement over all reviewers, and each one's."""

    counts: NoiseCounts
    flip: FlipRate | None
    reviewers: tuple[ReviewerNoise, ...] = ()

    def sentence(self) -> str:
        """Return the measurement in words, for people and for the note of a run."""
        c = self.counts
        if self.flip is None:
            return "The flip rate is not measured: no pair was judged twice, and no gold item answered."
        seen = (
            f"{c.changed} of {counted(c.retests, 'retest')} changed side, {c.missed} of "
            f"{counted(c.golds, 'gold item')} missed"
        )
        f = self.flip
        return f"Flip rate {f.rate:.1%}, 95 % interval {f.low:.1%} to {f.high:.1%}: {seen}."


def flip_rate(counts: NoiseCounts) -> FlipRate | None:
    """Return the most likely flip rate with its interval, or None when nothing was measured.

    >>> flip_rate(NoiseCounts(golds=20, missed=2)).rate
    0.1
    """
    if counts.retests + counts.golds == 0:
        return None
    grid = [0.5 * i / _STEPS for i in range(_STEPS + 1)]
    logs = [_log_likelihood(e, counts) for e in grid]
    best = max(logs)
    inside = [e for e, value in zip(grid, logs, strict=True) if value >= best - _DROP95]
    return FlipRate(round(grid[logs.index(best)], 4), round(inside[0], 4), round(inside[-1], 4))


def _log_likelihood(e: float, c: NoiseCounts) -> float:
    differ = 2 * e * (1 - e)
    return _binomial(c.changed, c.retests, differ) + _binomial(c.missed, c.golds, e)


def _binomial(hits: int, n: int, p: float) -> float:
    """Return the log-likelihood of ``hits`` of ``n``, without the constant; impossible is minus infinity."""
    found = 0.0
    for count, share in ((hits, p), (n - hits, 1 - p)):
        if count:
            found += count * math.log(share) if share > 0 else -math.inf
    return found
