"""``worker.json``: which process works on a run, in which state it is, and that it is alive.

The file is replaced once a second and not synced to the disk: after a power cut the process has ended anyway. A reader
on the same machine checks the process itself; on another machine only the age of the heartbeat decides.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from core import bounded
from core.domain.clock import now_ms
from core.domain.errors import UserError
from core.durable import TMP_PREFIX
from core.private_files import follow_folder

WorkerState = Literal["starting", "running", "paused", "stopping", "ended"]
BEAT_S = 1.0
FOREIGN_STALE_MS = 60_000
_SAME_START_S = 2.0
_LIMIT = 64 * 1024
_TMP = f"{TMP_PREFIX}worker-"


@dataclass(frozen=True, slots=True)
class Worker:
    """One process at work on a run.

    Attributes:
        pid, started: process id and its start time in seconds since 1970; together they identify a process, because
            ids are used again.
        machine: name of the computer. host: "process", "thread" or "terminal".
        state: from the events of the run. detail: why it is paused, when the run did that itself.
    """

    pid: int
    started: float
    machine: str
    host: str
    attempt: int
    state: WorkerState
    heartbeat_ms: int
    detail: str = ""

    def alive(self, at_ms: int) -> bool:
        """Return whether this worker is alive at the time ``at_ms`` (UTC milliseconds)."""
        if self.state == "ended":
            return False
        if self.machine != platform.node():
            return at_ms - self.heartbeat_ms < FOREIGN_STALE_MS
        return _is_running(self.pid, self.started)


def read_worker(path: Path) -> Worker | None:
    """Return the worker that reported last; None without a readable file."""
    try:
        plain: dict[str, Any] = bounded.read_object(path, _LIMIT)
        return Worker(**{f.name: plain[f.name] for f in fields(Worker) if f.name in plain})
    except (UserError, OSError, ValueError, TypeError):
        return None


class Heartbeat:
    """Writes ``worker.json`` from a thread of its own until :meth:`end`."""

    def __init__(self, path: Path, *, host: str, attempt: int) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stop = threading.Event()
        me = psutil.Process()
        self._worker = Worker(me.pid, me.create_time(), platform.node(), host, attempt, "starting", 0)
        self._thread = threading.Thread(target=self._beat, name="run-heartbeat", daemon=True)

    def start(self) -> None:
        """Write the first heartbeat at once and continue in the background.

        What killed attempts left under the temporary name is removed: a run folder has one worker.
        """
        for left in self._path.parent.glob(f"{_TMP}*"):
            with suppress(OSError):
                left.unlink()
        self._write()
        self._thread.start()

    def set(self, state: WorkerState, detail: str = "") -> None:
        """Report a state at once."""
        with self._lock:
            self._worker = replace(self._worker, state=state, detail=detail)
        self._write()

    def end(self) -> None:
        """Report the end and stop the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.set("ended")

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            self._write()

    def _write(self) -> None:
        with self._lock:
            self._worker = replace(self._worker, heartbeat_ms=now_ms())
            tmp = self._path.with_name(f"{_TMP}{os.getpid()}")
            try:
                tmp.write_text(json.dumps(asdict(self._worker)), encoding="utf-8")
                follow_folder(tmp)
                tmp.replace(self._path)
            except OSError:
                # A missed heartbeat (disk full, file held open) does no harm: readers check the process id.
                tmp.unlink(missing_ok=True)


def _is_running(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > _SAME_START_S:
            return False
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False
