"""Watches the runs of the workspace for everyone who shows them: status bar, Home, the rail's badge.

A run may have been started by a command line or another window, so it looks by itself now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.background.task_runner import TaskRunner

LIVE_STATES = frozenset({"starting", "running", "paused", "stopping"})
FAST_MS, SLOW_MS = 2000, 10_000


def state_of(run: Any) -> str:
    """Return a run's state as a plain lower-case word."""
    return str(getattr(run, "state", "")).rsplit(".", 1)[-1].lower()


class RunWatch(QObject):
    """``changed(list)`` fires with all runs whenever they were read and differ from before."""

    changed = Signal(object)

    def __init__(self, tasks: TaskRunner) -> None:
        super().__init__()
        self._tasks = tasks
        self._read: Callable[[], Sequence[Any]] | None = None
        self.runs: list[Any] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)

    @property
    def live(self) -> list[Any]:
        """Runs that are going on."""
        return [run for run in self.runs if state_of(run) in LIVE_STATES]

    def start(self, read: Callable[[], Sequence[Any]]) -> None:
        """Watch what ``read`` returns; it is called on a background thread."""
        self._read = read
        self.runs = []
        self.look()

    def stop(self) -> None:
        """Watch nothing."""
        self._timer.stop()
        self._read = None
        self._take([])

    def look(self) -> None:
        """Read now."""
        self._timer.stop()
        if self._read is not None:
            self._tasks.query(self._read, self._take_and_wait, self._missed, owner=self, key="runs")

    def _take_and_wait(self, runs: Sequence[Any]) -> None:
        if self._read is None:
            return
        self._take(list(runs))
        self._timer.start(FAST_MS if self.live else SLOW_MS)

    def _take(self, runs: list[Any]) -> None:
        if runs != self.runs:
            self.runs = runs
            self.changed.emit(runs)

    def _missed(self, _error: Exception) -> None:
        if self._read is not None:
            self._timer.start(SLOW_MS)
