"""The watchdog judges by the clocks it is given, so a test says what they show and never waits."""

from __future__ import annotations

import threading

import pytest

from app.background.watchdog import BEAT_S, Stall, Times, Watchdog, queue_wait_s, read_times


class HandClock:
    """Clocks that move only when a test moves them."""

    def __init__(self) -> None:
        self.times = Times(100.0, 5.0, 1.0)

    def __call__(self) -> Times:
        return self.times

    def move(self, seconds: float, *, cpu: float = 0.0, waited: float = 0.0) -> None:
        now = self.times
        self.times = Times(now.now + seconds, now.cpu + cpu, now.waited + waited)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def look_from_another_thread(dog: Watchdog) -> None:
    thread = threading.Thread(target=dog.check)
    thread.start()
    thread.join()


def test_that_a_late_beat_is_a_stall_with_its_length_its_cpu_time_and_its_place(qapp: object, clock: HandClock) -> None:
    told: list[Stall] = []
    dog = Watchdog(told.append, limit_s=0.1, times=clock)
    clock.move(0.4, cpu=0.25)
    look_from_another_thread(dog)
    dog.beat()
    assert told == dog.stalls
    assert (told[0].seconds, told[0].cpu) == (pytest.approx(0.4 - BEAT_S), pytest.approx(0.25))
    assert "look_from_another_thread" in told[0].where


def test_that_beats_in_time_are_no_stalls(qapp: object, clock: HandClock) -> None:
    dog = Watchdog(limit_s=0.1, times=clock)
    for _ in range(50):
        clock.move(BEAT_S, cpu=BEAT_S)
        look_from_another_thread(dog)
        dog.beat()
    assert dog.stalls == []


def test_that_waiting_for_a_processor_is_no_stall(qapp: object, clock: HandClock) -> None:
    dog = Watchdog(limit_s=0.1, times=clock)
    clock.move(3.0, waited=2.95)
    dog.beat()
    assert dog.stalls == []


def test_that_a_stall_is_counted_once(qapp: object, clock: HandClock) -> None:
    dog = Watchdog(limit_s=0.1, times=clock)
    clock.move(0.4)
    dog.beat()
    clock.move(BEAT_S)
    dog.beat()
    assert len(dog.stalls) == 1


def test_that_stopping_counts_what_is_pending_and_ends_the_thread(qapp: object, clock: HandClock) -> None:
    dog = Watchdog(limit_s=0.1, times=clock)
    dog.start()
    clock.move(0.4)
    dog.stop()
    assert len(dog.stalls) == 1
    assert all(thread.name != "stall-watchdog" for thread in threading.enumerate())


def test_that_the_clocks_of_a_thread_run_forward() -> None:
    before, after = read_times(), read_times()
    assert all(late >= early for early, late in zip(before, after, strict=True))
    assert queue_wait_s(999_999_999) == 0.0
