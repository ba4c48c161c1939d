"""Rows of pairs as columns of numbers, for plots of all pairs over all steps; what was read once is not read again."""

from __future__ import annotations

import math
import sqlite3
import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.runs.ledger.timeline import Timeline, read_timeline

Floats = NDArray[np.float64]
_READ = "h, margin, weight, logp_chosen - ref_chosen, logp_rejected - ref_rejected, tokens_chosen - tokens_rejected"
_AT_ONCE = 5000


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
    """The rows of one kind that were read so far, by step, pair and number of the row.

    The number is 0 after a resume: of a probe that two attempts made at the same step, only the later one counts.
    """

    timeline: Timeline
    last_id: int = 0
    rows: dict[tuple[int, str, int], tuple[float, ...]] = field(default_factory=dict)
    columns: PairColumns | None = None


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
                known.columns = _columns(kind, known.rows)
            return known.columns


def _read_new(db: sqlite3.Connection, kind: str, known: _RowsSoFar) -> bool:
    """Read the rows that were written since; returns whether there were any."""
    query = (
        f"SELECT id, step, pair_id, {_READ} FROM pair_rows WHERE kind = ? AND id > ? AND {known.timeline.where()}"
        " ORDER BY id"
    )
    before, cursor = known.last_id, db.execute(query, (kind, known.last_id))
    once = len(known.timeline.limits) > 1
    while found := cursor.fetchmany(_AT_ONCE):
        for row in found:
            values = tuple(math.nan if value is None else float(value) for value in tuple(row)[3:])
            known.rows[row[1], row[2], 0 if once else row[0]] = values
        known.last_id = int(found[-1][0])
    return known.last_id != before


def _columns(kind: str, rows: dict[tuple[int, str, int], tuple[float, ...]]) -> PairColumns:
    if not rows:
        return PairColumns(kind)
    keys = sorted(rows, key=lambda key: key[0])
    values = np.array([rows[key] for key in keys], dtype=np.float64).T.copy()
    steps = np.array([step for step, _, _ in keys], dtype=np.int64)
    return PairColumns(kind, tuple(pair_id for _, pair_id, _ in keys), steps, *values)
