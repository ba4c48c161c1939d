"""Curves of a run as plain arrays; what was read once is not read again."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from array import array
from dataclasses import dataclass, field

from core.domain.errors import NotFound
from core.domain.run_events import EvalDone, KlDone, StepDone
from core.runs.ledger import schema
from core.runs.ledger.timeline import Timeline, read_timeline

Series = tuple["array[int]", "array[float]"]
_NOT_CURVES = ("step", "split", "extra", "pairs")


@dataclass(slots=True)
class _Curve:
    """The part of one curve that was read so far; ``index`` maps a step to its position in the arrays."""

    timeline: Timeline
    last_seq: int = 0
    steps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    index: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Source:
    """The table and column of a curve, with the split or the key of ``extra`` where needed."""

    table: str
    column: str
    split: str = ""
    key: str = ""


class SeriesCache:
    """Keeps curves between calls and reads only new rows; after a resume it reads all again."""

    def __init__(self) -> None:
        self._curves: dict[str, _Curve] = {}
        self._lock = threading.Lock()

    def read(self, db: sqlite3.Connection | None, name: str) -> Series:
        """Return copies of ``(steps, values)``; steps ascend, a missing value is NaN.

        Raises:
            NotFound: when no metric has that name.
        """
        source = source_of(name)
        if db is None:
            return array("q"), array("d")
        with self._lock:
            timeline = read_timeline(db)
            curve = self._curves.get(name)
            if curve is None or curve.timeline != timeline:
                curve = self._curves[name] = _Curve(timeline)
            _read_new_rows(db, source, curve)
            return array("q", curve.steps), array("d", curve.values)

    def names(self, db: sqlite3.Connection | None) -> tuple[str, ...]:
        """Return the names that have a value in the newest row of their table."""
        if db is None:
            return ()
        names: list[str] = []
        row = db.execute("SELECT * FROM steps ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None:
            names += _present(StepDone, row)
            names += [f"extra.{key}" for key in json.loads(row["extra"] or "{}")]
        for (split,) in db.execute("SELECT DISTINCT split FROM evals ORDER BY split").fetchall():
            row = db.execute("SELECT * FROM evals WHERE split = ? ORDER BY seq DESC LIMIT 1", (split,)).fetchone()
            names += [f"{split}.{column}" for column in _present(EvalDone, row)]
        row = db.execute("SELECT * FROM kls ORDER BY seq DESC LIMIT 1").fetchone()
        if row is not None:
            names += [f"kl.{column}" for column in _present(KlDone, row)]
        return tuple(names)


def source_of(name: str) -> _Source:
    """Return where the metric ``name`` is stored.

    Raises:
        NotFound: when no metric has that name.
    """
    head, _, tail = name.partition(".")
    if not tail and head in _numeric(StepDone):
        return _Source("steps", head)
    if head == "extra" and tail:
        return _Source("steps", "extra", key=tail)
    if head == "kl" and tail in _numeric(KlDone):
        return _Source("kls", tail)
    if tail in _numeric(EvalDone):
        return _Source("evals", tail, split=head)
    raise NotFound(f"No metric is called {name!r}.", "See the list of metrics of the run.")


def _numeric(cls: type) -> list[str]:
    return [c.name for c in schema.columns(cls) if c.kind in ("float", "int") and c.name not in _NOT_CURVES]


def _present(cls: type, row: sqlite3.Row) -> list[str]:
    present = set(row.keys())
    return [name for name in _numeric(cls) if name in present and row[name] is not None]


def _read_new_rows(db: sqlite3.Connection, source: _Source, curve: _Curve) -> None:
    if source.column not in _columns_of(db, source.table):
        return  # an older program wrote the ledger; SQLite would read the quoted name as a text
    query = (
        f'SELECT seq, step, "{source.column}" FROM {source.table} WHERE seq > ? AND {curve.timeline.where()}'
        f"{' AND split = ?' if source.split else ''} ORDER BY seq"
    )
    values = (curve.last_seq, source.split) if source.split else (curve.last_seq,)
    for seq, step, raw in db.execute(query, values):
        curve.last_seq = seq
        value = _number(raw, source.key)
        if value is not None:
            _put(curve, step, value)


def _columns_of(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def _put(curve: _Curve, step: int, value: float) -> None:
    position = curve.index.get(step)
    if position is None:
        curve.index[step] = len(curve.steps)
        curve.steps.append(step)
        curve.values.append(value)
    else:
        curve.values[position] = value


def _number(raw: float | str | None, key: str) -> float | None:
    """Return the stored number, NaN for NULL, and None where the step has no such part."""
    if key:
        parts = json.loads(raw) if isinstance(raw, str) else {}
        if key not in parts:
            return None
        raw = parts[key]
    return math.nan if raw is None else float(raw)
