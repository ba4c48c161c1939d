"""Where the ticks of an axis stand and what they say: round numbers that never touch each other. Pure Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_ROUND = (1.0, 2.0, 5.0)
_LOG_STEPS: tuple[tuple[float, ...], ...] = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
"""Digits that get a tick in each power of ten, the finest first."""
_MOST_PLACES = 17
"""Decimal places that still tell two numbers near 1 apart."""


def linear_ticks(low: float, high: float, most: int, *, whole: bool = False) -> tuple[float, list[float]]:
    """Return the spacing and the round values between ``low`` and ``high``, at most ``most`` of them.

    Args:
        low: left or lower end.
        high: the other end, above ``low``.
        most: ticks that there is room for.
        whole: only integers, for steps and counts.

    >>> linear_ticks(0.0, 40.0, 6)
    (10.0, [0.0, 10.0, 20.0, 30.0, 40.0])
    >>> linear_ticks(0.0, 3.0, 9, whole=True)
    (1.0, [0.0, 1.0, 2.0, 3.0])
    """
    length = high - low
    if not (math.isfinite(length) and length > 0) or most < 1:
        return 1.0, []
    power = 10.0 ** math.floor(math.log10(length / most))
    for spacing in (part * power * scale for scale in (0.1, 1.0, 10.0, 100.0) for part in _ROUND):
        if whole and spacing < 1:
            continue
        first = math.ceil(low / spacing - 1e-9)
        count = math.floor(high / spacing + 1e-9) - first + 1
        if count <= most:
            return spacing, [(first + i) * spacing for i in range(count)]
    return 1.0, []


def log_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Return the powers (log10) of round numbers between the powers ``low`` and ``high``, at most ``most`` of them.

    >>> [round(10**place) for place in log_ticks(0.0, 3.0, 4, whole=True)]
    [1, 10, 100, 1000]
    """
    for digits in _LOG_STEPS:
        found = _log_places(low, high, digits, whole=whole)
        if len(found) > 1 and _least_gap(found) * most >= high - low:
            return found
    powers = [float(p) for p in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
    stride = max(1, math.ceil(len(powers) / max(1, most)))
    if len(powers) > 1:
        return powers[::stride]
    _, values = linear_ticks(10.0**low, 10.0**high, max(2, most), whole=whole)
    return [math.log10(value) for value in values if value > 0]


def _log_places(low: float, high: float, digits: Sequence[float], *, whole: bool) -> list[float]:
    powers = range(math.floor(low), math.ceil(high) + 1)
    values = [digit * 10.0**power for power in powers for digit in digits]
    places = [math.log10(value) for value in values if not whole or value >= 1]
    return [place for place in places if low - 1e-9 <= place <= high + 1e-9]


def _least_gap(places: Sequence[float]) -> float:
    return min(after - before for before, after in pairwise(places))


def tick_text(value: float, spacing: float) -> str:
    """Return what a tick says: as many digits as its spacing needs, a real minus sign, commas between thousands.

    >>> tick_text(0.15, 0.05), tick_text(-2.0, 1.0), tick_text(12000.0, 1000.0), tick_text(4.5e-05, 5e-06)
    ('0.15', '−2', '12,000', '4.5e−5')
    """
    if value == 0 or abs(value) < 1e-9 * spacing:
        return "0"
    places = max(0, -math.floor(math.log10(spacing) + 1e-9))
    digits = math.ceil(math.log10(abs(value) / spacing) + 1e-9) + 1
    if places > 4 and abs(value) < 1e-3:
        return _short(f"{value:.{max(1, digits)}g}")
    if abs(value) >= 1e7 and (spacing < 1 or abs(value) / spacing < 1e4 or abs(value) >= 1e16):
        return _short(f"{value:.{max(4, min(17, digits))}g}")
    return f"{value:,.{min(places, _MOST_PLACES)}f}".replace("-", "−")


def _short(text: str) -> str:
    """Return a number without the zero of its exponent: labels that are wider than an axis are not printed."""
    return text.replace("e-0", "e-").replace("e+0", "e+").replace("-", "−")


def power_text(place: float) -> str:
    """Return what a tick of a logarithmic axis says, given its power.

    >>> power_text(0.0), power_text(4.0), power_text(-3.0), power_text(6.0)
    ('1', '10,000', '0.001', '1e6')
    """
    value = 10.0**place
    if place >= 5 or place < -4:
        return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e−")
    return f"{value:,.{max(0, math.ceil(-place - 1e-9))}f}"
