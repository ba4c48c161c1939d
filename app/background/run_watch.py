"""Reads the runs of the workspace repeatedly, for the status bar, Home and the badge of the rail.

A run may be started by a command line or another window, so no announcement of the change bus can be relied on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.background.task import clock_text
from app.background.task_runner import TaskRunner

if TYPE_CHECKING:
    from core.services.runs.views import RunInfo

FAST_MS, SLOW_MS = 2000, 10_000


def run_text(live: Sequence[RunInfo], queued: int = 0) -> str:
    """Return the live runs in a few words: name of the first, share done, time left, how many more; how many wait."""
    waiting = f"{queued:,} queued" if queued else ""
    if not live:
        return waiting
    run, status = live[0], live[0].status
    parts = [run.name or run.run_id]
    if status.total_steps:
        parts.append(f"{100 * status.step // status.total_steps} %")
    if run.state != "running":
        parts.append(run.state)
    elif left := clock_text(status.eta_s):
        parts.append(f"ETA {left}")
    if len(live) > 1:
        parts.append(f"+{len(live) - 1}")
    return "  ·  ".join(part for part in ("  ".join(parts), waiting) if part)


class RunWatch(QObject):
    """Holds all runs; ``changed(list)`` fires with them when a read finds a difference."""

    changed = Signal(object)

    def __init__(self, tasks: TaskRunner) -> None:
        super().__init__()
        self._tasks = tasks
        self._read: Callable[[], Sequence[RunInfo]] | None = None
        self.runs: list[RunInfo] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)

    @property
    def live(self) -> list[RunInfo]:
        """Runs that are going on."""
        return [run for run in self.runs if run.live]

    def start(self, read: Callable[[], Sequence[RunInfo]]) -> None:
        """Call ``read`` on a background thread every few seconds, beginning now."""
        self._read = read
        self.runs = []
        self.look()

    def stop(self) -> None:
        """Stop reading and forget the runs."""
        self._timer.stop()
        self._read = None
        self._take([])

    def look(self) -> None:
        """Read now."""
        self._timer.stop()
        if self._read is not None:
            self._tasks.query(self._read, self._take_and_wait, self._missed, owner=self, key="runs")

    def _take_and_wait(self, runs: Sequence[RunInfo]) -> None:
        if self._read is None:
            return
        self._take(list(runs))
        self._timer.start(FAST_MS if self.live else SLOW_MS)

    def _take(self, runs: list[RunInfo]) -> None:
        if runs != self.runs:
            self.runs = runs
            self.changed.emit(runs)

    def _missed(self, _error: Exception) -> None:
        if self._read is not None:
            self._timer.start(SLOW_MS)
