"""The stall watchdog of the running program: logs when the UI thread was blocked for too long, and where.

A timer beats on the UI thread every 20 ms; a second thread checks whether the beat is late. The time that the UI thread
waited for a free processor is subtracted where the system reports it (Linux).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, QTimer

log = logging.getLogger(__name__)
BEAT_S = 0.02
WARN_S = 0.1


@dataclass(frozen=True, slots=True)
class Stall:
    """One time in which the UI thread did not run its event loop.

    Attributes:
        seconds: how long, without the time it waited for a free processor.
        cpu: how much of that it computed; the rest it waited for a lock or a file.
        where: the stack during the stall (file and line, no values).
    """

    seconds: float
    cpu: float
    where: str


def queue_wait_s(thread_id: int) -> float:
    """Return how long a native thread has waited for a processor so far, or 0.0 where the system does not say."""
    try:
        fields = Path(f"/proc/self/task/{thread_id}/schedstat").read_text(encoding="ascii").split()
        return int(fields[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


class Times(NamedTuple):
    """What the clocks of a thread show, in seconds: time passed, time it computed, time it waited for a processor."""

    now: float
    cpu: float
    waited: float


def read_times() -> Times:
    """Return the times of the calling thread."""
    return Times(time.monotonic(), time.thread_time(), queue_wait_s(threading.get_native_id()))


class Watchdog(QObject):
    """Watches the thread that constructs it, from ``start`` to ``stop``.

    Args:
        on_stall: called on that thread after each stall.
        limit_s: longest time between two beats, beyond their distance, that is no stall.
        times: reads the clocks; tests pass their own.
    """

    def __init__(
        self,
        on_stall: Callable[[Stall], None] | None = None,
        *,
        limit_s: float = WARN_S,
        times: Callable[[], Times] = read_times,
    ) -> None:
        super().__init__()
        self.stalls: list[Stall] = []
        self._on_stall, self._limit, self._times = on_stall, limit_s, times
        self._ident = threading.get_ident()
        self._last, self._where = times(), ""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(round(BEAT_S * 1000))
        self._timer.timeout.connect(self.beat)

    def start(self) -> None:
        """Begin to watch; the first beat sets the clock."""
        self._rewind()
        self._timer.start()
        self._thread = threading.Thread(target=self._watch, name="stall-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End watching; a stall that is still going on is counted."""
        if self._timer.isActive():
            self.beat()
        self._timer.stop()
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def beat(self) -> None:
        """Compare with the beat before (on the watched thread, every 20 ms)."""
        times, last = self._times(), self._last
        own = times.now - last.now - (times.waited - last.waited) - BEAT_S
        if own > self._limit:
            self._note(Stall(own, times.cpu - last.cpu, self._where or "(ended before its stack was read)"))
        self._rewind()

    def check(self) -> None:
        """Note where the watched thread is when its beat is late (from another thread)."""
        if not self._where and self._times().now - self._last.now > self._limit:
            self._where = self._stack()

    def _rewind(self) -> None:
        self._last, self._where = self._times(), ""

    def _note(self, stall: Stall) -> None:
        self.stalls.append(stall)
        log.warning("the UI thread was blocked for %.0f ms at %s", stall.seconds * 1000, stall.where)
        if self._on_stall is not None:
            self._on_stall(stall)

    def _watch(self) -> None:
        while not self._stop.wait(BEAT_S):
            self.check()

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._ident)  # noqa: SLF001 - the only way to another thread's stack
        if frame is None:
            return ""
        frames = traceback.extract_stack(frame)[-4:]
        return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
