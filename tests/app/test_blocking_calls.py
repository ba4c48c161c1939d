"""The guard of the UI thread: what it reports, and what it leaves alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.background.watchdog import queue_wait_s
from tests.app.blocking_calls import ALLOWED, ROOT, Guard, guarded
from tests.fakes import blocking_program
from tests.fakes.workspaces import opened

PROGRAM = blocking_program.__file__


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("text", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("event", "call"),
    [
        ("open", blocking_program.open_file),
        ("os.listdir", blocking_program.list_folder),
        ("sqlite3.connect", blocking_program.open_database),
        ("subprocess.Popen", blocking_program.run_program),
        ("Event.wait", blocking_program.wait_for_event),
        ("Thread.join", blocking_program.wait_for_thread),
    ],
)
def test_that_a_call_that_can_block_is_reported_with_its_place(
    file: Path, event: str, call: Callable[[Path], None]
) -> None:
    with guarded(Guard(PROGRAM)) as guard:
        call(file)
    assert event in [call.event for call in guard.calls]
    assert guard.calls[0].stack[0].startswith("tests/fakes/blocking_program.py:")
    assert guard.calls[0].stack[0].endswith(call.__name__)


def test_that_a_call_of_a_service_to_the_database_is_reported(tmp_path: Path) -> None:
    with opened(tmp_path / "ws") as application, guarded(Guard(PROGRAM)) as guard:
        blocking_program.ask_service(application)
    assert "Store.read" in [call.event for call in guard.calls]


def test_that_what_another_thread_or_the_test_itself_calls_is_not_reported(file: Path) -> None:
    with guarded(Guard(PROGRAM)) as guard:
        file.read_text(encoding="utf-8")
        thread = threading.Thread(target=blocking_program.open_file, args=(file,))
        thread.start()
        thread.join()
    assert guard.calls == []


def test_that_nothing_is_reported_after_the_guard(file: Path) -> None:
    with guarded(Guard(PROGRAM)) as guard:
        pass
    blocking_program.open_file(file)
    assert guard.calls == []


def test_that_an_allowed_call_is_not_reported() -> None:
    with guarded(Guard()) as guard:
        queue_wait_s(threading.get_native_id())
    assert guard.calls == []


def test_that_each_allowed_call_names_a_function_that_exists_and_a_reason() -> None:
    for rule in ALLOWED:
        assert f"def {rule.function}(" in (ROOT / rule.source).read_text(encoding="utf-8"), rule
        assert rule.reason, rule
