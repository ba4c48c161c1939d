from __future__ import annotations

import threading

from PySide6.QtCore import QTimer

from app.background.watchdog import Watchdog, queue_wait_s


def _count(limit: int) -> int:
    total = 0
    for number in range(limit):
        total += number * number
    return total


def test_that_a_busy_ui_thread_is_noticed_and_located(qtbot: object) -> None:
    seen: list[object] = []
    dog = Watchdog(seen.append, limit_s=0.05)
    dog.start()

    QTimer.singleShot(0, lambda: _count(15_000_000))
    qtbot.waitUntil(lambda: bool(seen), timeout=5000)  # type: ignore[attr-defined]
    dog.stop()
    assert dog.stalls[0].seconds > 0.05
    assert any("_count" in stall.where for stall in dog.stalls)


def test_that_an_idle_ui_thread_is_not_a_stall(qtbot: object) -> None:
    dog = Watchdog(limit_s=0.25)
    dog.start()
    beats: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(1))
    timer.start(10)
    qtbot.waitUntil(lambda: len(beats) > 20, timeout=20_000)  # type: ignore[attr-defined]
    dog.stop()
    assert dog.stalls == []


def test_that_waiting_for_a_processor_is_never_negative() -> None:
    assert queue_wait_s(threading.get_native_id()) >= 0.0
    assert queue_wait_s(999_999_999) == 0.0
