"""Store the events of a run or an evaluation: in the ledger, as lines of the log, and as the state in the heartbeat."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from core.domain.errors import StorageFull
from core.domain.evaluation_events import STARTED
from core.domain.run_events import Failed, Finished, StateChanged, Warned
from core.private_files import follow_folder
from core.runs.event_lines import line_of
from core.runs.heartbeat import Heartbeat, WorkerState

_ROOM_PAUSE_S = 5.0


class Ledger(Protocol):
    """The part of the ledger that the recorder uses."""

    attempt: int

    def append(self, event: Any) -> int:
        """Store one event."""
        ...


class Recorder:
    """Stores each event before the engine continues, so that everything that is shown is also stored.

    When the disk is full, the engine waits: the recorder reports "paused" and tries again every few seconds, until
    there is room or ``give_up`` returns True.
    """

    def __init__(
        self,
        ledger: Ledger,
        log: Path,
        heartbeat: Heartbeat,
        *,
        wait: Callable[[float], None],
        give_up: Callable[[], bool],
        line: Callable[[Any], str] = line_of,
    ) -> None:
        self._line = line
        self._ledger = ledger
        self._log = log
        self._heartbeat = heartbeat
        self._wait = wait
        self._give_up = give_up
        self._state: WorkerState = "starting"

    def record(self, event: Any) -> Any:
        """Store ``event`` and return it as stored (with this attempt's number).

        Raises:
            StorageFull: when there is no room and the run was asked to stop.
        """
        if isinstance(event, STARTED):
            event = replace(event, attempt=self._ledger.attempt)
        waited = self._append(event)
        self._follow(event)
        self._write_line(event)
        if waited:
            self.record(Warned("storage_full", "The disk was full; the run waited until there was room again."))
        return event

    def _append(self, event: Any) -> bool:
        waited = False
        while True:
            try:
                self._ledger.append(event)
                break
            except StorageFull as error:
                if self._give_up():
                    raise
                waited = True
                self._heartbeat.set("paused", error.message)
                self._wait(_ROOM_PAUSE_S)
        if waited:
            self._heartbeat.set(self._state)
        return waited

    def _follow(self, event: Any) -> None:
        """Report the state that follows from the event."""
        state: WorkerState = self._state
        if isinstance(event, STARTED):
            state = "running"
        elif isinstance(event, StateChanged):
            state = event.state
        elif isinstance(event, Finished | Failed):
            state = "stopping"
        if state != self._state:
            self._state = state
            self._heartbeat.set(state)

    def _write_line(self, event: Any) -> None:
        line = self._line(event)
        if not line:
            return
        timestamp = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        try:
            with self._log.open("a", encoding="utf-8") as log:
                follow_folder(self._log)
                log.write(f"{timestamp}  {line}\n")
        except OSError:
            # The log repeats the ledger; a full disk must not end the run here.
            return
