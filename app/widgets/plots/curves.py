"""What is drawn of a metric: smoothing that leaves the raw values alone, and thinning that keeps every peak.

Pure numpy; knows nothing of widgets.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.domain.number_text import format_value

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurveSpec:
    """One line of a plot: the metric it shows, the colour token, the word at its end.

    ``sparse`` metrics are measured every k steps: each value is a ringed dot, and none is smoothed away. ``probe`` is
    the metric that measures the same on a probe: where that has values, the batches are only a faint line beneath it.
    ``bars`` draws intervals as bars and not as a band. ``unit`` is that of the values. ``rings`` are left out where the
    values lie on something that shows the looks; ``dash`` breaks the line.
    """

    metric: str
    colour: str
    label: str
    sparse: bool = False
    probe: str = ""
    bars: bool = False
    unit: str = ""
    rings: bool = True
    dash: bool = False

    @property
    def held_out(self) -> bool:
        """Whether it is measured on held-out pairs."""
        return self.metric.startswith("dev.")

    @property
    def is_part(self) -> bool:
        """Whether only some runs have it, by loss or card; where it has no values nothing is said of it."""
        return self.metric.startswith(("extra.", "memory.cuda"))


@dataclass(slots=True)
class Curve:
    """The values of one line: ascending steps, and NaN where a step has no number.

    ``low`` and ``high`` are the ends of the interval of each value, ``n`` what it is the mean of; empty where unknown.
    ``undone`` counts values that :meth:`in_order` left out.
    """

    steps: Floats = field(default_factory=lambda: np.empty(0))
    values: Floats = field(default_factory=lambda: np.empty(0))
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    n: Floats = field(default_factory=lambda: np.empty(0))
    undone: int = 0

    def in_order(self) -> Curve:
        """Return the curve with ascending steps: where they go back, what was recorded from there on is left out.

        A run that goes on from an earlier checkpoint records steps again; of one that stands far ahead of its
        neighbours only that one is left out. Values without a step have no place at all.
        """
        steps = self.steps
        if steps.size < 2 and np.isfinite(steps).all():
            return self
        if np.isfinite(steps).all() and (np.diff(steps) > 0).all():
            return self
        placed = np.where(np.isfinite(steps), steps, np.inf)
        after = np.minimum.accumulate(placed[::-1])[::-1]
        kept = np.isfinite(steps) & np.append(steps[:-1] < after[1:], True)
        parts = [part[kept] if part.size == steps.size else part for part in self._parts]
        return Curve(*parts, undone=int(np.count_nonzero(~kept)))

    @property
    def _parts(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        return self.steps, self.values, self.low, self.high, self.n

    @property
    def first_missing(self) -> float | None:
        """The first step that has no number, or None."""
        gone = np.flatnonzero(~np.isfinite(self.values))
        return float(self.steps[gone[0]]) if gone.size else None

    @property
    def has_intervals(self) -> bool:
        """Whether any value has an interval."""
        return self.low.size == self.steps.size > 0 and bool(np.isfinite(self.low).any())

    @property
    def missing(self) -> int:
        """How many steps have no number."""
        return int(np.count_nonzero(~np.isfinite(self.values)))

    def same_as(self, other: Curve) -> bool:
        """Whether all numbers are equal."""
        parts = zip(self._parts, other._parts, strict=True)
        return self.undone == other.undone and all(np.array_equal(*both, equal_nan=True) for both in parts)

    @property
    def last_place(self) -> int | None:
        """The place of the newest finite value, or None."""
        there = np.flatnonzero(np.isfinite(self.values))
        return int(there[-1]) if there.size else None

    def text(self, place: int, *, interval: bool = True) -> str:
        """Return the value at a place, with its interval and n where they are known."""
        words = format_value(float(self.values[place]))
        if not interval or not self.n.size:
            return words
        if np.isfinite(self.low[place]):
            words += f" [{format_value(float(self.low[place]))}, {format_value(float(self.high[place]))}]"
        return f"{words} n {self.n[place]:,.0f}"

    @property
    def last(self) -> float | None:
        """The newest finite value, or None."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite[-1]) if finite.size else None

    def newest_at(self, step: float) -> int | None:
        """Return the place of the newest finite value at or before ``step``; None when there is none."""
        there = np.flatnonzero(np.isfinite(self.values) & (self.steps <= step))
        return int(there[-1]) if there.size else None

    def at(self, step: float) -> float | None:
        """The value of the step nearest to ``step``, or None when there is none."""
        if not self.steps.size:
            return None
        value = float(self.values[nearest(self.steps, step)])
        return value if np.isfinite(value) else None


def isolated(values: Floats) -> NDArray[np.bool_]:
    """Return which finite values have no finite neighbour, so that a line through them cannot be seen.

    >>> isolated(np.array([np.nan, 1.0, np.nan, 2.0, 3.0])).tolist()
    [False, True, False, False, False]
    """
    there = np.isfinite(values)
    beside = np.zeros(values.size, dtype=bool)
    beside[1:] |= there[:-1]
    beside[:-1] |= there[1:]
    return there & ~beside


def nearest(steps: Floats, x: float) -> int:
    """Return the place of the step nearest to ``x``; ``steps`` ascend and are not empty."""
    place = int(np.searchsorted(steps, x))
    if place == 0:
        return 0
    if place == steps.size:
        return steps.size - 1
    return place if steps[place] - x < x - steps[place - 1] else place - 1


