"""Where the steps of a run stand on an axis of pairs seen, tokens seen or minutes, and which step stands at a place.

A fork goes on where its parent was at the fork; where the parent is not there, it counts from the fork.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.domain.errors import UserError
from core.domain.x_axis import STEP, X_AXES
from core.runs.run_reader import RunReader

Floats = NDArray[np.float64]
Places = dict[str, "XPlaces"]
FindRun = Callable[[str], RunReader]
"""Returns the reader of a run by its id; raises UserError where it is not there."""


class XPlaces:
    """Steps and their places, straight lines between them and, at their mean slope, beyond them.

    Attributes:
        steps, places: both ascend; the first is the start of training.
    """

    def __init__(self, steps: Sequence[float], places: Sequence[float]) -> None:
        self.steps: Floats = np.asarray(steps, dtype=float)
        self.places: Floats = np.asarray(places, dtype=float)
        self._slope = float((self.places[-1] - self.places[0]) / (self.steps[-1] - self.steps[0]))

    def of(self, steps: Floats) -> Floats:
        """Return the places of steps; NaN stays NaN."""
        return _interpolated(steps, self.steps, self.places, self._slope)

    def steps_at(self, places: Floats) -> Floats:
        """Return the steps at places; NaN stays NaN."""
        return _interpolated(places, self.places, self.steps, 1.0 / self._slope)

    def same_as(self, other: XPlaces | None) -> bool:
        """Whether all steps stand where they stand in ``other``."""
        return (
            other is not None and np.array_equal(self.steps, other.steps) and np.array_equal(self.places, other.places)
        )


def _interpolated(x: Floats, known: Floats, values: Floats, slope: float) -> Floats:
    inside = np.interp(x, known, values)
    below, above = np.minimum(0.0, x - known[0]), np.maximum(0.0, x - known[-1])
    return inside + slope * (below + above)


def x_places(reader: RunReader, find: FindRun) -> Places:
    """Return the places of a run by the name of the axis; one that the run has no numbers for is left out.

    Args:
        reader: of the run.
        find: finds the run that this one was forked from.
    """
    return _places(reader, find, frozenset())


def _places(reader: RunReader, find: FindRun, seen: frozenset[str]) -> Places:
    record, progress = reader.record(), reader.progress()
    fork, before = float(record.parent_step), _before(record.parent_run, find, seen | {record.run_id})
    found: Places = {}
    for axis in X_AXES:
        if axis.name == STEP:
            continue
        steps, sums = list(progress.steps), list(getattr(progress, axis.name))
        joined = _joined(steps, sums, fork, before.get(axis.name)) if sums else None
        if joined is not None:
            found[axis.name] = joined
    return found


def _before(parent: str, find: FindRun, seen: frozenset[str]) -> Places:
    """Return the places of the run that was forked; none where it is no fork, or the other one is not there."""
    if not parent or parent in seen:
        return {}
    try:
        return _places(find(parent), find, seen)
    except UserError:
        return {}


def _joined(steps: Sequence[int], sums: Sequence[float], fork: float, parent: XPlaces | None) -> XPlaces | None:
    """Return the places of a run behind those of its parent up to the fork; None where they do not grow."""
    first: list[float] = [fork]
    places: list[float] = [0.0]
    if parent is not None and fork > 0:
        there = parent.steps < fork
        first = [*parent.steps[there].tolist(), fork]
        places = [*parent.places[there].tolist(), float(parent.of(np.asarray([fork]))[0])]
    base = places[-1]
    if not (sums[-1] > 0 and steps[-1] > first[-1]):
        return None
    return XPlaces([*first, *steps], [*places, *(base + value for value in sums)])
