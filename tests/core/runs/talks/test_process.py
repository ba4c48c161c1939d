"""The child process of a talk: requests, stops, and what is said when it ends by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from core.domain.errors import BadInput, NotFound
from core.runs.child_processes.request import Cancelled
from core.runs.talks.process import TalkEnded, TalkProcess
from tests.fakes.saying_process import arm

PROGRAM = "tests.fakes.talking_program"


@pytest.fixture
def process() -> Iterator[TalkProcess]:
    made = TalkProcess([arm()], program=PROGRAM)
    yield made
    made.close()


def nothing(_message: Mapping[str, Any]) -> None:
    """Hear nothing."""


def test_that_one_process_answers_all_requests_and_a_new_one_after_it_was_killed(process: TalkProcess) -> None:
    heard: list[Mapping[str, Any]] = []
    pid, said = process.request({"op": "hello"}, heard.append)
    assert said == "hello"
    assert heard[0] == {"loading": [0, 1, "Loading the model"]}
    with pytest.raises(BadInput, match=r"Too long\."):
        process.request({"op": "refuse"}, nothing)
    assert process.request({"op": "again"}, nothing) == [pid, "again"]
    heard.clear()
    with pytest.raises(TalkEnded) as killed:
        process.request({"op": "die"}, heard.append)
    assert killed.value.message == (
        "The process that holds the models was killed, as the system does when memory runs out. The talk is kept."
    )
    assert heard[-1]["token"] == ["policy", "half", 1, False]
    other, _ = process.request({"op": "hello"}, nothing)
    assert other != pid
    with pytest.raises(TalkEnded, match="ended with code 1: out of patience"):
        process.request({"op": "fall"}, nothing)


def test_that_a_stop_reaches_the_process_while_it_answers(process: TalkProcess) -> None:
    process.stop()  # nothing runs yet: nothing happens
    process.request({"op": "hello"}, nothing)
    assert process.request({"op": "wait"}, lambda _message: process.stop()) == ["stopped", 2]


def test_that_models_that_cannot_be_loaded_and_a_stop_before_they_are_say_so() -> None:
    missing = TalkProcess([arm()], program=PROGRAM, device="none")
    for _ in range(2):
        with pytest.raises(NotFound, match=r"There is no model\."):
            missing.request({"op": "hello"}, nothing)
    slow = TalkProcess([arm()], program=PROGRAM, device="slow")
    with pytest.raises(Cancelled, match="the talk is as it was"):
        slow.request({"op": "hello"}, lambda _message: slow.stop())