_BLOCK = 128
"""Values smoothed by one matrix product; the average is carried from block to block."""


_FEWEST_SMOOTHED = 10
"""Fewer values are drawn as they are: a mean of two or three would only bend their line."""


def smooth(values: Floats, weight: float) -> Floats:
    """Return the debiased exponential moving average; missing values stay missing and do not enter.

    A hundred thousand values take a few milliseconds, since this runs on the window's thread.

    Args:
        values: raw values.
        weight: share of the past, 0 (no smoothing) to below 1. Debiasing divides by 1 - weight^n, so
            that the start of the curve is not pulled to zero.
    """
    if weight <= 0 or values.size == 0:
        return values.copy()
    out = np.full(values.size, np.nan)
    there = np.isfinite(values)
    n = int(there.sum())
    if n == 0:
        return out
    blocks = np.zeros((-(-n // _BLOCK), _BLOCK))
    blocks.ravel()[:n] = values[there]
    powers = weight ** np.arange(_BLOCK + 1)
    lag = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    kernel = np.where(lag >= 0, (1 - weight) * powers[np.abs(lag)], 0.0)
    inside = blocks @ kernel.T
    carried, carry = np.empty(len(blocks)), 0.0
    for place, last in enumerate(inside[:, -1]):
        carried[place] = carry
        carry = carry * powers[-1] + last
    totals = (inside + np.outer(carried, powers[1:])).ravel()[:n]
    means = totals / -np.expm1(np.arange(1, n + 1) * np.log(weight))
    raw = values[there]  # a mean lies between what it is of; rounding must not put spikes into a constant
    out[there] = np.clip(means, np.minimum.accumulate(raw), np.maximum.accumulate(raw))
    return out


def smoothed(curve: Curve, weight: float) -> Floats:
    """Return the values of a curve smoothed by :func:`smooth`, as they are where there are only a few."""
    few = curve.values.size - curve.missing < _FEWEST_SMOOTHED
    return smooth(curve.values, 0.0 if few else weight)


def thin(x: Floats, y: Floats, buckets: int) -> tuple[Floats, Floats]:
    """Return at most ``2 * buckets`` points that keep every bucket's lowest and highest value, in order.

    Never a stride: a single spike among a million steps is still drawn. A bucket without a number leaves one
    missing value, so that the line breaks there.
    """
    n = x.size
    if n <= 2 * buckets or buckets < 1:
        return x, y
    width = -(-n // buckets)
    rows = -(-n // width)
    padded = np.full(rows * width, y[-1])
    padded[:n] = y
    grid = padded.reshape(rows, width)
    lowest = highest = grid
    if not (there := np.isfinite(grid)).all():
        lowest, highest = np.where(there, grid, np.inf), np.where(there, grid, -np.inf)
    start = np.arange(rows) * width
    low = np.minimum(n - 1, start + np.argmin(lowest, axis=1))
    high = np.minimum(n - 1, start + np.argmax(highest, axis=1))
    index = np.unique(np.concatenate([low, high]))
    return x[index], y[index]


def seen(x: Floats, y: Floats, left: float, right: float) -> tuple[Floats, Floats]:
    """Return the points between ``left`` and ``right`` and one more on either side, so that lines leave the view."""
    first = max(0, int(np.searchsorted(x, left)) - 1)
    last = int(np.searchsorted(x, right, side="right")) + 1
    return x[first:last], y[first:last]


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of a range of a curve: how many values, mean, standard deviation, change a step."""

    count: int
    mean: float
    deviation: float
    slope: float


def summarise(curve: Curve, first: float, last: float) -> Summary | None:
    """Return the summary of the finite values of steps ``first`` to ``last``, or None when there is none."""
    inside = (curve.steps >= first) & (curve.steps <= last) & np.isfinite(curve.values)
    x, y = curve.steps[inside], curve.values[inside]
    if not y.size:
        return None
    spread = x - x.mean()
    power = float(spread @ spread)
    slope = float(spread @ y) / power if power > 0 else 0.0
    return Summary(int(y.size), float(y.mean()), float(y.std()), slope)


_AXIS_MARGIN = 0.1
"""Room that an axis leaves beyond what it is fitted to, as a share of that."""


def not_shown_on_log(values: Floats) -> int:
    """Return how many finite values a logarithmic axis cannot show."""
    return int(np.count_nonzero(np.isfinite(values) & (values <= 0)))


def outside(values: Floats, share: float) -> int:
    """Return how many finite values an axis cannot show that is fitted to the middle ``share`` of them.

    With 0.98 that is what lies below 1 % or above 99 %, by more than the margin that an axis has.
    """
    finite = values[np.isfinite(values)]
    if share >= 1 or not finite.size:
        return 0
    low, high = np.percentile(finite, (50 * (1 - share), 50 * (1 + share)))
    margin = _AXIS_MARGIN * (high - low)
    return int(np.count_nonzero((finite < low - margin) | (finite > high + margin)))


def exact_text(value: float) -> str:
    """Return a number as it is typed, as short as it can be without another number coming of it.

    >>> exact_text(5e-05), exact_text(2.0), exact_text(0.1 / 3)
    ('5e-05', '2', '0.03333333333333333')
    """
    if not isinstance(value, float):
        return str(value)
    brief = f"{value:g}"
    return brief if float(brief) == value else repr(value)
