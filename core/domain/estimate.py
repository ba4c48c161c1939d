"""A number with what is known of its uncertainty: interval, size of the sample, unit and how it was estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""

ALL_EQUAL, TOO_SMALL = "all equal", "n too small"
"""Why a number has no interval; the words of its estimator hold one of them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One measured number that can be quoted.

    Attributes:
        value: the number itself, NaN where nothing was measured.
        low, high: ends of its 95 % interval; NaN where none can be given (fewer than two groups, or no rows kept).
        n: how many pairs (or samples) it is the mean of.
        unit: of value and interval, such as "nats"; empty for a proportion.
        estimator: how value and interval were made, in words.
        se: standard error in the same unit, None where the interval is not made from one.
        groups: independent groups among the ``n`` (prompts, when several pairs share one); 0 when that is not known.
    """

    value: float
    low: float
    high: float
    n: int
    unit: str
    estimator: str
    se: float | None = None
    groups: int = 0

    @property
    def has_interval(self) -> bool:
        """Whether an interval is known; one without width is none: values without any spread say nothing of it.

        One that does not hold the number is none either: no resampling or sequence says anything of such a number.
        """
        return math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high and self._holds_value

    @property
    def _holds_value(self) -> bool:
        """Whether the number lies between the ends; rounding of the last digits is allowed."""
        room = 1e-9 * (abs(self.low) + abs(self.high))
        return self.low - room <= self.value <= self.high + room

    @property
    def why_no_interval(self) -> str:
        """Why there is none, in words; "" where there is one."""
        if self.has_interval:
            return ""
        if self.low == self.high:
            return ALL_EQUAL
        return next((why for why in (ALL_EQUAL, TOO_SMALL) if why in self.estimator), "no interval")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values; None for what is not a finite number (strict JSON has no NaN) and for ends that do
        not hold the number."""
        return {
            "value": _finite(self.value),
            "low": _finite(self.low) if self._holds_value else None,
            "high": _finite(self.high) if self._holds_value else None,
            "n": self.n,
            "unit": self.unit,
            "estimator": self.estimator,
            "se": None if self.se is None else _finite(self.se),
            "groups": self.groups,
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
