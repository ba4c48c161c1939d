"""One piece of background work: its control while it runs, and its state as the window shows it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from threading import Event
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.domain.time_spans import duration


class TaskCancelled(Exception):
    """Raised inside background work by ``TaskControl.check`` when the user pressed Cancel."""


class TaskState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TaskControl:
    """Passed to background work, which reports progress and checks for Cancel through it. Thread-safe."""

    def __init__(self, report: Callable[[int, int, str], None] | None = None) -> None:
        self._stop = Event()
        self._report = report

    @property
    def cancelled(self) -> bool:
        """Whether the work should end."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask the work to end at its next check."""
        self._stop.set()

    def check(self) -> None:
        """Raise ``TaskCancelled`` when the work should end."""
        if self.cancelled:
            raise TaskCancelled

    def progress(self, done: int, total: int = 0, text: str = "") -> None:
        """Report ``done`` of ``total`` (0: unknown) and the name of the phase."""
        if self._report is not None:
            self._report(done, total, text)


@dataclass(slots=True)
class Eta:
    """Estimates the time left from the median pace of the last 50 reports."""

    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=51))

    def mark(self, done: int, now: float | None = None) -> None:
        """Note that ``done`` units are done at monotonic time ``now``."""
        self._marks.append((time.monotonic() if now is None else now, done))

    def rate(self) -> float | None:
        """Return units a second over the last reports, or None while there are too few."""
        if len(self._marks) < 3:
            return None
        (began, first), (now, last) = self._marks[0], self._marks[-1]
        return (last - first) / (now - began) if now > began else None

    def seconds_left(self, total: int) -> float | None:
        """Return the estimate, or None while there are too few reports."""
        if len(self._marks) < 4 or not total:
            return None
        marks = list(self._marks)
        paces = sorted((t1 - t0) / (d1 - d0) for (t0, d0), (t1, d1) in pairwise(marks) if d1 > d0)
        return paces[len(paces) // 2] * max(0, total - marks[-1][1]) if paces else None


def clock_text(seconds: float | None) -> str:
    """Return a rounded time span: "6 min 20 s", "2 h 05 min", "" for unknown."""
    if seconds is None or seconds != seconds or seconds < 0:
        return ""
    step = 1 if seconds < 60 else 10 if seconds < 600 else 60
    return duration(max(1, step * round(seconds / step)))


class BackgroundTask(QObject):
    """A named piece of long work as the window shows it; lives on the UI thread.

    ``changed`` fires when progress or state moved, ``ended`` once at the end. ``unit`` is what is counted ("rows"); a
    job with a unit also shows how many a second.
    """

    changed = Signal()
    ended = Signal()

    def __init__(self, title: str, control: TaskControl) -> None:
        super().__init__()
        self.title = title
        self.control = control
        self.state = TaskState.RUNNING
        self.phase, self.done, self.total, self.message = "", 0, 0, ""
        self.unit = ""
        self.result: Any = None
        self.started = time.monotonic()
        self.seconds = 0.0
        self._eta = Eta()

    @property
    def running(self) -> bool:
        """Whether the work has not ended yet."""
        return self.state in (TaskState.RUNNING, TaskState.STOPPING)

    @property
    def rate(self) -> float | None:
        """Units a second, or None while unknown."""
        return self._eta.rate() if self.running else None

    @property
    def eta(self) -> float | None:
        """Seconds left, or None while unknown."""
        return self._eta.seconds_left(self.total) if self.running else None

    def cancel(self) -> None:
        """Ask the work to end; it does so at its next check."""
        if self.running:
            self.state = TaskState.STOPPING
            self.control.cancel()
            self.changed.emit()

    def report(self, done: int, total: int, phase: str) -> None:
        """Store one progress report."""
        if phase and phase != self.phase:
            self.phase, self._eta = phase, Eta()
        self.done, self.total = done, total
        self._eta.mark(done)
        self.changed.emit()

    def finish(self, state: TaskState, message: str = "", result: Any = None) -> None:
        """Store how the work ended."""
        self.state, self.message, self.result = state, message, result
        self.seconds = time.monotonic() - self.started
        self.changed.emit()
        self.ended.emit()
