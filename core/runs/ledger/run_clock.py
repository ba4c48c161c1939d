"""Wall time of a run and what its pieces of work cost, from the times that its ledger holds.

The pieces are the optimizer steps and what is done between them: the probe of the pairs, the on-policy KL, the samples
side by side, and the checkpoint. Time spent paused belongs to no piece.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.runs.ledger.wall_time import Pause, attempt_spans, paused_ms, pauses_of

STEP_ROWS = 20
"""Newest steps whose seconds are read."""

LOOK_ROWS = 8
"""Newest measurements of each kind whose seconds are read."""

_LOOKS: tuple[tuple[str, str], ...] = (("eval", "evals"), ("kl", "kls"), ("sample", "samples"))
"""Kinds of measurement with their tables, in the order in which a run makes them after a step."""

_TABLES = ("events", "steps", "evals", "kls", "samples")


@dataclass(frozen=True, slots=True)
class RunClock:
    """The times of one run.

    Attributes:
        elapsed_ms: wall time of all attempts, from the first event of each to its last; of the attempt that is worked
            on, to now. Time between attempts does not count, time spent paused does.
        paused_ms: the part of it that was spent paused.
        costs: seconds of the newest pieces of work by kind ("step", "eval", "kl", "sample", "save"), oldest first.
        every: steps between two measurements of each kind, where the run has planned them.
        made: kinds of measurement that the newest step of the newest attempt has already.
        idle_s: seconds since the newest piece of work ended; how long the piece going on has taken. 0 when it is
            paused or not worked on.
        phase_gap_s: seconds between the two newest reports of progress in the same phase, or None.
    """

    elapsed_ms: int = 0
    paused_ms: int = 0
    costs: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    every: Mapping[str, int] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
    idle_s: float = 0.0
    phase_gap_s: float | None = None


def read_clock(db: sqlite3.Connection, *, where: str, live_until_ms: int | None = None) -> RunClock:
    """Return the clock of an open ledger.

    Args:
        db: the ledger, opened for reading.
        where: the SQL condition of the rows that count, from ``Timeline.where``.
        live_until_ms: the time now (UTC milliseconds) when a process works on the run, else None.
    """
    pauses = pauses_of(db, _TABLES)
    spans = attempt_spans(db, _TABLES, live_until_ms)
    costs = {"step": _step_costs(db, where), **_look_costs(db, where, pauses), "save": _save_costs(db)}
    newest = _newest_piece_ms(db)
    idle = 0.0
    if live_until_ms is not None and newest and not any(pause.end_ms is None for pause in pauses[-1:]):
        idle = max(0, live_until_ms - newest - paused_ms(pauses, newest, live_until_ms)) / 1000
    return RunClock(
        elapsed_ms=sum(end - begin for begin, end in spans),
        paused_ms=sum(paused_ms(pauses, begin, end) for begin, end in spans),
        costs={kind: found for kind, found in costs.items() if found},
        every=_every(db),
        made=_made(db),
        idle_s=idle,
        phase_gap_s=_phase_gap_s(db),
    )


def _step_costs(db: sqlite3.Connection, where: str) -> tuple[float, ...]:
    query = f"SELECT seconds FROM steps WHERE {where} ORDER BY seq DESC LIMIT {STEP_ROWS}"
    return tuple(row[0] for row in db.execute(query) if row[0] is not None)[::-1]


def _save_costs(db: sqlite3.Connection) -> tuple[float, ...]:
    query = f"SELECT json FROM events WHERE event = 'checkpoint' ORDER BY seq DESC LIMIT {LOOK_ROWS}"
    return tuple(float(json.loads(row[0])["seconds"]) for row in db.execute(query))[::-1]


def _look_costs(db: sqlite3.Connection, where: str, pauses: Sequence[Pause]) -> dict[str, tuple[float, ...]]:
    """Return the seconds of the newest measurements of each kind.

    A measurement lasts from the end of what came before it after the same step to its own last row. Samples of the
    start that were drawn with later ones cost nothing.
    """
    ends: dict[str, dict[tuple[int, int], int]] = {}
    first = dict(db.execute("SELECT attempt, MIN(at_ms) FROM steps GROUP BY attempt").fetchall())
    for kind, table in _LOOKS:
        query = (
            f"SELECT attempt, step, MAX(at_ms) FROM {table} WHERE {where} GROUP BY attempt, step"
            f" ORDER BY attempt DESC, step DESC LIMIT {LOOK_ROWS}"
        )
        found = {(attempt, step): at_ms for attempt, step, at_ms in db.execute(query)}
        ends[kind] = {key: at_ms for key, at_ms in found.items() if key[1] or at_ms <= first.get(key[0], at_ms)}
        if len(ends[kind]) > 1:  # at the start the reference's values may stand for the policy's, which costs less
            ends[kind] = {key: at_ms for key, at_ms in ends[kind].items() if key[1]} or ends[kind]
    costs: dict[str, list[float]] = {kind: [] for kind, _ in _LOOKS}
    for attempt, step in sorted(set().union(*ends.values())):
        before = _begin_ms(db, attempt, step)
        for kind, _ in _LOOKS:
            end = ends[kind].get((attempt, step))
            if end is None:
                continue
            if before is not None:
                costs[kind].append(max(0, end - before - paused_ms(pauses, before, end)) / 1000)
            before = end
    return {kind: tuple(found[-LOOK_ROWS:]) for kind, found in costs.items()}


def _begin_ms(db: sqlite3.Connection, attempt: int, step: int) -> int | None:
    """Return when the measurements after ``step`` began: at its end, or for step 0 at the end of the preparation."""
    if step:
        query = "SELECT at_ms FROM steps WHERE attempt = ? AND step = ?"
        row = db.execute(query, (attempt, step)).fetchone()
    else:
        query = "SELECT MAX(at_ms) FROM events WHERE attempt = ? AND event IN ('started', 'tokens', 'gate')"
        row = db.execute(query, (attempt,)).fetchone()
    return row[0] if row else None


def _every(db: sqlite3.Connection) -> dict[str, int]:
    """Return the newest plan of measurements, {} where the run has none."""
    row = db.execute("SELECT json FROM events WHERE event = 'looks' ORDER BY seq DESC LIMIT 1").fetchone()
    return {kind: int(json.loads(row[0])[f"{kind}_every"]) for kind, _ in _LOOKS} if row else {}


def _made(db: sqlite3.Connection) -> frozenset[str]:
    """Return the kinds of measurement that the newest step of the newest attempt has."""
    row = db.execute("SELECT attempt, step FROM steps ORDER BY seq DESC LIMIT 1").fetchone() or (1, 0)
    query = "SELECT 1 FROM {} WHERE attempt = ? AND step = ? LIMIT 1"
    return frozenset(kind for kind, table in _LOOKS if db.execute(query.format(table), tuple(row)).fetchone())


def _newest_piece_ms(db: sqlite3.Connection) -> int:
    """Return when the newest step, measurement or checkpoint ended; 0 before the first."""
    query = "SELECT at_ms FROM {} ORDER BY seq DESC LIMIT 1"
    rows = [db.execute(query.format(table)).fetchone() for table in ("steps", "evals", "kls", "samples")]
    rows.append(db.execute("SELECT MAX(at_ms) FROM events WHERE event IN ('started', 'checkpoint')").fetchone())
    return max((row[0] for row in rows if row and row[0]), default=0)


def _phase_gap_s(db: sqlite3.Connection) -> float | None:
    """Return the seconds between the two newest reports of the same phase, or None where there are not two."""
    query = "SELECT at_ms, json FROM events WHERE event = 'phase' ORDER BY seq DESC LIMIT 2"
    rows = [(at_ms, json.loads(text)) for at_ms, text in db.execute(query)]
    if len(rows) < 2:
        return None
    (new_ms, new), (old_ms, old) = rows
    same = (new["phase"], new["detail"]) == (old["phase"], old["detail"]) or new["phase"] == old["phase"] == "reference"
    return (new_ms - old_ms) / 1000 if same and new["done"] > old["done"] else None
