"""Whether a share changed at some point of a sequence, and where: the largest likelihood ratio over all points.

Source: D. Hinkley and E. Hinkley, Biometrika 57 (1970) 477. Its p is by permutation: without a change every order of
the same hits is equally likely, so that trying all points costs no false alarms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from core.domain.estimate import Estimate
from core.evaluation.measures.shares import share_by_prompt

LEAST_SIDE = 5
"""Hits and misses on either side of a point."""
DRAWS = 1999
SEED = 20_240_302
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a share changed most.

    Attributes:
        at: how many of the sequence lie before the change. before, after: the share on either side.
        p: chance of such a large difference at any point when nothing changed.
    """

    at: int
    before: Estimate
    after: Estimate
    p: float


def change_point(hits: Sequence[bool], what: str = "share") -> ChangePoint | None:
    """Return the most likely point of change; None for a sequence that is too short or all alike."""
    x = np.asarray(hits, dtype=np.float64)
    n = x.size
    if n < 2 * LEAST_SIDE or x.min() == x.max():
        return None
    ratios = _ratios(x[None])[0]
    place = int(ratios.argmax())
    at, largest = place + LEAST_SIDE, float(ratios[place])
    rng, as_large, drawn = np.random.default_rng(SEED), 0, 0
    while drawn < DRAWS:
        rows = min(DRAWS - drawn, max(1, _MOST_CELLS // n))
        orders = rng.permuted(np.broadcast_to(x, (rows, n)), axis=1)
        as_large += int((_ratios(orders).max(axis=1) >= largest - 1e-9).sum())
        drawn += rows
    first, second = (share_by_prompt(part > 0, None, what) for part in (x[:at], x[at:]))
    return ChangePoint(at, first, second, (as_large + 1) / (DRAWS + 1))


def _ratios(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return twice the log likelihood ratio of a change after each allowed point, (rows, points)."""
    n = rows.shape[1]
    total = rows.sum(axis=1, keepdims=True)
    size = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1, dtype=np.float64)
    hits = np.cumsum(rows, axis=1)[:, LEAST_SIDE - 1 : n - LEAST_SIDE]
    return 2 * (_fit(hits, size) + _fit(total - hits, n - size) - _fit(total, float(n)))


def _fit(hits: NDArray[np.float64], size: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the log-likelihood of hits among a number under their own share."""
    share = hits / size
    return xlogy(hits, share) + xlogy(size - hits, 1 - share)
