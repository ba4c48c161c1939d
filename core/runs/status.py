"""State and progress of a run, from what it did, never from what was requested.

While the process works, its heartbeat decides; afterwards the last event decides. A run whose process ended without a
last event was interrupted.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.clock import now_ms
from core.domain.errors import UsageError, UserError
from core.domain.look_plan import LooksPlanned
from core.domain.run_events import EvalDone, Failed, Finished, PhaseChanged, RunStarted, StepDone, from_plain
from core.domain.run_record import LIVE_STATES, RunState
from core.runs.control_file import requested
from core.runs.folder import RunFolder
from core.runs.heartbeat import Worker, read_worker
from core.runs.ledger import schema
from core.runs.ledger.open_read_only import open_ledger
from core.runs.ledger.run_clock import RunClock, read_clock
from core.runs.ledger.timeline import read_timeline
from core.runs.queue_file import is_queued
from core.runs.time_left import TimeLeft, time_left
from core.training.control_protocol import Command

_ENDS = {
    "completed": "All steps are done.",
    "stopped": "Stopped as asked; the last step is saved.",
    "stopped_without_saving": "Stopped as asked, without saving.",
    "kl_budget": "Stopped because the KL budget was reached.",
    "early_stop": "Stopped early: the held-out pairs got no better.",
}
"""What each reason of a finished run says."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """State and progress of a run at one moment.

    Attributes:
        step, total_steps: optimizer steps done and planned (0 planned: not known yet).
        phase: the running phase with ``phase_done`` of ``phase_total``; only while it lives.
        message, hint: why it failed or stopped. kind: the machine name of a failure.
        looks: how often it measures, None before that is planned.
        last: the newest step that counts; its means are over one batch.
        held_out: the newest held-out probe that counts, None before the first.
        eta_s: seconds that remain, steps, measurements and checkpoints included, or None.
        eta_low_s, eta_high_s: the interval that holds them with 80 % probability.
        elapsed_s: wall time of all attempts in seconds, without the time between them.
        paused_s: the part of it that the run was paused.
        requested: what control.json requests of a run that is worked on, "" otherwise.
        answer_s: seconds until the run looks at a request again, as far as is known: those of a micro-batch, or of one
            report of progress outside the steps. None where nothing was measured yet.
    """

    state: RunState
    attempt: int = 0
    step: int = 0
    total_steps: int = 0
    phase: str = ""
    phase_done: int = 0
    phase_total: int = 0
    phase_detail: str = ""
    message: str = ""
    hint: str = ""
    kind: str = ""
    detail: str = ""
    pair_ids: tuple[str, ...] = ()
    looks: LooksPlanned | None = None
    last: StepDone | None = None
    held_out: EvalDone | None = None
    eta_s: float | None = None
    eta_low_s: float | None = None
    eta_high_s: float | None = None
    elapsed_s: float = 0.0
    paused_s: float = 0.0
    requested: Command | str = ""
    answer_s: float | None = None
    device: str = ""
    host: str = ""
    pid: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    adapter_path: str = ""
    summary: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _LedgerFacts:
    """The facts of a run's ledger that its status is made of."""

    started: RunStarted | None = None
    started_ms: int = 0
    terminal: Finished | Failed | None = None
    terminal_ms: int = 0
    terminal_attempt: int = 0
    phase: PhaseChanged | None = None
    total: int = 0
    last: StepDone | None = None
    clock: RunClock = field(default_factory=RunClock)
    held_out: EvalDone | None = None
    looks: LooksPlanned | None = None


def read_status(folder: RunFolder, *, at_ms: int | None = None) -> RunStatus:
    """Return the status of the run in ``folder``."""
    at_ms = now_ms() if at_ms is None else at_ms
    worker = read_worker(folder.worker)
    alive = worker is not None and worker.alive(at_ms)
    with open_ledger(folder.ledger) as db:
        facts = _ledger_facts(db, at_ms if alive else None) if db is not None else _LedgerFacts()
    status = _combine(facts, worker, alive)
    if status.state == "created" and is_queued(folder):
        return replace(status, state="queued")
    if status.state not in LIVE_STATES:
        return status
    status = replace(status, requested=requested(folder.control), answer_s=_answer_s(facts, status))
    left = _time_left(folder, facts, status)
    return replace(status, eta_s=left.seconds, eta_low_s=left.low, eta_high_s=left.high) if left else status


def _answer_s(facts: _LedgerFacts, status: RunStatus) -> float | None:
    """Return the seconds between two looks at the requests: one micro-batch, or one report outside the steps."""
    if status.phase != "train":
        return facts.clock.phase_gap_s
    last = facts.last
    return last.seconds / last.micro_batches if last is not None and last.micro_batches else None


def _time_left(folder: RunFolder, facts: _LedgerFacts, status: RunStatus) -> TimeLeft | None:
    if status.state != "running" or not status.total_steps:
        return None
    try:
        return time_left(facts.clock, folder.record().config, status.step, status.total_steps)
    except UserError:  # an unreadable run.json is reported where the run itself is shown
        return None


def require_startable(folder: RunFolder) -> None:
    """Raise where the run cannot be started or resumed.

    Raises:
        UsageError: when all its steps are done, or it has settings that this version does not know.
        NotFound: when the folder holds no run.
    """
    folder.record().require_known_settings()
    if read_status(folder).state == "finished":
        raise UsageError("This run is finished.", "Fork it from a checkpoint, or create a new run.")


