"""How far a run was at each step: pairs and response tokens seen, and minutes of training, from its ledger.

Training begins with the first step. Measurements and checkpoints between two steps belong to it; pauses, the time
between attempts, the preparation of an attempt and steps that a later attempt made again do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from core.runs.ledger.timeline import read_timeline
from core.runs.ledger.wall_time import Pause, paused_ms, pauses_of

_TABLES = ("events", "steps", "evals", "kls", "samples")
_MINUTE_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Sums up to and including each step that counts, by step.

    ``tokens`` is empty where a step has recorded neither time nor throughput.
    """

    steps: tuple[int, ...] = ()
    pairs: tuple[float, ...] = ()
    tokens: tuple[float, ...] = ()
    minutes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    step: int
    attempt: int
    at_ms: int | None
    seconds: float
    pairs: int
    tokens: int | None


def read_progress(db: sqlite3.Connection) -> StepProgress:
    """Return the progress of an open ledger; of a step that two attempts made, the later one counts."""
    query = (
        "SELECT step, attempt, at_ms, seconds, pairs, tokens_per_s FROM steps"
        f" WHERE {read_timeline(db).where()} ORDER BY seq"
    )
    found = {row[0]: _row(*row) for row in db.execute(query)}
    rows = [found[step] for step in sorted(found)]
    pauses = pauses_of(db, _TABLES)
    minutes = [_took_ms(rows[at - 1] if at else None, row, pauses) / _MINUTE_MS for at, row in enumerate(rows)]
    tokens = [row.tokens for row in rows if row.tokens is not None]
    return StepProgress(
        tuple(row.step for row in rows),
        _sums([row.pairs for row in rows]),
        _sums(tokens) if len(tokens) == len(rows) else (),
        _sums(minutes),
    )


def _row(
    step: int, attempt: int, at_ms: int | None, seconds: float | None, pairs: int | None, rate: float | None
) -> _Row:
    """Return a stored step; its tokens are what its throughput and its time come to."""
    tokens = round(rate * seconds) if rate and seconds else None
    return _Row(step, attempt, at_ms, seconds or 0.0, pairs or 0, tokens)


def _took_ms(before: _Row | None, row: _Row, pauses: Sequence[Pause]) -> float:
    """Return the milliseconds from the end of the step before to the end of this one; the first has its own time."""
    if before is None or before.attempt != row.attempt or before.at_ms is None or row.at_ms is None:
        return 1000.0 * row.seconds
    return max(0, row.at_ms - before.at_ms - paused_ms(pauses, before.at_ms, row.at_ms))


def _sums(values: Sequence[float]) -> tuple[float, ...]:
    total, sums = 0.0, []
    for value in values:
        total += value
        sums.append(total)
    return tuple(sums)
