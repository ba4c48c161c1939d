"""The stall watchdog: notices when the UI thread did not come round for too long, and says where it was.

A beat runs on the UI thread every 20 ms; a thread of its own compares. Time the UI thread spent waiting
for a free processor is not its fault and is subtracted where the system tells it (Linux).
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

from PySide6.QtCore import QObject, Qt, QTimer

log = logging.getLogger(__name__)
BEAT_S = 0.02
WARN_S = 0.1


@dataclass(frozen=True, slots=True)
class Stall:
    """One pause of the UI thread.

    Attributes:
        seconds: how long, without the time it waited for a free processor.
        cpu: how much of that it computed; the rest it waited for a lock or a file.
        where: the stack seen meanwhile (file and line, no values).
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


class Watchdog(QObject):
    """Watches the thread it is made on, from ``start`` to ``stop``."""

    def __init__(self, on_stall: Callable[[Stall], None] | None = None, *, limit_s: float = WARN_S) -> None:
        super().__init__()
        self.stalls: list[Stall] = []
        self._on_stall, self._limit = on_stall, limit_s
        self._ident, self._native = threading.get_ident(), threading.get_native_id()
        self._last = time.monotonic()
        self._waited = queue_wait_s(self._native)
        self._where, self._cpu = "", 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(round(BEAT_S * 1000))
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to watch; the first beat sets the clock."""
        self._rewind()
        self._timer.start()
        self._thread = threading.Thread(target=self._watch, name="stall-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End watching; counts what is pending."""
        if self._timer.isActive():
            self._beat()
        self._timer.stop()
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _rewind(self) -> None:
        self._last, self._waited, self._where = time.monotonic(), queue_wait_s(self._native), ""
        self._cpu = time.thread_time()

    def _beat(self) -> None:
        own = time.monotonic() - self._last - (queue_wait_s(self._native) - self._waited) - BEAT_S
        if own > self._limit and self._last:
            self._note(
                Stall(own, time.thread_time() - self._cpu, self._where or "(ended before it could be looked at)")
            )
        self._rewind()

    def _note(self, stall: Stall) -> None:
        self.stalls.append(stall)
        log.warning("the window stood still for %.0f ms at %s", stall.seconds * 1000, stall.where)
        if self._on_stall is not None:
            self._on_stall(stall)

    def _watch(self) -> None:
        while not self._stop.wait(BEAT_S):
            if not self._where and time.monotonic() - self._last > self._limit:
                self._where = self._look()

    def _look(self) -> str:
        frame = sys._current_frames().get(self._ident)
        if frame is None:
            return ""
        frames = traceback.extract_stack(frame)[-4:]
        return " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
