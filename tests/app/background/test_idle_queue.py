from __future__ import annotations

from itertools import pairwise

import shiboken6
from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop, QObject

from app.background.idle_queue import IdleQueue


def turn() -> None:
    """Let the event loop come round once, with the timers that are due."""
    QAbstractEventDispatcher.instance().processEvents(QEventLoop.ProcessEventsFlag.AllEvents)


def test_that_one_piece_runs_in_each_turn_of_the_event_loop_in_order(qapp: object) -> None:
    done: list[int] = []
    queue = IdleQueue()
    for number in range(4):
        queue.add(lambda n=number: done.append(n))
    assert (done, queue.busy) == ([], True)
    counts = []
    while queue.busy:
        turn()
        counts.append(len(done))
    assert done == [0, 1, 2, 3]
    assert all(late - early <= 1 for early, late in zip([0, *counts], counts, strict=False))


def test_that_the_end_is_told_once_and_after_the_last_piece(qapp: object) -> None:
    told: list[str] = []
    queue = IdleQueue()
    queue.emptied.connect(lambda: told.append("end"))
    queue.add(lambda: told.append("a"))
    queue.add(lambda: told.append("b"))
    while queue.busy:
        turn()
    turn()
    assert told == ["a", "b", "end"]


def test_that_a_piece_may_add_another(qapp: object) -> None:
    done: list[str] = []
    queue = IdleQueue()
    queue.add(lambda: queue.add(lambda: done.append("later")))
    while queue.busy:
        turn()
    assert done == ["later"]


def test_that_the_pieces_of_a_deleted_owner_are_left_out(qapp: object) -> None:
    done: list[str] = []
    queue, owner = IdleQueue(), QObject()
    queue.add(lambda: done.append("owned"), owner)
    queue.add(lambda: done.append("free"))
    shiboken6.delete(owner)
    while queue.busy:
        turn()
    assert done == ["free"]


def test_that_a_queue_ends_with_its_parent(qapp: object) -> None:
    done: list[str] = []
    parent = QObject()
    IdleQueue(parent).add(lambda: done.append("late"))
    shiboken6.delete(parent)
    for _ in range(3):
        turn()
    assert done == []


def test_that_a_failing_piece_does_not_stop_the_others(qtbot: object) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ValueError("broken piece")

    queue = IdleQueue()
    queue.add(fail)
    queue.add(lambda: done.append("next"))
    with qtbot.captureExceptions() as errors:  # type: ignore[attr-defined]
        while queue.busy:
            turn()
    assert done == ["next"]
    assert [str(error) for _, error, _ in errors] == ["broken piece"]


def test_that_two_queues_share_the_turns_and_leave_one_to_qt_between_two_pieces(qapp: object) -> None:
    done: list[str] = []
    one, other = IdleQueue(), IdleQueue()
    for name, queue in (("one", one), ("other", other)):
        for number in range(3):
            queue.add(lambda n=name, i=number: done.append(f"{n} {i}"))
    counts = [0]
    while one.busy or other.busy:
        turn()
        counts.append(len(done))
    assert done == ["one 0", "other 0", "one 1", "other 1", "one 2", "other 2"]
    steps = [late - early for early, late in pairwise(counts)]
    assert max(steps) == 1
    assert all(not (early and late) for early, late in pairwise(steps))


def test_that_a_queue_that_was_cleared_in_its_turn_takes_new_pieces(qapp: object) -> None:
    done: list[str] = []
    queue = IdleQueue()
    queue.add(lambda: done.append("left out"))
    queue.clear()
    queue.add(lambda: done.append("new"))
    while queue.busy:
        turn()
    assert done == ["new"]