def _ledger_facts(db: sqlite3.Connection, live_until_ms: int | None) -> _LedgerFacts:
    started, started_ms, _ = _newest(db, "started")
    terminal, terminal_ms, terminal_attempt = _newest(db, "finished", "failed")
    phase, _, _ = _newest(db, "phase")
    looks, _, _ = _newest(db, "looks")
    where = read_timeline(db).where()
    row = db.execute(f"SELECT * FROM steps WHERE {where} ORDER BY seq DESC LIMIT 1").fetchone()
    last = schema.decode(StepDone, row) if row else None
    clock = read_clock(db, where=where, live_until_ms=live_until_ms)
    total, held_out = _total(db, started), _held_out(db, where)
    return _LedgerFacts(
        started, started_ms, terminal, terminal_ms, terminal_attempt, phase, total, last, clock, held_out, looks
    )


def _held_out(db: sqlite3.Connection, where: str) -> EvalDone | None:
    """Return the newest held-out probe that counts."""
    query = f"SELECT * FROM evals WHERE split = 'dev' AND {where} ORDER BY seq DESC LIMIT 1"
    row = db.execute(query).fetchone()
    return schema.decode(EvalDone, row) if row else None


def _total(db: sqlite3.Connection, started: RunStarted | None) -> int:
    """Return the planned steps: the train phase knows them exactly, the first event before pairs were dropped."""
    row = db.execute(
        "SELECT json FROM events WHERE event = 'phase' AND json LIKE '%\"train\"%'"
        " AND seq > COALESCE((SELECT MAX(seq) FROM events WHERE event = 'started'), 0) ORDER BY seq LIMIT 1"
    ).fetchone()
    exact = json.loads(row[0])["total"] if row else 0
    return exact or (started.total_steps if started else 0)


def _newest(db: sqlite3.Connection, *names: str) -> tuple[Any, int, int]:
    marks = ", ".join("?" * len(names))
    query = f"SELECT json, at_ms, attempt FROM events WHERE event IN ({marks}) ORDER BY seq DESC LIMIT 1"
    row = db.execute(query, names).fetchone()
    return (from_plain(json.loads(row[0])), row[1], row[2]) if row else (None, 0, 0)


def _combine(facts: _LedgerFacts, worker: Worker | None, alive: bool) -> RunStatus:
    attempt = max(worker.attempt if worker else 0, facts.started.attempt if facts.started else 0)
    terminal = facts.terminal if facts.terminal_attempt >= attempt else None
    state = state_of(terminal, worker, alive, facts.started is not None)
    step = facts.last.step if facts.last else 0
    total = facts.total
    live = alive and facts.phase is not None
    ended = facts.terminal if not alive and facts.terminal_attempt >= attempt else None
    return RunStatus(
        state=state,
        attempt=attempt,
        step=step,
        total_steps=total,
        phase=facts.phase.phase if live and facts.phase else "",
        phase_done=facts.phase.done if live and facts.phase else 0,
        phase_total=facts.phase.total if live and facts.phase else 0,
        phase_detail=facts.phase.detail if live and facts.phase else "",
        message=_message(ended, state),
        hint=ended.hint if isinstance(ended, Failed) else "",
        kind=ended.kind if isinstance(ended, Failed) else "",
        detail=worker.detail if worker and alive else "",
        pair_ids=ended.pair_ids if isinstance(ended, Failed) else (),
        looks=facts.looks,
        last=facts.last,
        held_out=facts.held_out,
        elapsed_s=facts.clock.elapsed_ms / 1000,
        paused_s=facts.clock.paused_ms / 1000,
        device=facts.started.device if facts.started else "",
        host=worker.host if worker else "",
        pid=worker.pid if worker and alive else 0,
        started_ms=facts.started_ms,
        ended_ms=facts.terminal_ms if ended else 0,
        adapter_path=ended.adapter_path if isinstance(ended, Finished) else "",
        summary=ended.summary if isinstance(ended, Finished) else None,
    )


def state_of(terminal: Finished | Failed | None, worker: Worker | None, alive: bool, begun: bool) -> RunState:
    """Return the state of a run or an evaluation.

    Args:
        terminal: the last event of the newest attempt, None while it has none.
        worker: the process that reported last.
        alive: whether it lives.
        begun: whether an attempt has begun.
    """
    if alive and worker is not None:
        return "running" if worker.state in ("starting", "ended") else worker.state
    if terminal is not None:
        if isinstance(terminal, Failed):
            return "failed"
        return "finished" if terminal.reason in ("completed", "kl_budget", "early_stop") else "stopped"
    return "interrupted" if worker is not None or begun else "created"


def _message(ended: Finished | Failed | None, state: RunState) -> str:
    if isinstance(ended, Failed):
        return ended.message
    if isinstance(ended, Finished):
        untrained = " The learning rate was 0 in every step: nothing was trained."
        return _ENDS[ended.reason] + (untrained if ended.summary.get("untrained") else "")
    return (
        "The process ended without a last event; everything up to the last step is safe."
        if state == "interrupted"
        else ""
    )
