"""Measures how long the UI thread computes in one piece, and what that is on this machine.

A piece is what runs between two looks for input: the call that starts something, then each round of the event loop.
It is counted in CPU time of the thread, so that other programs do not lengthen it, and compared with a loop of plain
Python in the same process, so that two machines can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop

_ROUNDS_QUIET = 25


_LOOP = 200_000
_WORTH_MS = 12.0
"""Pieces from here on are compared with the loop in the turn after them: beside other work both take longer."""


def calibration_ms() -> float:
    """Return the CPU milliseconds of a fixed loop of plain Python, the best of five."""
    return min(_loop_ms(_LOOP) for _ in range(5))


def _loop_ms(numbers: int) -> float:
    begun, total = time.thread_time(), 0
    for number in range(numbers):
        total += number * number
    return 1000 * (time.thread_time() - begun)


@dataclass
class Pieces:
    """The pieces of one thing that was done, in CPU milliseconds and in order; the first is the call itself."""

    all_ms: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    """Of the longer ones: to a fifth of the loop right after the piece, times five."""

    def add(self, ms: float) -> None:
        """Append a piece."""
        self.all_ms.append(ms)
        if ms >= _WORTH_MS:
            self.ratios.append(ms / (5 * _loop_ms(_LOOP // 5)))

    @property
    def longest_ms(self) -> float:
        """The longest piece."""
        return max(self.all_ms)

    def line(self, name: str, unit_ms: float) -> str:
        """Return the measurement as a line of a table; ``unit_ms`` is the calibration."""
        longest = sorted(self.all_ms, reverse=True)[:4]
        others = " ".join(f"{ms:.0f}" for ms in longest[1:])
        first = f"{name:<34}{longest[0]:7.1f} ms {longest[0] / unit_ms:6.2f} x   next {others:<12}"
        return f"{first} beside {max(self.ratios, default=0.0):5.1f} x"


def measure(start: Callable[[], object], settled: Callable[[], bool]) -> Pieces:
    """Call ``start`` and turn the event loop until ``settled`` held for some rounds; return the pieces."""
    pieces = Pieces()
    pieces.add(_cpu_ms(start))
    dispatcher, quiet = QAbstractEventDispatcher.instance(), 0
    while quiet < _ROUNDS_QUIET:
        pieces.add(_cpu_ms(lambda: dispatcher.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)))
        quiet = quiet + 1 if settled() else 0
    return pieces


def _cpu_ms(call: Callable[[], object]) -> float:
    begun = time.thread_time()
    call()
    return 1000 * (time.thread_time() - begun)
