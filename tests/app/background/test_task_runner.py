from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject

from app.background.task import BackgroundTask, Eta, TaskControl, TaskState, clock_text
from app.background.task_runner import TaskRunner
from core.domain.errors import BadInput
from tests.patience import LIMIT_S


@pytest.fixture
def tasks(qapp: object) -> Iterator[TaskRunner]:
    runner = TaskRunner()
    yield runner
    assert runner.close()


def test_that_work_runs_off_the_ui_thread_and_its_result_comes_back_to_it(tasks: TaskRunner, qtbot: object) -> None:
    where: list[int] = []
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        tasks.query(threading.get_ident, lambda ident: where.extend((ident, threading.get_ident())))
    assert where[0] != threading.get_ident() == where[1]


def test_that_a_newer_query_of_the_same_key_replaces_the_older(tasks: TaskRunner, qtbot: object) -> None:
    owner, gate, seen = QObject(), threading.Event(), []
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        tasks.query(lambda: gate.wait(LIMIT_S) and "old", seen.append, owner=owner, key="list")
        tasks.query(lambda: "new", seen.append, owner=owner, key="list")
        gate.set()
    assert seen == ["new"]


def test_that_nothing_is_called_back_after_the_owner_was_deleted(tasks: TaskRunner, qtbot: object) -> None:
    owner, gate, seen = QObject(), threading.Event(), []
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        tasks.query(lambda: gate.wait(LIMIT_S), seen.append, owner=owner)
        owner.deleteLater()
        QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
        gate.set()
    assert seen == []


def test_that_an_error_goes_to_its_callback_or_else_to_everyone(tasks: TaskRunner, qtbot: object) -> None:
    def fail() -> None:
        raise BadInput("No.")

    caught: list[Exception] = []
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        tasks.query(fail, None, caught.append)
    with qtbot.waitSignal(tasks.unhandled) as told:  # type: ignore[attr-defined]
        tasks.query(fail)
    assert isinstance(caught[0], BadInput)
    assert isinstance(told.args[0], BadInput)


def test_that_writes_happen_one_after_the_other_in_order(tasks: TaskRunner, qtbot: object) -> None:
    order: list[int] = []
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        for number in range(50):
            tasks.write(lambda n=number: order.append(n))
    assert order == list(range(50))


def test_that_a_job_reports_its_progress_and_ends_once(tasks: TaskRunner, qtbot: object) -> None:
    def work(control: TaskControl) -> str:
        control.progress(3, 10, "Reading")
        return "done"

    results: list[str] = []
    job = tasks.job("Import", work, results.append)
    with qtbot.waitSignal(job.ended):  # type: ignore[attr-defined]
        pass
    assert (job.phase, job.done, job.total, job.state) == ("Reading", 3, 10, TaskState.DONE)
    assert results == ["done"]


def test_that_cancelling_a_job_ends_it_at_its_next_check_without_a_result(tasks: TaskRunner, qtbot: object) -> None:
    started = threading.Event()

    def work(control: TaskControl) -> str:
        started.set()
        while True:
            control.check()

    results: list[str] = []
    job = tasks.job("Import", work, results.append)
    assert started.wait(LIMIT_S)
    with qtbot.waitSignal(job.ended):  # type: ignore[attr-defined]
        job.cancel()
        assert job.state is TaskState.STOPPING
    assert job.state is TaskState.CANCELLED
    assert results == []


def test_that_a_cancelled_job_that_still_returned_something_counts_as_done(tasks: TaskRunner, qtbot: object) -> None:
    started = threading.Event()

    def work(control: TaskControl) -> str:
        started.set()
        while not control.cancelled:
            pass
        return "the 500 rows that were stored"

    results: list[str] = []
    job = tasks.job("Import", work, results.append)
    assert started.wait(LIMIT_S)
    with qtbot.waitSignal(job.ended):  # type: ignore[attr-defined]
        job.cancel()
    assert (job.state, results) == (TaskState.DONE, ["the 500 rows that were stored"])


def test_that_a_failed_job_says_why(tasks: TaskRunner, qtbot: object) -> None:
    def work(_control: TaskControl) -> None:
        raise BadInput("Line 7 is no JSON.")

    job = tasks.job("Import", work, None, lambda _error: None)
    with qtbot.waitSignal(job.ended):  # type: ignore[attr-defined]
        pass
    assert (job.state, job.message) == (TaskState.FAILED, "Line 7 is no JSON.")


def test_that_closing_cancels_what_runs(qapp: object) -> None:
    runner, started = TaskRunner(), threading.Event()

    def work(control: TaskControl) -> None:
        started.set()
        while True:
            control.check()

    runner.job("Endless", work)
    assert started.wait(LIMIT_S)
    assert runner.close()


def test_that_the_time_left_follows_the_median_pace() -> None:
    eta = Eta()
    assert eta.seconds_left(100) is None
    for now, done in ((0.0, 0), (1.0, 10), (2.0, 20), (12.0, 30), (13.0, 40)):
        eta.mark(done, now)
    assert eta.seconds_left(100) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "1 s"), (42, "42 s"), (384, "6 min 20 s"), (1200, "20 min"), (7500, "2 h 05 min"), (-1, "")],
)
def test_that_times_are_rounded_for_people(seconds: float | None, text: str) -> None:
    assert clock_text(seconds) == text


def test_that_progress_after_the_end_is_not_shown(qapp: object) -> None:
    job = BackgroundTask("Import", TaskControl())
    job.finish(TaskState.DONE)
    job.cancel()
    assert job.state is TaskState.DONE
