"""Where a number stands against its limit, and how many items would decide it."""

from __future__ import annotations

import math
from statistics import NormalDist

from core.domain.counting import number
from core.domain.estimate import Z95, Estimate
from core.domain.number_text import MINUS
from core.domain.release_gate import GateState

_NORMAL = NormalDist()
_MOST = 10**7
"""A larger number of items is no advice."""


def loss(difference: Estimate, better: str) -> Estimate:
    """Return by how much a difference to the reference is a loss: positive is worse.

    Args:
        difference: arm minus reference.
        better: which way of the metric is good, ``higher`` or ``lower``.
    """
    if better == "lower":
        return difference
    return Estimate(
        -difference.value, -difference.high, -difference.low, difference.n, difference.unit, difference.estimator
    )


def p_above(estimate: Estimate, limit: float) -> float:
    """Return the one-sided p of "the number is not above ``limit``", from the side of its interval towards the limit.

    Normal approximation; NaN without an interval.
    """
    if not estimate.has_interval:
        return math.nan
    half = estimate.value - estimate.low if estimate.value > limit else estimate.high - estimate.value
    if half <= 0:
        return 0.0 if estimate.value > limit else 1.0
    return 1.0 - _NORMAL.cdf((estimate.value - limit) * Z95 / half)


def below(estimate: Estimate, limit: float, p: float, alpha: float) -> GateState:
    """Return whether a loss stays below its limit.

    Args:
        estimate: of the loss.
        limit: largest loss that counts as none.
        p: of "not above the limit", adjusted for all that is tested with it.
        alpha: level of the test.
    """
    if not estimate.has_interval:
        return "insufficient"
    if estimate.high <= limit:
        return "passed"
    return "failed" if p < alpha else "insufficient"


def n_to_decide(estimate: Estimate, limit: float, *, above: bool = False) -> int | None:
    """Return the n at which the interval would lie on the good side of ``limit``, the number staying what it is.

    The width of an interval falls with the square root of n. None where the number itself is on the wrong side (more
    items would decide against it), or nothing is known.

    Args:
        estimate: what is measured.
        limit: what it must stay below (above, with ``above``).
        above: the number must lie above the limit.
    """
    room = estimate.value - limit if above else limit - estimate.value
    half = estimate.value - estimate.low if above else estimate.high - estimate.value
    if not estimate.has_interval or estimate.n <= 0 or room <= 0 or half <= 0:
        return None
    needed = math.ceil(estimate.n * (half / room) ** 2 - 1e-9)
    return max(needed, estimate.n + 1) if needed <= _MOST else None


def needed_words(n: int | None, noun: str = "items") -> str:
    """Return what would decide it, as a sentence.

    >>> needed_words(1200)
    'About 1,200 items would decide it, if the number stays what it is.'
    """
    if n is None:
        return "As the number stands, more of them would rather decide against it."
    return f"About {number(n)} {noun} would decide it, if the number stays what it is."


def words(estimate: Estimate, *, is_change: bool = False) -> str:
    """Return an estimate with its interval and n, shares in percent and changes of them in points.

    >>> words(Estimate(0.021, -0.004, 0.046, 120, "", "difference"), is_change=True)
    '2.1 points [−0.4, 4.6], n 120'
    """
    if not math.isfinite(estimate.value):
        return "nothing"
    scale, unit = (100.0, "points" if is_change else "%") if not estimate.unit else (1.0, estimate.unit)
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (_figure(scale * end, estimate.unit) for end in ends)
    interval = f" [{low}, {high}]" if estimate.has_interval else ", no interval"
    return f"{value} {unit}{interval}, n {number(estimate.n)}"


def _figure(value: float, unit: str) -> str:
    return (f"{value:.3g}" if unit else f"{value:.1f}").replace("-", MINUS)
