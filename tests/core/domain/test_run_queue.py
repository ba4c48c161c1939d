"""The run queue as a value: order, what is told, and the round trip through plain values."""

from __future__ import annotations

import json

import pytest

from core.domain.errors import NotFound, UsageError
from core.domain.run_queue import RunQueue, TakenRun, ToldRun, WaitingRun


def queue_of(*names: str) -> RunQueue:
    return RunQueue(waiting=tuple(WaitingRun(name, 1) for name in names))


def order(queue: RunQueue) -> str:
    return "".join(one.run_id for one in queue.waiting)


def test_that_runs_wait_in_the_order_that_was_asked_for() -> None:
    queue = queue_of("a", "b", "c", "d")
    assert order(queue.with_moved("d", 0)) == "dabc"
    assert order(queue.with_moved("a", 2)) == "bcad"
    assert order(queue.with_moved("b", 99)) == "acdb"
    assert order(queue.with_moved("b", -5)) == "bacd"
    assert order(queue.without("b")) == "acd"
    assert order(queue.without("b").with_added(WaitingRun("b", 2), 1)) == "abcd", "an undo puts it where it was"
    assert order(queue) == "abcd", "the queue itself never changes"
    with pytest.raises(UsageError, match="already"):
        queue.with_added(WaitingRun("c", 2))
    with pytest.raises(NotFound, match="nothing was changed"):
        queue.with_moved("x", 0)


def test_that_a_run_that_did_not_go_well_waits_no_more_until_it_is_added_again() -> None:
    told = ToldRun("b", "failed", "Loss is NaN.", "Lower lr.", 5)
    queue = queue_of("a", "b").with_told(told)
    assert (order(queue), queue.told) == ("a", (told,))
    assert queue.with_added(WaitingRun("b", 6)).told == ()
    assert queue.without_told("x").told == (told,)
    assert queue.without_told().told == ()
    many = RunQueue()
    for number in range(60):
        many = many.with_told(ToldRun(f"r{number}", "failed", "", "", number))
    assert (len(many.told), many.told[0].run_id, many.told[-1].run_id) == (50, "r10", "r59")


def test_that_a_queue_survives_json_and_that_a_damaged_one_is_noticed() -> None:
    taken, told = TakenRun(WaitingRun("b", 2), 77, 1.5, "host"), ToldRun("c", "refused", "x", "y", 3)
    queue = RunQueue(True, (WaitingRun("a", 1, 2, 1, 40),), taken, (told,))
    plain = json.loads(json.dumps(queue.to_plain()))
    assert RunQueue.from_plain(plain) == queue
    plain["waiting"][0]["colour"] = "of a newer version"
    assert RunQueue.from_plain(plain) == queue
    for wrong in ({**plain, "waiting": [{"run_id": 5, "added_ms": 1}]}, {"paused": True}, {**plain, "taken": []}):
        with pytest.raises((KeyError, TypeError, AttributeError)):
            RunQueue.from_plain(wrong)
