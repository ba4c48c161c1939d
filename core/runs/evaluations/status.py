"""State and progress of an evaluation, from what it did, never from what was requested."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.clock import now_ms
from core.domain.errors import UsageError
from core.domain.evaluation_events import WORK, EvaluationStarted
from core.domain.run_events import Failed, Finished, PhaseChanged
from core.domain.run_record import LIVE_STATES, RunState
from core.runs.control_file import requested
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EVALUATION_LAYOUT, EvaluationLedger, StoredEvent
from core.runs.folder import WorkFolder
from core.runs.heartbeat import Worker, read_worker
from core.runs.ledger.wall_time import attempt_spans, paused_ms, pauses_of
from core.runs.status import state_of
from core.runs.time_left import TimeLeft, sum_of_costs
from core.training.control_protocol import Command

_ENDS = {
    "completed": "Everything is measured.",
    "stopped": "Cancelled as asked; the answers so far are kept, and it can be resumed.",
}
_NEWEST = 12
"""Finished batches of a kind that the time left is estimated from."""


@dataclass(frozen=True, slots=True)
class EvaluationStatus:
    """State and progress of an evaluation at one moment.

    Attributes:
        done, total: units of work (an answer, a scored pair, an answer of the KL) by kind: "answers", "scores",
            "kl_answers".
        phase: the running phase with ``phase_done`` of ``phase_total``; only while it lives.
        message, hint: why it failed or stopped. kind: the machine name of a failure.
        eta_s: seconds that remain, or None. eta_low_s, eta_high_s: the interval that holds them with 80 % probability.
        elapsed_s: wall time of all attempts without the time between them. paused_s: the part of it spent paused.
        requested: what control.json requests while it is worked on, "" otherwise.
    """

    state: RunState
    attempt: int = 0
    done: Mapping[str, int] = field(default_factory=dict)
    total: Mapping[str, int] = field(default_factory=dict)
    phase: str = ""
    phase_done: int = 0
    phase_total: int = 0
    phase_detail: str = ""
    message: str = ""
    hint: str = ""
    kind: str = ""
    detail: str = ""
    eta_s: float | None = None
    eta_low_s: float | None = None
    eta_high_s: float | None = None
    elapsed_s: float = 0.0
    paused_s: float = 0.0
    requested: Command | str = ""
    device: str = ""
    host: str = ""
    pid: int = 0
    started_ms: int = 0
    ended_ms: int = 0

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        total = sum(self.total.values())
        return sum(self.done.values()) / total if total else float(self.state == "finished")


def evaluation_status(folder: WorkFolder) -> EvaluationStatus:
    """Return state and progress now, of an evaluation or of a generation, whose ledger is alike.

    Raises:
        BadInput: when the ledger is damaged.
    """
    at_ms = now_ms()
    worker = read_worker(folder.worker)
    alive = worker is not None and worker.alive(at_ms)
    ledger = EvaluationLedger(folder.ledger)
    with ledger.open() as db:
        walls = _walls(db, at_ms if alive else None) if db is not None else (0, 0)
    events = ledger.events()
    status = _combined(events, worker, alive, walls)
    if status.state not in LIVE_STATES:
        return status
    status = replace(status, requested=requested(folder.control))
    left = _time_left(events, status) if status.state == "running" else None
    return replace(status, eta_s=left.seconds, eta_low_s=left.low, eta_high_s=left.high) if left else status


def require_evaluable(folder: EvaluationFolder) -> None:
    """Raise where the evaluation cannot be started or resumed.

    Raises:
        UsageError: when everything is measured.
        NotFound: when the folder holds no evaluation.
    """
    folder.record()
    if evaluation_status(folder).state == "finished":
        raise UsageError("This evaluation is finished.", "Look at its evidence, or make a new one.")


def _time_left(events: Sequence[StoredEvent], status: EvaluationStatus) -> TimeLeft | None:
    """Return the time that remains: each kind of work at what a unit of the newest batches took.

    None until a batch of each remaining kind is finished, so that no estimate leaves a kind out.
    """
    costs: dict[str, list[float]] = {}
    for stored in events:
        event = stored.event
        if isinstance(event, WORK) and event.count:
            costs.setdefault(event.event, []).append(event.seconds / event.count)
    left = {kind: status.total[kind] - status.done.get(kind, 0) for kind in status.total}
    if any(count > 0 and kind not in costs for kind, count in left.items()):
        return None
    return sum_of_costs({kind: found[-_NEWEST:] for kind, found in costs.items()}, left)


def _walls(db: sqlite3.Connection, live_until_ms: int | None) -> tuple[int, int]:
    tables = EVALUATION_LAYOUT.event_tables
    spans, pauses = attempt_spans(db, tables, live_until_ms), pauses_of(db, tables)
    return sum(end - begin for begin, end in spans), sum(paused_ms(pauses, begin, end) for begin, end in spans)


def _combined(
    events: Sequence[StoredEvent], worker: Worker | None, alive: bool, walls: tuple[int, int]
) -> EvaluationStatus:
    started, ended = _newest(events, (EvaluationStarted,)), _newest(events, (Finished, Failed))
    phase = _newest(events, (PhaseChanged,))
    begun = started.event if started else None
    attempt = max(worker.attempt if worker else 0, started.attempt if started else 0)
    counts = ended is not None and ended.attempt >= attempt
    state = state_of(ended.event if ended and counts else None, worker, alive, begun is not None)
    last = ended.event if ended and counts and not alive else None
    here = phase.event if phase and alive else PhaseChanged("load")
    return EvaluationStatus(
        state=state,
        attempt=attempt,
        done=_done(events),
        total={"answers": begun.answers, "scores": begun.pairs, "kl_answers": begun.kl_answers} if begun else {},
        phase=here.phase if phase and alive else "",
        phase_done=here.done,
        phase_total=here.total,
        phase_detail=here.detail,
        message=_message(last, state),
        hint=last.hint if isinstance(last, Failed) else "",
        kind=last.kind if isinstance(last, Failed) else "",
        detail=worker.detail if worker and alive else "",
        elapsed_s=walls[0] / 1000,
        paused_s=walls[1] / 1000,
        device=begun.device if begun else "",
        host=worker.host if worker else "",
        pid=worker.pid if worker and alive else 0,
        started_ms=started.at_ms if started else 0,
        ended_ms=ended.at_ms if ended and last is not None else 0,
    )


def _newest(events: Sequence[StoredEvent], kinds: tuple[type, ...]) -> StoredEvent | None:
    return next((stored for stored in reversed(events) if isinstance(stored.event, kinds)), None)


def _done(events: Sequence[StoredEvent]) -> dict[str, int]:
    done: dict[str, int] = {}
    for stored in events:
        event: Any = stored.event
        if isinstance(event, WORK):
            done[event.event] = done.get(event.event, 0) + event.count
    return done


def _message(ended: Finished | Failed | None, state: RunState) -> str:
    if isinstance(ended, Failed):
        return ended.message
    if isinstance(ended, Finished):
        return _ENDS.get(ended.reason, "")
    return "The process ended without a last event; every finished batch is safe." if state == "interrupted" else ""
