"""How many votes decide a win rate whose interval may be looked at while people vote."""

from __future__ import annotations

import numpy as np

from core.domain.estimate import Estimate
from core.evaluation.measures.win_rate import confidence_sequence

ANY_TIME = "confidence sequence"
"""Words of the estimator of such an interval."""
_MOST = 10**6


def is_any_time(rate: Estimate) -> bool:
    """Return whether the interval of a win rate holds at any time of looking."""
    return ANY_TIME in rate.estimator


def ends(rate: float, n: float) -> tuple[float, float]:
    """Return both ends of the confidence sequence after ``n`` decisive votes at this rate."""
    low, high = confidence_sequence(np.array([rate * n]), np.array([(1 - rate) * n]))
    return float(low[0]), float(high[0])


def low_end(rate: float, n: float) -> float:
    """Return the low end of the confidence sequence after ``n`` decisive votes at this rate."""
    return ends(rate, n)[0]


def votes_to_decide(rate: Estimate) -> int | None:
    """Return the number of decisive votes at which the sequence lies above one half, the rate staying what it is.

    None where the rate is not above one half, or so close to it that no sensible number decides.
    """
    if rate.n <= 0 or not rate.value > 0.5:
        return None
    known, high = rate.n, rate.n + 1
    while low_end(rate.value, high) <= 0.5:
        known, high = high, 2 * high
        if high > _MOST:
            return None
    while high - known > 1:
        middle = (known + high) // 2
        known, high = (known, middle) if low_end(rate.value, middle) > 0.5 else (middle, high)
    return high
