"""The newest values of a plot in words, from all that is known to what fits into the narrowest head."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.widgets.plots.curves import Curve, CurveSpec, not_shown_on_log, outside
from core.domain.number_text import format_value


def head_texts(
    curves: Sequence[tuple[CurveSpec, Curve]],
    *,
    unit: str = "",
    about: str = "",
    log_y: bool = False,
    fitted: float = 1.0,
) -> list[str]:
    """Return the texts, the longest first.

    Args:
        curves: those that are named, in order; where several are, each says its name.
        unit: of the values, where all have the same.
        about: stands for interval and n of the newest value ("± 0.732 SE · n 8 · 75 % cut").
        log_y: whether values at or below 0 have no place.
        fitted: share of the values that the axis is fitted to.
    """
    shown = [(spec, curve) for spec, curve in curves if curve.last_place is not None]
    notes = _notes([curve for _, curve in curves], log_y=log_y, fitted=fitted)
    short = re.sub(r", (the first )?at step [\d,]*\d", "", notes)
    if not shown:
        return list(dict.fromkeys((f"–{notes}", f"–{short}", "–")))
    named = len(curves) > 1
    whole = [_value(spec, curve, named=named, interval=True) for spec, curve in shown]
    brief = [_value(spec, curve, named=named, interval=False) for spec, curve in shown]
    first = next((i for i, (spec, _) in enumerate(shown) if spec.held_out), 0)
    parts = about.split(" · ") if about else []
    texts = [
        *([] if about else [f"{' · '.join(whole)} {unit}".rstrip() + notes]),
        *(f"{brief[first]} {' · '.join(parts[:k])}{notes}" for k in range(len(parts), 0, -1)),
        f"{' · '.join(brief)} {unit}".rstrip() + notes,
        f"{' · '.join(brief)}{notes}",
        f"{whole[first]}{notes}",
        f"{brief[first]}{notes}",
        *([f"{brief[first]}{short}"] if short != notes else []),
        brief[first],
        format_value(shown[first][1].last),
    ]
    return list(dict.fromkeys(texts))


def _value(spec: CurveSpec, curve: Curve, *, named: bool, interval: bool) -> str:
    place = curve.last_place
    words = curve.text(place, interval=interval) if place is not None else "–"
    return f"{spec.label} {words}" if named else words


def _notes(curves: Sequence[Curve], *, log_y: bool, fitted: float) -> str:
    """Return what the plot cannot draw as it is: missing numbers, values without a place, values outside."""
    notes = []
    if missing := sum(curve.missing for curve in curves):
        first = min(step for curve in curves if (step := curve.first_missing) is not None)
        notes.append(f"{missing:,} not a number, {'the first ' if missing > 1 else ''}at step {first:,.0f}")
    if undone := sum(curve.undone for curve in curves):
        notes.append(f"{undone:,} out of order")
    if log_y and (hidden := sum(not_shown_on_log(curve.values) for curve in curves)):
        notes.append(f"{hidden:,} at or below 0")
    if beyond := sum(outside(curve.values, fitted) for curve in curves):
        notes.append(f"{beyond:,} outside")
    return f"  ({', '.join(notes)})" if notes else ""
