"""Small plots as SVG text: estimates with their intervals along one axis. No script, no font, no file beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.estimate import Estimate
from core.domain.number_text import estimate_text
from core.services.reports.html_text import outside

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 860, 300, 270, 22, 8
_AXIS = 26


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

    def x(value: float) -> float:
        inner = _WIDTH - _LEFT - _RIGHT
        return round(_LEFT + inner * (min(max(value, low), high) - low) / (high - low), 2)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{outside(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{outside(title)}</title>',
        f'<line x1="{x(zero)}" y1="{_TOP}" x2="{x(zero)}" y2="{height - _AXIS}" class="zero"/>',
    ]
    for number, bar in enumerate(known):
        parts += _row(bar, _TOP + _ROW * number + _ROW / 2, x)
    base = height - _AXIS + 4
    parts.append(f'<line x1="{_LEFT}" y1="{base}" x2="{_WIDTH - _RIGHT}" y2="{base}" class="axis"/>')
    for value in (low, zero, high):
        parts.append(f'<text x="{x(value)}" y="{base + 15}" text-anchor="middle" class="tick">{value:.3g}</text>')
    return "".join([*parts, "</svg>"])


def _row(bar: Bar, y: float, x: Callable[[float], float]) -> list[str]:
    estimate = bar.estimate
    parts = [f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{outside(_short(bar.label))}</text>']
    if estimate.has_interval:
        parts.append(f'<line x1="{x(estimate.low)}" y1="{y}" x2="{x(estimate.high)}" y2="{y}" class="interval"/>')
    if math.isfinite(bar.limit):
        parts.append(f'<line x1="{x(bar.limit)}" y1="{y - 8}" x2="{x(bar.limit)}" y2="{y + 8}" class="limit"/>')
    parts.append(f'<circle cx="{x(estimate.value)}" cy="{y}" r="4" class="dot"/>')
    parts.append(f'<text x="{_WIDTH - _RIGHT + 10}" y="{y + 4}">{outside(estimate_text(estimate))}</text>')
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
