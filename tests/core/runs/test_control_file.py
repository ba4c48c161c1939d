from __future__ import annotations

from pathlib import Path

import pytest

from core.runs.control_file import ControlFile, request, request_checkpoint, requested


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.json"


def test_that_without_a_file_the_run_continues(path: Path) -> None:
    control = ControlFile(path)
    assert control.command() == "run"
    assert not control.take_checkpoint_request()


@pytest.mark.parametrize("command", ["pause", "stop_and_save", "stop_now", "run"])
def test_that_a_request_is_seen_at_the_next_poll(path: Path, command: str) -> None:
    control = ControlFile(path)
    request(path, command)  # type: ignore[arg-type]
    assert control.command() == command
    assert requested(path) == command


def test_that_each_checkpoint_request_is_taken_once_and_keeps_the_command(path: Path) -> None:
    request(path, "pause")
    request_checkpoint(path)
    control = ControlFile(path)
    assert not control.take_checkpoint_request(), "asked before this attempt began"
    request_checkpoint(path)
    request_checkpoint(path)
    assert [control.take_checkpoint_request() for _ in range(3)] == [True, True, False]
    assert control.command() == "pause"


def test_that_a_request_keeps_the_count_of_checkpoints(path: Path) -> None:
    control = ControlFile(path)
    request_checkpoint(path)
    request(path, "pause")
    assert control.take_checkpoint_request()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"command": "explode", "checkpoint": 1}', '{"command": "run"}'])
def test_that_a_damaged_file_leaves_the_last_command_in_force(path: Path, content: str) -> None:
    request(path, "pause")
    control = ControlFile(path)
    path.write_text(content)
    assert control.command() == "pause"


def test_that_waiting_ends_early_when_something_is_requested(path: Path) -> None:
    naps = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        request(path, "run")

    ControlFile(path, sleep=nap).wait(60.0)
    assert len(naps) == 1


def test_that_polling_is_cheap(path: Path) -> None:
    import timeit

    request(path, "run")
    control = ControlFile(path)
    assert timeit.timeit(control.command, number=1000) < 0.2
