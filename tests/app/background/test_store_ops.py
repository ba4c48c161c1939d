from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject

from app.background.change_bus import ChangeBus
from app.background.store_ops import StoreOps
from app.background.task_runner import TaskRunner
from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, ImmutableError, StorageFull


@pytest.fixture
def running(qapp: object) -> Iterator[tuple[TaskRunner, ChangeBus, StoreOps]]:
    tasks, bus = TaskRunner(), ChangeBus()
    yield tasks, bus, StoreOps(tasks, bus)
    assert tasks.close()


def test_that_a_change_is_announced_before_the_callback(running: tuple, qtbot: object) -> None:
    tasks, bus, ops = running
    order: list[object] = []
    bus.changed.connect(lambda changes, initiator: order.append((changes, initiator)))
    page = QObject()
    with qtbot.waitSignals([ops.saving, ops.saved, tasks.idle]):  # type: ignore[attr-defined]
        ops.mutate(lambda: Outcome(7, Changes.PAIRS), lambda outcome: order.append(outcome.value), initiator=page)
    assert order == [(Changes.PAIRS, page), 7]


def test_that_a_change_that_changed_nothing_is_not_announced(running: tuple, qtbot: object) -> None:
    tasks, bus, ops = running
    heard: list[object] = []
    bus.changed.connect(lambda *args: heard.append(args))
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        ops.mutate(lambda: Outcome(None))
    assert heard == []


def test_that_a_failed_change_says_so_and_is_not_announced(running: tuple, qtbot: object) -> None:
    tasks, _bus, ops = running
    errors: list[Exception] = []

    def fail() -> Outcome[None]:
        raise StorageFull("The disk is full; the label is kept on the screen.")

    with qtbot.waitSignals([ops.not_saved, tasks.idle]):  # type: ignore[attr-defined]
        ops.mutate(fail, failed=errors.append)
    assert isinstance(errors[0], StorageFull)


def test_that_a_change_is_announced_even_when_its_page_is_gone(running: tuple, qtbot: object) -> None:
    tasks, bus, ops = running
    heard: list[Changes] = []
    bus.changed.connect(lambda changes, _initiator: heard.append(changes))
    owner, called = QObject(), []
    with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
        ops.mutate(lambda: Outcome(1, Changes.RUBRICS), called.append, owner=owner)
        owner.deleteLater()
        QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    assert (heard, called) == ([Changes.RUBRICS], [])


def test_that_a_long_change_announces_its_outcome(running: tuple, qtbot: object) -> None:
    _tasks, bus, ops = running
    with qtbot.waitSignal(bus.changed) as heard:  # type: ignore[attr-defined]
        ops.job("Import", lambda control: Outcome("report", Changes.PAIRS | Changes.JUDGEMENTS))
    assert heard.args[0] == Changes.PAIRS | Changes.JUDGEMENTS


def test_that_an_error_whose_page_is_gone_is_shown_by_the_window(running: tuple, qtbot: object) -> None:
    tasks, _bus, ops = running
    shown: list[object] = []
    met: list[Exception] = []
    tasks.unhandled.connect(shown.append)

    def fail(*_: object) -> Outcome[None]:
        raise StorageFull("The disk is full.")

    for start in (ops.mutate, lambda work, **rest: ops.job("Importing", work, **rest)):
        owner = QObject()
        with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
            start(fail, failed=met.append, owner=owner)
            owner.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert met == [] and [type(error) for error in shown] == [StorageFull, StorageFull]


def test_that_a_refused_change_is_told_from_one_that_could_not_be_stored(running: tuple, qtbot: object) -> None:
    tasks, _bus, ops = running
    told: list[str] = []
    ops.refused.connect(lambda: told.append("refused"))
    ops.not_saved.connect(lambda _: told.append("not saved"))

    def fail(error: Exception) -> Callable[[], Outcome[None]]:
        def work() -> Outcome[None]:
            raise error

        return work

    for error in (ImmutableError("Frozen."), BadInput("No name."), StorageFull("The disk is full.")):
        with qtbot.waitSignal(tasks.idle):  # type: ignore[attr-defined]
            ops.mutate(fail(error), failed=lambda _: None)
    assert told == ["refused", "refused", "not saved"]
