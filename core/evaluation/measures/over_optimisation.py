"""The over-optimisation curve: quality against the distance from the reference, and where it turns down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from core.domain.counting import counted
from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.evaluation.measures.means import SEED

LEAST_CHECKPOINTS = 6
_DRAWS = 2000
Form = Literal["log", "linear"]
"""``log``: R(d) = d (a - b log d), for training; ``linear``: R(d) = d (a - b d), for best of n."""


@dataclass(frozen=True, slots=True)
class OverOptimisation:
    """The fitted curve R(d), d = sqrt(KL to reference) in square-root nats, R the gain over the reference.

    Attributes:
        gain, decay: a and b of the form. peak: d at which the curve turns; NaN where it does not within reach.
        residual: root mean square of what the curve leaves, in the unit of the gains.
    """

    form: Form
    gain: Estimate
    decay: Estimate
    peak: Estimate
    residual: float

    def at(self, distance: ArrayLike) -> np.ndarray:
        """Return the curve at distances (n,)."""
        d = np.asarray(distance, dtype=np.float64)
        return _columns(d, self.form) @ np.array([self.gain.value, self.decay.value])


def fit_curve(
    distances: ArrayLike, gains: ArrayLike, errors: ArrayLike | None = None, form: Form = "log"
) -> OverOptimisation:
    """Return the least-squares curve through the checkpoints; its intervals come from drawing the gains again.

    KL is comparable within one method of training, not across methods. Source: L. Gao et al., arXiv 2210.10760;
    R. Rafailov et al., arXiv 2406.02900 for direct alignment.

    Args:
        distances: (n,) square root of the sequence KL of each checkpoint, above 0.
        gains: (n,) quality over that of the reference, such as win rate - 1/2.
        errors: (n,) standard errors of the gains, used as weights and for the draws; None for equal ones.
        form: of the curve.

    Raises:
        UserError: with fewer than six checkpoints at different distances.
    """
    d, r = np.asarray(distances, dtype=np.float64), np.asarray(gains, dtype=np.float64)
    if np.unique(d[d > 0]).size < LEAST_CHECKPOINTS or (d <= 0).any():
        raise UserError(
            f"A curve needs {counted(LEAST_CHECKPOINTS, 'checkpoint')} at different distances from the reference; "
            f"there {'is' if d.size == 1 else 'are'} {counted(np.unique(d[d > 0]).size, 'such checkpoint')}.",
            "Save checkpoints more often, or evaluate more of them.",
        )
    columns = _columns(d, form)
    given = np.asarray(errors, dtype=np.float64) if errors is not None else None
    weights = 1 / given if given is not None else np.ones(d.size)
    found = _solve(columns, r, weights)
    left = r - columns @ found
    spread = given if given is not None else np.full(d.size, math.sqrt(float(left @ left) / max(1, d.size - 2)))
    noise = np.random.default_rng(SEED).standard_normal((_DRAWS, d.size)) * spread
    drawn = np.array([_solve(columns, columns @ found + n, weights) for n in noise])
    n, words = int(d.size), f"least squares; parametric bootstrap 95 %, {_DRAWS:,} draws"
    gain, decay = (_estimate(float(v), drawn[:, i], n, words) for i, v in enumerate(found))
    peaks = np.array([_peak(a, b, form) for a, b in drawn])
    peak = _estimate(
        _peak(float(found[0]), float(found[1]), form), peaks[np.isfinite(peaks)], n, f"peak of the curve; {words}"
    )
    return OverOptimisation(form, gain, decay, peak, float(np.sqrt((left**2).mean())))


def over_optimised(proxy: Sequence[float], gold: Sequence[Estimate]) -> bool:
    """Return whether quality fell while the proxy rose: the alarm of the curve.

    It is raised when the last checkpoint's gold interval lies below the best checkpoint's value and its proxy is above
    the proxy there.

    Args:
        proxy: of each checkpoint in order, such as the held-out margin / beta.
        gold: of the same checkpoints, such as the win rate by people.
    """
    if len(gold) < 2:
        return False
    best = int(np.nanargmax([e.value for e in gold]))
    return gold[-1].high < gold[best].value and proxy[-1] > proxy[best]


def best_of_n_kl(n: int) -> float:
    """Return the KL of the best of ``n`` samples to the policy that gave them: log n - (n - 1) / n, nats."""
    return math.log(n) - (n - 1) / n


def _columns(d: np.ndarray, form: Form) -> np.ndarray:
    return np.column_stack([d, -d * (np.log(np.maximum(d, 1e-300)) if form == "log" else d)])


def _solve(columns: np.ndarray, gains: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(columns * weights[:, None], gains * weights, rcond=None)[0]


def _peak(a: float, b: float, form: Form) -> float:
    if b <= 0 or (form == "linear" and a <= 0):
        return math.nan
    return math.exp(min(700.0, a / b - 1)) if form == "log" else a / (2 * b)


def _estimate(value: float, drawn: np.ndarray, n: int, words: str) -> Estimate:
    if drawn.size < _DRAWS // 2 or not math.isfinite(value):
        return Estimate(value, math.nan, math.nan, n, "", f"{words}; no interval")
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(value, float(low), float(high), n, "", words)
