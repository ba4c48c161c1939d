"""What is drawn of a metric: smoothing that leaves the raw values alone, and thinning that keeps every peak.

Pure numpy; knows nothing of widgets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurveSpec:
    """One line of a plot: the metric it shows, the colour token, the word at its end.

    ``sparse`` metrics are measured every k steps: each value is a ringed dot, and none is smoothed away.
    """

    metric: str
    colour: str
    label: str
    sparse: bool = False


@dataclass(slots=True)
class Curve:
    """The values of one line: ascending steps, and NaN where a step has no number."""

    steps: Floats = field(default_factory=lambda: np.empty(0))
    values: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def last(self) -> float | None:
        """The newest finite value, or None."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite[-1]) if finite.size else None

    def at(self, step: float) -> float | None:
        """The value of the step nearest to ``step``, or None when there is none."""
        if not self.steps.size:
            return None
        value = float(self.values[nearest(self.steps, step)])
        return value if np.isfinite(value) else None


def nearest(steps: Floats, x: float) -> int:
    """Return the place of the step nearest to ``x``; ``steps`` ascend and are not empty."""
    place = int(np.searchsorted(steps, x))
    if place == 0:
        return 0
    if place == steps.size:
        return steps.size - 1
    return place if steps[place] - x < x - steps[place - 1] else place - 1


def smooth(values: Floats, weight: float) -> Floats:
    """Return the debiased exponential moving average; missing values stay missing and do not enter.

    Args:
        values: raw values.
        weight: share of the past, 0 (no smoothing) to below 1. Debiasing divides by 1 - weight^n, so
            that the start of the curve is not pulled to zero.
    """
    if weight <= 0 or values.size == 0:
        return values.copy()
    out = np.full(values.size, np.nan)
    total = norm = 0.0
    for i, value in enumerate(values):
        if np.isfinite(value):
            total = weight * total + (1 - weight) * value
            norm = weight * norm + (1 - weight)
        if norm > 0 and np.isfinite(value):
            out[i] = total / norm
    return out


def thin(x: Floats, y: Floats, buckets: int) -> tuple[Floats, Floats]:
    """Return at most ``2 * buckets`` points that keep every bucket's lowest and highest value, in order.

    Never a stride: a single spike among a million steps is still drawn.
    """
    n = x.size
    if n <= 2 * buckets or buckets < 1:
        return x, y
    edges = np.linspace(0, n, buckets + 1).astype(int)
    keep: list[int] = []
    for low, high in pairwise(edges):
        part = y[low:high]
        finite = np.isfinite(part)
        if not finite.any():
            continue
        first = low + int(np.argmin(np.where(finite, part, np.inf)))
        second = low + int(np.argmax(np.where(finite, part, -np.inf)))
        keep += sorted({first, second})
    index = np.asarray(keep, dtype=int)
    return x[index], y[index]


def not_shown_on_log(values: Floats) -> int:
    """Return how many finite values a logarithmic axis cannot show."""
    return int(np.count_nonzero(np.isfinite(values) & (values <= 0)))


def format_value(value: float | None, digits: int = 4) -> str:
    """Return a number as the readout prints it: four significant digits, a real minus sign, a dash for none."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:.{digits}g}" if abs(value) < 1e-3 or abs(value) >= 1e5 else f"{value:.{digits}f}"
    if "e" not in text and "." in text:
        whole = len(text.split(".")[0].lstrip("-"))
        text = f"{value:.{max(0, digits - whole)}f}" if whole > 1 else f"{value:.{digits - 1}f}"
    return text.replace("-", "−")
