"""Curves over steps as SVG text: lines with their 95 % bands, labels at their ends. No script, nothing that loads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from core.domain.number_text import MINUS
from core.services.reports.html_text import COLOURS, outside

_WIDTH, _HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 190, 16, 42
_LINE = 14
"""Height of a label at the end of a curve."""
MOST_POINTS = 600
"""More points than this are thinned; the smallest and the largest of each stretch stay."""
Place = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class ChartCurve:
    """One curve; values that are not finite interrupt it.

    Attributes:
        label: at its end and in the legend. steps, values: as long as each other.
        low, high: ends of the interval at each step; empty for none.
        dashed: it answers another question than the others. colour: number of its colour.
    """

    label: str
    steps: Sequence[int]
    values: Sequence[float]
    low: Sequence[float] = field(default=())
    high: Sequence[float] = field(default=())
    dashed: bool = False
    colour: int = 0


def line_chart(curves: Sequence[ChartCurve], title: str, unit: str, zero: float | None = None) -> str:
    """Return the curves in one plot over the optimizer step; a sentence where nothing was measured.

    Args:
        curves: to draw, the first on top.
        title: read by screen readers.
        unit: of the values, above the axis.
        zero: a value at which a dashed line stands; None for none.
    """
    known = [curve for curve in curves if any(map(math.isfinite, curve.values))]
    if not known:
        return f"<p>{outside(title)}: nothing was measured.</p>"
    last = max(step for curve in known for step in curve.steps) or 1
    low, high = _range(known, zero)

    def x(step: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * step / last, 1)

    def y(value: float) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - min(max(value, low), high)) / (high - low), 1)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{outside(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{outside(title)}</title>',
        *_axes(x, y, (low, high), last, unit),
    ]
    if zero is not None and low <= zero <= high:
        parts.append(f'<line x1="{_LEFT}" y1="{y(zero)}" x2="{_WIDTH - _RIGHT}" y2="{y(zero)}" class="zero"/>')
    parts += [part for curve in reversed(known) for part in _band(curve, x, y)]
    parts += [part for curve in reversed(known) for part in _line(curve, x, y)]
    parts += _labels(known, y)
    return "".join([*parts, "</svg>"])


def thinned(curve: ChartCurve, most: int = MOST_POINTS) -> ChartCurve:
    """Return the curve with at most about ``most`` points; the lowest and the highest of each stretch are kept.

    Only a curve without intervals has so many points.
    """
    count = len(curve.steps)
    if count <= most or curve.low:
        return curve
    size = math.ceil(2 * count / most)
    kept: set[int] = {0, count - 1}
    for start in range(0, count, size):
        known = [n for n in range(start, min(start + size, count)) if math.isfinite(curve.values[n])]
        if known:
            kept |= {min(known, key=curve.values.__getitem__), max(known, key=curve.values.__getitem__)}
    places = sorted(kept)
    return ChartCurve(
        curve.label,
        [curve.steps[n] for n in places],
        [curve.values[n] for n in places],
        dashed=curve.dashed,
        colour=curve.colour,
    )


def nice_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Return round numbers from ``low`` to ``high``, about as many as wanted.

    >>> nice_ticks(0.0, 14.2)
    [0.0, 5.0, 10.0]
    """
    if not low < high:
        return [low]
    raw = (high - low) / max(1, wanted - 1)
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(f * scale for f in (1.0, 2.0, 5.0, 10.0) if f * scale >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", MINUS)


def _range(curves: Sequence[ChartCurve], zero: float | None) -> tuple[float, float]:
    ends = [] if zero is None else [zero]
    for curve in curves:
        ends += [value for values in (curve.values, curve.low, curve.high) for value in values if math.isfinite(value)]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return low - room, high + room


def _axes(x: Place, y: Place, ends: tuple[float, float], last: int, unit: str) -> Iterator[str]:
    right, base = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for value in nice_ticks(*ends, wanted=6):
        yield f'<line x1="{_LEFT}" y1="{y(value)}" x2="{right}" y2="{y(value)}" class="grid"/>'
        yield f'<text x="{_LEFT - 8}" y="{y(value) + 4}" text-anchor="end" class="tick">{_tick(value)}</text>'
    for step in nice_ticks(0.0, float(last), 6):
        yield f'<text x="{x(step)}" y="{base + 16}" text-anchor="middle" class="tick">{step:g}</text>'
    yield f'<line x1="{_LEFT}" y1="{base}" x2="{right}" y2="{base}" class="axis"/>'
    yield f'<text x="{_LEFT}" y="{_TOP - 5}" class="unit">{outside(unit)}</text>'
    yield f'<text x="{right}" y="{base + 32}" text-anchor="end" class="unit">optimizer step</text>'


def _band(curve: ChartCurve, x: Place, y: Place) -> Iterator[str]:
    for part in _known_parts(curve, with_band=True):
        if len(part) == 1:
            n = part[0]
            yield (
                f'<line x1="{x(curve.steps[n])}" y1="{y(curve.low[n])}" x2="{x(curve.steps[n])}" '
                f'y2="{y(curve.high[n])}" class="curve s{curve.colour % COLOURS}"/>'
            )
            continue
        there = [f"{x(curve.steps[n])},{y(curve.high[n])}" for n in part]
        back = [f"{x(curve.steps[n])},{y(curve.low[n])}" for n in reversed(part)]
        yield f'<polygon points="{" ".join([*there, *back])}" class="band f{curve.colour % COLOURS}"/>'


def _line(curve: ChartCurve, x: Place, y: Place) -> Iterator[str]:
    curve = thinned(curve)
    names = f"curve s{curve.colour % COLOURS}{' dashed' if curve.dashed else ''}"
    for part in _known_parts(curve, with_band=False):
        if len(part) == 1:
            n = part[0]
            where = f'cx="{x(curve.steps[n])}" cy="{y(curve.values[n])}"'
            yield f'<circle {where} r="3" class="f{curve.colour % COLOURS}"/>'
            continue
        points = " ".join(f"{x(curve.steps[n])},{y(curve.values[n])}" for n in part)
        yield f'<polyline points="{points}" class="{names}"/>'


def _known_parts(curve: ChartCurve, *, with_band: bool) -> Iterator[list[int]]:
    """Yield the places of each run of points that are known, with their intervals where these are asked for."""
    if with_band and not curve.low:
        return
    found: list[int] = []
    for n, value in enumerate(curve.values):
        known = math.isfinite(value)
        if with_band:
            known = known and math.isfinite(curve.low[n]) and math.isfinite(curve.high[n])
        if known:
            found.append(n)
        elif found:
            yield found
            found = []
    if found:
        yield found


def _labels(curves: Sequence[ChartCurve], y: Place) -> Iterator[str]:
    """Yield the label of each curve beside its last point, moved down where it would cover the one above."""
    ends = sorted(
        ((y([v for v in curve.values if math.isfinite(v)][-1]), curve) for curve in curves), key=lambda end: end[0]
    )
    lowest = _HEIGHT - _BOTTOM + 4 - _LINE * (len(ends) - 1)
    free = -math.inf
    for number, (at, curve) in enumerate(ends):
        free = max(min(at + 4, lowest + _LINE * number), free)
        mark = " (dashed)" if curve.dashed else ""
        yield (
            f'<text x="{_WIDTH - _RIGHT + 8}" y="{free:.1f}" class="t{curve.colour % COLOURS}">'
            f"{outside(curve.label[:28])}{mark}</text>"
        )
        free += _LINE
