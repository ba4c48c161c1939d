"""One attempt at a run or an evaluation, from its lock to its last event.

Takes the lock of the folder, opens a new attempt in the ledger, stores each event before it asks for the next, and
makes sure that exactly one last event ends the attempt.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from core.domain.errors import GateFailed, StorageFull, UserError
from core.domain.run_events import TERMINAL, Failed, Finished, StepDone
from core.runs.control_file import ControlFile, request, stop_on_signals
from core.runs.event_lines import line_of
from core.runs.folder import WorkFolder
from core.runs.heartbeat import Heartbeat
from core.runs.hosting.recorder import Recorder
from core.runs.hosting.run_lock import lock_run
from core.runs.hosting.same_folder import while_it_stays
from core.runs.ledger.layout import LedgerLayout
from core.runs.ledger.schema import RUN_LAYOUT
from core.runs.ledger.writer import LedgerWriter


@dataclass(frozen=True, slots=True)
class Work:
    """What is done in a folder, and how it is hosted.

    Attributes:
        host: "process", "thread" or "terminal", as the status shows it.
        owner: id of the run or evaluation.
        require_startable: raises where it cannot be worked on; called once the lock is held.
        events: returns the events of this attempt (its number counts from 1).
        noun: what the folder is, for messages.
        layout: of the ledger. line: an event as one line of the log.
        on_event: called with each event after it was stored.
        signals: signals that mean stop and save; in the main thread only.
        reset: drop earlier requests, such as the stop that an earlier attempt ended with.
        safe: what an error of the program leaves untouched, for its message.
    """

    host: str
    owner: str
    require_startable: Callable[[], None]
    events: Callable[[ControlFile, int], Iterator[Any]]
    noun: str = "run"
    layout: LedgerLayout = RUN_LAYOUT
    line: Callable[[Any], str] = line_of
    on_event: Callable[[Any], None] | None = None
    signals: tuple[int, ...] = ()
    reset: bool = False
    safe: str = "Everything up to the last checkpoint is safe."


def attend(folder: WorkFolder, work: Work) -> Finished | Failed:
    """Work on the folder until the last event of this attempt, and return that event.

    Raises:
        WorkspaceInUse: when another process works on it.
        StorageFull: when the disk is full and the work was asked to stop meanwhile.
    """
    with lock_run(folder, work.noun):
        work.require_startable()
        if work.reset:
            request(folder.control, "run")
        with stop_on_signals(folder.control, work.signals):
            ledger = LedgerWriter(folder.ledger, work.owner, layout=work.layout)
            heartbeat = Heartbeat(folder.worker, host=work.host, attempt=ledger.attempt)
            heartbeat.start()
            try:
                return _attempt(folder, work, ledger, heartbeat)
            finally:
                ledger.close()
                heartbeat.end()


def _attempt(folder: WorkFolder, work: Work, ledger: LedgerWriter, heartbeat: Heartbeat) -> Finished | Failed:
    control = ControlFile(folder.control)
    recorder = Recorder(
        ledger,
        folder.log,
        heartbeat,
        wait=control.wait,
        give_up=lambda: control.command() in ("stop_and_save", "stop_now"),
        line=work.line,
    )
    events = while_it_stays(work.events(control, ledger.attempt), folder.path, work.noun)
    events = guarded(events, work.noun, work.safe)
    with contextlib.closing(events):
        for event in events:
            stored = recorder.record(event)
            if work.on_event is not None:
                work.on_event(stored)
            if isinstance(stored, Finished | Failed):
                return stored
    raise AssertionError("guarded() always ends with a last event")


def guarded(
    events: Iterator[Any], noun: str = "run", safe: str = "Everything up to the last checkpoint is safe."
) -> Generator[Any, None, None]:
    """Yield the events and make sure that exactly one last event ends them; an exception becomes ``Failed``."""
    step = 0
    try:
        for event in events:
            if isinstance(event, StepDone):
                step = event.step
            yield event
            if isinstance(event, TERMINAL):
                return
        yield Failed("error", "The engine ended without a last event.", "Please report this.", step)
    except StorageFull as error:
        yield _failed("storage_full", error, step)
    except GateFailed as error:
        yield _failed(f"gate:{error.cause}", error, step)
    except UserError as error:
        yield _failed("refused", error, step)
    except Exception as error:  # noqa: BLE001 (every run must end with a last event)
        yield Failed(
            "error",
            f"The {noun} stopped because of an error in the program{_noted(error)}: {type(error).__name__}: {error}",
            f"{safe} Please report this with the log.",
            step,
            traceback=traceback.format_exc(),
        )


def _noted(error: Exception) -> str:
    """Return in brackets where it happened, as far as the work noted it."""
    notes = getattr(error, "__notes__", ())
    return f" ({'; '.join(map(str, notes))})" if notes else ""


def _failed(kind: str, error: UserError, step: int) -> Failed:
    """Return the last event for an error; one that names items has their ids in ``items``."""
    return Failed(kind, error.message, error.hint, step, tuple(getattr(error, "items", ())))
