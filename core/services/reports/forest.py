"""Small plots as SVG text: estimates with their intervals along one axis. No script, no font, no file beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.estimate import Estimate
from core.domain.number_text import estimate_text
from core.services.reports.html_text import outside

_INNER, _LEFT, _RIGHT, _ROW, _TOP = 290, 300, 370, 22, 8
_AXIS, _LETTER = 26, 7.2
"""Height of the axis, and room for a letter: the width of a wide one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a plot: what it is, its estimate, and the limit that it must keep; NaN for none."""

    label: str
    estimate: Estimate
    limit: float = math.nan


def forest(bars: Sequence[Bar], title: str, zero: float = 0.0) -> str:
    """Return a forest plot: a row for each estimate, its interval as a line, the limit as a red mark.

    Args:
        bars: of one unit.
        title: read by screen readers.
        zero: where the vertical line stands: no difference.
    """
    known = [bar for bar in bars if math.isfinite(bar.estimate.value)]
    if not known:
        return f"<p>{outside(title)}: nothing was measured.</p>"
    low, high = _range(known, zero)
    height = _TOP + _ROW * len(known) + _AXIS
    width = _LEFT + _INNER + max(_RIGHT, *(20 + math.ceil(_LETTER * len(estimate_text(bar.estimate))) for bar in known))

    def x(value: float) -> float:
        return round(_LEFT + _INNER * (min(max(value, low), high) - low) / (high - low), 2)

    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{outside(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{outside(title)}</title>',
        f'<line x1="{x(zero)}" y1="{_TOP}" x2="{x(zero)}" y2="{height - _AXIS}" class="zero"/>',
    ]
    for number, bar in enumerate(known):
        parts += _row(bar, _TOP + _ROW * number + _ROW / 2, x)
    base = height - _AXIS + 4
    parts.append(f'<line x1="{_LEFT}" y1="{base}" x2="{_LEFT + _INNER}" y2="{base}" class="axis"/>')
    parts += [
        f'<text x="{place}" y="{base + 15}" text-anchor="middle" class="tick">{words}</text>'
        for place, words in _ticks((zero, low, high), x)
    ]
    return "".join([*parts, "</svg>"])


def _ticks(values: Sequence[float], x: Callable[[float], float]) -> list[tuple[float, str]]:
    """Return place and words of the ticks, without those that would touch one before them."""
    found: list[tuple[float, str]] = []
    for value in values:
        place, words = x(value), f"{value:.3g}".replace("-", "−")
        if all(abs(place - other) >= _LETTER * (len(words) + len(said) + 1) / 2 for other, said in found):
            found.append((place, words))
    return found


def _row(bar: Bar, y: float, x: Callable[[float], float]) -> list[str]:
    estimate = bar.estimate
    parts = [f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{outside(_short(bar.label))}</text>']
    if estimate.has_interval:
        parts.append(f'<line x1="{x(estimate.low)}" y1="{y}" x2="{x(estimate.high)}" y2="{y}" class="interval"/>')
    if math.isfinite(bar.limit):
        parts.append(f'<line x1="{x(bar.limit)}" y1="{y - 8}" x2="{x(bar.limit)}" y2="{y + 8}" class="limit"/>')
    parts.append(f'<circle cx="{x(estimate.value)}" cy="{y}" r="4" class="dot"/>')
    parts.append(f'<text x="{_LEFT + _INNER + 10}" y="{y + 4}">{outside(estimate_text(estimate))}</text>')
    return parts


def _range(bars: Sequence[Bar], zero: float) -> tuple[float, float]:
    ends = [zero]
    for bar in bars:
        own = (bar.estimate.value, bar.estimate.low, bar.estimate.high, bar.limit)
        ends += [value for value in own if math.isfinite(value)]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.05 or 1.0
    return low - room, high + room


def _short(text: str, most: int = 52) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
