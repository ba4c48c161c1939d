"""Read a run at any time: its record, status, events, curves and pairs.

Works while the run is worked on and afterwards, for runs of other processes and machines, and on read-only media. Each
call opens the ledger read-only and closes it again, so that readers do not block the writer, and the writer can leave a
single file when it closes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.domain.run_config import RunConfig
from core.domain.run_events import (
    EVENT_TYPES,
    EvalDone,
    KlDone,
    PairMetrics,
    RunEvent,
    SampleDone,
    StepDone,
    from_plain,
)
from core.domain.run_record import RunRecord
from core.runs.folder import RunFolder
from core.runs.ledger import schema
from core.runs.ledger.open_read_only import open_ledger
from core.runs.ledger.schema import kind_of
from core.runs.ledger.series import Series, SeriesCache
from core.runs.ledger.step_progress import StepProgress, read_progress
from core.runs.ledger.timeline import read_timeline
from core.runs.status import RunStatus, read_status

if TYPE_CHECKING:
    from core.runs.ledger.pair_columns import PairColumns, PairColumnsCache


@dataclass(frozen=True, slots=True)
class PairVisit:
    """What the engine measured of one pair at one step, with step, attempt and kind."""

    step: int
    attempt: int
    kind: str
    row: PairMetrics

    @property
    def pair_id(self) -> str:
        """Stable name of the pair."""
        return self.row.pair_id


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with its number, attempt and time in the ledger."""

    seq: int
    attempt: int
    at_ms: int
    event: RunEvent


T = TypeVar("T", StepDone, EvalDone, KlDone, SampleDone)
_VISIT = "step, attempt, kind, " + ", ".join(f'"{column.name}"' for column in schema.columns(PairMetrics))


