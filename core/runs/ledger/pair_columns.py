"""Rows of pairs as columns of numbers, for plots of all pairs over all steps; what was read once is not read again."""

from __future__ import annotations

import math
import sqlite3
import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.runs.ledger.timeline import Timeline, read_timeline

Floats = NDArray[np.float64]
_READ = "h, margin, weight, logp_chosen - ref_chosen, logp_rejected - ref_rejected, tokens_chosen - tokens_rejected"
_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class PairColumns:
    """Measurements of pairs, one a row of the ledger, by step and then in the order of writing.

    Attributes:
        kind: which rows: "train", "dev" or "probe_train".
        pair_ids: (m,) names. steps: (m,) optimizer steps.
        h, chosen, rejected: (m,) nats; the last two are displacements. margin: (m,) nats × β. weight: (m,)
            gradient weight. longer: (m,) tokens of chosen minus tokens of rejected.
    """

    kind: str
    pair_ids: tuple[str, ...] = ()
    steps: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    h: Floats = field(default_factory=lambda: np.empty(0))
    margin: Floats = field(default_factory=lambda: np.empty(0))
    weight: Floats = field(default_factory=lambda: np.empty(0))
    chosen: Floats = field(default_factory=lambda: np.empty(0))
    rejected: Floats = field(default_factory=lambda: np.empty(0))
    longer: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def looks(self) -> list[int]:
        """The steps at which anything was measured, ascending."""
        return [int(step) for step in np.unique(self.steps)]

    def at(self, step: int) -> slice:
        """Return the rows of a step."""
        first, last = np.searchsorted(self.steps, (step, step + 1))
        return slice(int(first), int(last))


@dataclass(slots=True)
class _RowsSoFar:
    """The rows of one kind that were read so far, in the order of writing; ``places`` only after a resume."""

    timeline: Timeline
    last_id: int = 0
    steps: array[int] = field(default_factory=lambda: array("q"))
    pair_ids: list[str] = field(default_factory=list)
    numbers: tuple[array[float], ...] = field(default_factory=lambda: tuple(array("d") for _ in range(_COLUMNS)))
    places: dict[tuple[int, str], int] = field(default_factory=dict)
    columns: PairColumns | None = None

    def put(self, step: int, pair_id: str, values: Sequence[float | None]) -> None:
        """Take one row. Of a probe that two attempts made at the same step, only the later one counts."""
        place = self.places.get((step, pair_id)) if self.resumed else None
        if place is None:
            if self.resumed:
                self.places[step, pair_id] = len(self.pair_ids)
            self.steps.append(step)
            self.pair_ids.append(pair_id)
        for column, value in zip(self.numbers, values, strict=True):
            number = math.nan if value is None else float(value)
            if place is None:
                column.append(number)
            else:
                column[place] = number

    @property
    def resumed(self) -> bool:
        """Whether there was more than one attempt."""
        return len(self.timeline.limits) > 1


class PairColumnsCache:
    """Keeps the columns between calls and reads only new rows; after a resume it reads all again."""

    def __init__(self) -> None:
        self._known: dict[str, _RowsSoFar] = {}
        self._lock = threading.Lock()

    def read(self, db: sqlite3.Connection | None, kind: str) -> PairColumns:
        """Return all rows of a kind that count; a missing number is NaN."""
        if db is None:
            return PairColumns(kind)
        with self._lock:
            timeline = read_timeline(db)
            known = self._known.get(kind)
            if known is None or known.timeline != timeline:
                known = self._known[kind] = _RowsSoFar(timeline)
            if _read_new(db, kind, known) or known.columns is None:
                known.columns = _columns(kind, known)
            return known.columns


def _read_new(db: sqlite3.Connection, kind: str, known: _RowsSoFar) -> bool:
    """Read the rows that were written since; returns whether there were any."""
    query = (
        f"SELECT id, step, pair_id, {_READ} FROM pair_rows WHERE kind = ? AND id > ? AND {known.timeline.where()}"
        " ORDER BY id"
    )
    before = known.last_id
    for row in db.execute(query, (kind, before)):
        known.last_id = int(row[0])
        known.put(int(row[1]), str(row[2]), tuple(row)[3:])
    return known.last_id != before


def _columns(kind: str, known: _RowsSoFar) -> PairColumns:
    """Return the rows by step; they stand so already, but for a later attempt that went back."""
    steps = np.array(known.steps, dtype=np.int64)
    numbers = [np.array(column, dtype=np.float64) for column in known.numbers]
    ids: Sequence[str] = known.pair_ids
    if np.any(np.diff(steps) < 0):
        order = np.argsort(steps, kind="stable")
        steps, numbers = steps[order], [column[order] for column in numbers]
        ids = [ids[place] for place in order]
    return PairColumns(kind, tuple(ids), steps, *numbers)
