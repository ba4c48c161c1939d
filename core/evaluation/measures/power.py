"""How many items a question needs, and which difference the items at hand can show.

Normal approximations with alpha 0.05 two-sided and power 0.8 unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize, stats

ALPHA, POWER = 0.05, 0.8


def n_for_half_width(half_width: float, p: float = 0.5) -> int:
    """Return how many items bring the 95 % interval of a share down to ``p`` plus or minus ``half_width``."""
    return _up(_z(ALPHA) ** 2 * p * (1 - p) / half_width**2)


def n_for_share(p: float, against: float = 0.5, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return how many items show that a share is ``p`` and not ``against``: decisive pairs of a win rate."""
    return _up(_share(p, against, alpha, power))


def n_for_two_shares(first: float, second: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return how many items in each of two independent arms show that their shares differ."""
    middle = (first + second) / 2
    spread = _z(alpha) * math.sqrt(2 * middle * (1 - middle))
    spread += _z_power(power) * math.sqrt(first * (1 - first) + second * (1 - second))
    return _up((spread / (first - second)) ** 2)


def n_for_paired_shares(gained: float, lost: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return how many items both arms must answer to show that gains and losses differ (McNemar).

    Source: R. Connor, Biometrics 43 (1987).

    Args:
        gained: the share of items that flip for the better.
        lost: the share that flip for the worse.
        alpha: of the two-sided test.
        power: chance to see the difference.
    """
    return _up(_paired(gained - lost, gained + lost, alpha, power))


def design_effect(group_size: float, icc: float) -> float:
    """Return by what factor n grows when prompts have ``group_size`` items with intraclass correlation ``icc``."""
    return 1 + (group_size - 1) * icc


def detectable_share(n: int, against: float = 0.5, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the smallest difference of a share above ``against`` that ``n`` items can show; NaN when none."""
    return _smallest(lambda d: _share(against + d, against, alpha, power), n, 1 - against)


def detectable_paired(n: int, discordant: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the smallest difference of two arms on the same ``n`` items that can be shown; NaN when none.

    Args:
        n: items that both arms answered.
        discordant: the share of items on which the arms differ, as measured.
        alpha: of the two-sided test; smaller for one of several slices.
        power: chance to see the difference.
    """
    return _smallest(lambda d: _paired(d, discordant, alpha, power), n, discordant)


def detectable_words(difference: float) -> str:
    """Return the sentence beside a slice.

    >>> detectable_words(0.0532)
    'can detect ≥ 5.4 pp'
    """
    if not math.isfinite(difference):
        return "too few to detect any difference"
    return f"can detect ≥ {math.ceil(1000 * difference - 1e-9) / 10:.1f} pp"


def _share(p: float, against: float, alpha: float, power: float) -> float:
    spread = _z(alpha) * math.sqrt(against * (1 - against)) + _z_power(power) * math.sqrt(max(0.0, p * (1 - p)))
    return (spread / (p - against)) ** 2


def _paired(difference: float, discordant: float, alpha: float, power: float) -> float:
    left = max(0.0, discordant - difference**2)
    return ((_z(alpha) * math.sqrt(discordant) + _z_power(power) * math.sqrt(left)) / difference) ** 2


def _smallest(needed: Callable[[float], float], n: int, largest: float) -> float:
    """Return the difference in (0, ``largest``] that needs just ``n`` items."""
    if n <= 0 or largest <= 0 or needed(largest) > n:
        return math.nan
    return float(optimize.brentq(lambda d: needed(d) - n, min(1e-6, largest / 2), largest))  # type: ignore[arg-type]


def _z(alpha: float) -> float:
    return float(stats.norm.ppf(1 - alpha / 2))


def _z_power(power: float) -> float:
    return float(stats.norm.ppf(power))


def _up(n: float) -> int:
    return math.ceil(n - 1e-9)
