"""Guards against a binding that loses references: it aborts within minutes (seen with PySide6 6.12 on Python 3.11)."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, QTimer, Signal

ROUNDS = 200
SLACK = 50


class _Caller(QObject):
    """Emits a signal to a plain method."""

    rang = Signal()

    def take(self) -> None:
        """Take the signal."""


def test_that_emitting_and_timers_keep_the_reference_counts_of_constants(qapp: object) -> None:
    caller, timer = _Caller(), QTimer()
    caller.rang.connect(caller.take)
    before = [sys.getrefcount(value) for value in (True, False, None)]
    for _ in range(ROUNDS):
        caller.rang.emit()
        timer.start(10_000)
        timer.stop()
        caller.setObjectName("x")
    after = [sys.getrefcount(value) for value in (True, False, None)]
    assert all(abs(new - old) < SLACK for old, new in zip(before, after, strict=True)), (before, after)
