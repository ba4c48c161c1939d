"""What the steps of a run recorded of memory: curves in GiB, and what stands in text and JSON.

Runs of earlier versions recorded nothing; their curves are empty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.domain.counting import counted
from core.domain.metrics import metric
from core.runs.run_reader import RunReader

GIB = 2**30
FIELDS: Mapping[str, str] = {"memory.resident": "resident_bytes", "memory.cuda_peak": "cuda_peak_bytes"}
"""Curve -> the field of a step that it shows."""
NOT_RECORDED = "not recorded"

MemoryCurve = tuple[list[int], list[float]]
"""Steps, and GiB at each."""


def memory_curves(reader: RunReader) -> dict[str, MemoryCurve]:
    """Return the curves of memory; a step without a number is left out."""
    return {name: _curve(reader, key) for name, key in FIELDS.items()}


def _curve(reader: RunReader, key: str) -> MemoryCurve:
    found = [(step, value / GIB) for step, value in zip(*reader.series(key), strict=True) if math.isfinite(value)]
    return [step for step, _ in found], [value for _, value in found]


def plain_memory(curves: Mapping[str, MemoryCurve]) -> dict[str, Any]:
    """Return the newest and the largest value of each curve with its n in steps; None where nothing was recorded."""
    found: dict[str, Any] = {"unit": "GiB"}
    for name, (steps, values) in curves.items():
        newest = {"step": steps[-1], "last": values[-1], "max": max(values), "n": len(values)} if steps else None
        found[name.removeprefix("memory.")] = newest
    return found


def memory_words(curves: Mapping[str, MemoryCurve]) -> str:
    """Return the same as one line."""
    parts = [
        f"{metric(FIELDS[name]).name.lower()} {values[-1]:.2f} GiB at step {steps[-1]}, at most {max(values):.2f}"
        f" (n {counted(len(values), 'step')})"
        for name, (steps, values) in curves.items()
        if steps
    ]
    return "; ".join(parts) or f"memory {NOT_RECORDED}"
