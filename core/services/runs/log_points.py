"""Every number of a run as points over steps and time, for the logs of other tools."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from core.domain.run_events import EvalDone, KlDone, StepDone
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import RunEstimates

_HEADS: Mapping[str, str] = {"dev": "held_out", "train": "train_probe"}
_BANDS = ("h", "accuracy", "margin", "loss")
"""Held-out numbers whose interval is written beside them, as ``held_out/h_low`` and ``held_out/h_high``."""
_NO_NUMBERS = ("step", "split", "rows", "extra")


@dataclass(frozen=True, slots=True)
class LogPoint:
    """What was measured at one moment: time in seconds since 1970, optimizer step, finite values by name."""

    at_s: float
    step: int
    values: Mapping[str, float]


def log_points(reader: RunReader) -> list[LogPoint]:
    """Return the points that count, in the order in which they were measured.

    Of a step that two attempts measured, the later one counts. Values that are not finite are left out.
    """
    counted = {("step", one.step) for one in reader.steps()}
    counted |= {(one.split, one.step) for one in reader.evals()} | {("kl", one.step) for one in reader.kls()}
    newest: dict[tuple[str, int], LogPoint] = {}
    for logged in reader.events_after(0):
        event = logged.event
        if isinstance(event, StepDone | EvalDone | KlDone) and (key := _key(event)) in counted:
            newest[key] = LogPoint(logged.at_ms / 1000, event.step, dict(_values(event)))
    bands = _bands(reader)
    found = [
        LogPoint(point.at_s, point.step, {**point.values, **bands.get(step, {})}) if kind == "dev" else point
        for (kind, step), point in newest.items()
    ]
    return sorted(found, key=lambda point: (point.at_s, point.step))


def _key(event: StepDone | EvalDone | KlDone) -> tuple[str, int]:
    kind = event.split if isinstance(event, EvalDone) else "kl" if isinstance(event, KlDone) else "step"
    return kind, event.step


def _values(event: StepDone | EvalDone | KlDone) -> Iterator[tuple[str, float]]:
    head = _HEADS.get(event.split, event.split) if isinstance(event, EvalDone) else _key(event)[0]
    plain: dict[str, Any] = {one.name: getattr(event, one.name) for one in fields(event) if one.name not in _NO_NUMBERS}
    extra = event.extra if isinstance(event, StepDone) else {}
    for name, value in {**plain, **extra}.items():
        if isinstance(value, int | float) and math.isfinite(value):
            yield f"{'train' if head == 'step' else head}/{name}", float(value)


def _bands(reader: RunReader) -> dict[int, dict[str, float]]:
    """Return the ends of the intervals of each held-out probe."""
    found: dict[int, dict[str, float]] = {}
    for name, series in RunEstimates(reader).series([f"dev.{name}" for name in _BANDS]).items():
        for at, step in enumerate(series.steps):
            ends = {"low": series.low[at], "high": series.high[at]}
            metric = name.removeprefix("dev.")
            known = {f"held_out/{metric}_{end}": v for end, v in ends.items() if math.isfinite(v)}
            found.setdefault(step, {}).update(known)
    return found


def plain_points(reader: RunReader) -> list[dict[str, Any]]:
    """Return :func:`log_points` as plain values."""
    return [asdict(point) for point in log_points(reader)]