class RunReader:
    """Reads one run folder. It may be used from several threads."""

    def __init__(self, run_dir: Path) -> None:
        self.folder = RunFolder(Path(run_dir))
        self._last_seq = 0
        self._lock = threading.Lock()
        self._series = SeriesCache()
        self._columns: PairColumnsCache | None = None

    # What the run is

    def record(self) -> RunRecord:
        """Return the content of ``run.json``."""
        return self.folder.record()

    def config(self) -> RunConfig:
        """Return the frozen settings."""
        return self.record().config

    def status(self) -> RunStatus:
        """Return state and progress, from ledger, heartbeat and process."""
        return read_status(self.folder)

    def log_tail(self, lines: int = 500) -> list[str]:
        """Return the last lines of the run's log."""
        return self.folder.log_tail(lines)

    # Events

    def poll(self, *, rows: bool = False) -> list[RunEvent]:
        """Return the events since the last call, in order; the first call returns all of them.

        After a resume a new ``RunStarted`` follows; earlier steps after its ``resumed_from`` no longer count.
        """
        with self._lock:
            logged = self.events_after(self._last_seq, rows=rows)
            if logged:
                self._last_seq = logged[-1].seq
        return [item.event for item in logged]

    def events(self) -> list[LoggedEvent]:
        """Return every event of every attempt, without pair rows."""
        return self.events_after(0)

    def events_after(self, seq: int, *, rows: bool = False) -> list[LoggedEvent]:
        """Return the events numbered above ``seq``, in order."""
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            query = "SELECT * FROM events WHERE seq > ? ORDER BY seq"
            found = [_logged(row) for row in db.execute(query, (seq,)) if row["event"] in EVENT_TYPES]
            for cls, table in schema.TABLES.items():
                query = f"SELECT * FROM {table} WHERE seq > ? ORDER BY seq"
                for row in db.execute(query, (seq,)):
                    values = _with_rows(db, cls, row) if rows else schema.decode(cls, row)
                    found.append(LoggedEvent(row["seq"], row["attempt"], row["at_ms"], values))
        return sorted(found, key=lambda item: item.seq)

    def log_events(self) -> list[LoggedEvent]:
        """Return the events that are not measurements: start, phases, gate, tokens, warnings, checkpoints, end."""
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            query = "SELECT * FROM events ORDER BY seq"
            return [_logged(row) for row in db.execute(query) if row["event"] in EVENT_TYPES]

    def steps(self) -> list[StepDone]:
        """Return the optimizer steps that count, without pair rows."""
        return self._latest(StepDone, ())

    # Curves

    def series(self, name: str) -> Series:
        """Return ``(steps, values)`` of one metric as two arrays.

        ``name`` is a field of a step (``loss``, ``margin``, ``extra.nll``), a field of a probe with its
        split in front (``dev.margin``, ``train.kl_chosen``) or of the sequence KL (``kl.kl``, ``kl.se``).
        """
        with open_ledger(self.folder.ledger) as db:
            return self._series.read(db, name)

    def series_names(self) -> tuple[str, ...]:
        """Return the names that :meth:`series` has values for now."""
        with open_ledger(self.folder.ledger) as db:
            return self._series.names(db)

    def progress(self) -> StepProgress:
        """Return pairs and tokens seen and minutes of training up to each step that counts."""
        with open_ledger(self.folder.ledger) as db:
            return StepProgress() if db is None else read_progress(db)

    def evals(self, split: str | None = None) -> list[EvalDone]:
        """Return the probes that count, by step, without pair rows."""
        found = self._latest(EvalDone, ("split",))
        return [event for event in found if split is None or event.split == split]

    def kls(self) -> list[KlDone]:
        """Return the on-policy KL estimates that count, by step."""
        return self._latest(KlDone, ())

    def samples(self, step: int | None = None) -> list[SampleDone]:
        """Return the side-by-side samples that count, by step."""
        found = self._latest(SampleDone, ("pair_id", "seed"))
        return [event for event in found if step is None or event.step == step]

    def _latest(self, cls: type[T], keys: Sequence[str]) -> list[T]:
        """Return the rows of a table that count; of a step measured twice, the later attempt's."""
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            where = read_timeline(db).where()
            query = f"SELECT * FROM {schema.TABLES[cls]} WHERE {where} ORDER BY seq"
            kept = {(row["step"], *(row[key] for key in keys)): schema.decode(cls, row) for row in db.execute(query)}
        return [kept[key] for key in sorted(kept)]

    # Pairs

    def pairs_of_step(self, step: int, kind: str = schema.TRAIN) -> list[PairVisit]:
        """Return the pairs of one step, worst margin first."""
        return self.pairs_of_range(step, step, kind)

    def pairs_of_range(
        self, first: int, last: int, kind: str = schema.TRAIN, *, limit: int | None = None
    ) -> list[PairVisit]:
        """Return every visit of steps ``first`` to ``last`` (both included), worst margin first."""
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            query = (
                f"SELECT {_VISIT} FROM pair_rows WHERE kind = ? AND step BETWEEN ? AND ? AND {_counts(db)}"
                f" ORDER BY margin, id LIMIT ?"
            )
            return _visits(db, query, (kind, first, last, -1 if limit is None else limit))

    def pair_columns(self, kind: str) -> PairColumns:
        """Return the numbers of all pairs of a kind over all steps as columns; only new rows are read."""
        from core.runs.ledger.pair_columns import PairColumnsCache  # loads numpy, for which the window does not wait

        with self._lock:
            columns = self._columns = self._columns or PairColumnsCache()
        with open_ledger(self.folder.ledger) as db:
            return columns.read(db, kind)

    def pair_history(self, pair_id: str, kind: str | None = None) -> list[PairVisit]:
        """Return every visit of one pair over all steps, oldest first; ``kind`` None takes all kinds."""
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            query = (
                f"SELECT {_VISIT} FROM pair_rows WHERE pair_id = ? AND (? IS NULL OR kind = ?) AND {_counts(db)}"
                f" ORDER BY step, id"
            )
            return _visits(db, query, (pair_id, kind, kind))

    def worst(
        self,
        n: int,
        *,
        first: int | None = None,
        last: int | None = None,
        kind: str = schema.TRAIN,
    ) -> list[PairVisit]:
        """Return the ``n`` pairs with the lowest margin at their last visit (within a range of steps)."""
        visits = self._last_visits("kind = ?", (kind,), first, last)
        return sorted(visits, key=lambda visit: visit.row.margin)[:n]

    def last_visits(
        self, pair_ids: Sequence[str], kind: str | None = None, *, first: int | None = None, last: int | None = None
    ) -> list[PairVisit]:
        """Return the last visit of each of the pairs that has one (within a range of steps), in their order.

        ``kind`` None takes all kinds of rows.
        """
        wanted = "pair_id IN (SELECT value FROM json_each(?)) AND (? IS NULL OR kind = ?)"
        found = self._last_visits(wanted, (json.dumps(list(pair_ids)), kind, kind), first, last)
        by_pair = {visit.pair_id: visit for visit in found}
        return [by_pair[pair_id] for pair_id in pair_ids if pair_id in by_pair]

    def _last_visits(
        self, condition: str, values: Sequence[Any], first: int | None, last: int | None
    ) -> list[PairVisit]:
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            where = read_timeline(db).where()
            query = (
                f"SELECT {_VISIT}, MAX(id) FROM pair_rows WHERE {condition} AND (? IS NULL OR step >= ?)"
                f" AND (? IS NULL OR step <= ?) AND {where} GROUP BY pair_id ORDER BY id"
            )
            return _visits(db, query, (*values, first, first, last, last))

    def newest_probe(self, kind: str) -> list[PairVisit]:
        """Return the pairs of the newest probe of a kind ("dev", "probe_train"), all at one step, worst first."""
        with open_ledger(self.folder.ledger) as db:
            if db is None:
                return []
            query = f"SELECT MAX(step) FROM pair_rows WHERE kind = ? AND {read_timeline(db).where()}"
            step = db.execute(query, (kind,)).fetchone()[0]
        return [] if step is None else self.pairs_of_step(step, kind)


_NEWEST = (
    "NOT EXISTS (SELECT 1 FROM pair_rows AS later WHERE later.kind = pair_rows.kind AND later.step = pair_rows.step"
    " AND later.pair_id = pair_rows.pair_id AND later.attempt > pair_rows.attempt)"
)
"""Of a probe at the same step before and after a resume, only the later one counts."""


def _counts(db: sqlite3.Connection) -> str:
    """Return the SQL condition for the pair rows that count."""
    timeline = read_timeline(db)
    return timeline.where() if len(timeline.limits) < 2 else f"{timeline.where()} AND {_NEWEST}"


def _visits(db: sqlite3.Connection, query: str, values: Sequence[Any]) -> list[PairVisit]:
    return [
        PairVisit(row["step"], row["attempt"], row["kind"], schema.decode(PairMetrics, row))
        for row in db.execute(query, values)
    ]


def _logged(row: sqlite3.Row) -> LoggedEvent:
    return LoggedEvent(row["seq"], row["attempt"], row["at_ms"], from_plain(json.loads(row["json"])))


def _with_rows(db: sqlite3.Connection, cls: type, row: sqlite3.Row) -> Any:
    event = schema.decode(cls, row)
    if not hasattr(event, "rows"):
        return event
    names = ", ".join(f'"{column.name}"' for column in schema.columns(PairMetrics))
    query = f"SELECT {names} FROM pair_rows WHERE kind = ? AND step = ? AND seq = ? ORDER BY id"
    found = db.execute(query, (kind_of(event), event.step, row["seq"]))
    return replace(event, rows=tuple(schema.decode(PairMetrics, item) for item in found))
