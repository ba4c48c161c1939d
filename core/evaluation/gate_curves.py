"""How the interval that a check looks at narrows with n, and the n at which it would decide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

from core.domain.estimate import Z95, Estimate
from core.domain.release_gate import GateBound, GateCheck
from core.evaluation.gate_figures import n_to_decide

POWER = 0.8
_NORMAL = NormalDist()
_POINTS = 60
_WIDEST = 40
"""How many times the n at hand a curve reaches at most; what decides later is told in words alone."""


@dataclass(frozen=True, slots=True)
class DecisionCurve:
    """The end of an interval as a function of n.

    Attributes:
        check: key of the check. name: of the figure.
        now: the figure as it is measured.
        bound: that its interval must keep.
        stays: (n, end) if the number stays what it is. needed: the n at which it keeps the limit then.
        no_change: (n, end) that 8 of 10 evaluations keep within if the true number is 0; empty where 0 keeps no limit.
        needed_no_change: the n at which that keeps the limit.
    """

    check: str
    name: str
    now: Estimate
    bound: GateBound
    stays: tuple[tuple[float, float], ...]
    needed: int | None
    no_change: tuple[tuple[float, float], ...]
    needed_no_change: int | None

    @property
    def end(self) -> float:
        """The end of the interval that the limit is about."""
        return self.now.low if self.bound.above else self.now.high

    @property
    def last_n(self) -> int:
        """Where the axis of n ends."""
        return round(self.stays[-1][0])


def decision_curves(checks: tuple[GateCheck, ...]) -> Iterator[DecisionCurve]:
    """Yield the curve of each check that an interval decides, in their order."""
    for check in checks:
        found = decision_curve(check)
        if found is not None:
            yield found


def decision_curve(check: GateCheck) -> DecisionCurve | None:
    """Return the curve of a check; None where no interval decides it."""
    bound = check.bound
    now = check.figures.get(bound.figure) if bound is not None else None
    if bound is None or now is None or not now.has_interval or now.n <= 0:
        return None
    half = now.value - now.low if bound.above else now.high - now.value
    if half <= 0:
        return None
    needed = _needed(now, bound)
    without = n_if_no_change(now, bound)
    last = last_n(now.n, needed, without)
    ns = [now.n * 0.25 + (last - now.n * 0.25) * k / (_POINTS - 1) for k in range(_POINTS)]
    sign = -1.0 if bound.above else 1.0
    stays = tuple((n, _end(now, bound, half, n)) for n in ns)
    reach = half * (1 + _NORMAL.inv_cdf(POWER) / Z95)
    flat = tuple((n, sign * reach * math.sqrt(now.n / n)) for n in ns) if without is not None else ()
    return DecisionCurve(check.key, bound.figure, now, bound, stays, needed, flat, without)


def _needed(now: Estimate, bound: GateBound) -> int | None:
    if not bound.any_time:
        return n_to_decide(now, bound.limit, above=bound.above)
    # It imports scipy, which the window must not load when it starts.
    from core.evaluation.gate_votes import votes_to_decide

    return votes_to_decide(now)


def _end(now: Estimate, bound: GateBound, half: float, n: float) -> float:
    """Return the end of the interval at ``n``, if the number stays what it is."""
    if not bound.any_time:
        return now.value + (-1.0 if bound.above else 1.0) * half * math.sqrt(now.n / n)
    # It imports scipy, which the window must not load when it starts.
    from core.evaluation.gate_votes import low_end

    return low_end(now.value, n)


def n_if_no_change(now: Estimate, bound: GateBound) -> int | None:
    """Return the n at which 8 of 10 evaluations keep the limit if the true number is 0.

    The standard error at hand gives it: n (1.96 + 0.84)^2 se^2 / limit^2. None where 0 itself does not keep the limit.
    """
    room = -bound.limit if bound.above else bound.limit
    half = now.value - now.low if bound.above else now.high - now.value
    if room <= 0 or half <= 0 or not now.has_interval:
        return None
    se = half / Z95
    return math.ceil(now.n * ((Z95 + _NORMAL.inv_cdf(POWER)) * se / room) ** 2 - 1e-9)


def last_n(n: int, *needed: int | None) -> float:
    """Return where an axis of n ends: some way behind what decides, or half as far again as the n at hand."""
    known = [value for value in needed if value is not None and value <= _WIDEST * n]
    return 1.15 * max([1.5 * n, *known])
