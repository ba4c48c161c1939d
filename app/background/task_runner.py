"""Runs work off the UI thread and delivers results to it.

Three kinds: ``query`` (short reads, the newest replaces older ones), ``write`` (short changes, one after the other on
one thread) and ``job`` (long, named, with progress and Cancel). Callbacks run on the UI thread; they are dropped when
their owner is deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, Slot

from app.background.task import BackgroundTask, TaskCancelled, TaskControl, TaskState
from core.domain.errors import UserError

log = logging.getLogger(__name__)
T = TypeVar("T")
Done = Callable[[Any], object]
Failed = Callable[[Exception], None]


@dataclass(slots=True)
class _Task:
    """What one piece of work needs on both threads."""

    work: Callable[[], Any]
    control: TaskControl
    done: Done | None
    failed: Failed | None
    owner: QObject | None
    slot: tuple[int, str] | None = None
    job: BackgroundTask | None = None
    value: Any = None
    error: Exception | None = None


class TaskRunner(QObject):
    """Owns the threads of the window.

    ``job_started(BackgroundTask)`` fires for each job. ``unhandled(Exception)`` fires for an error of work without a
    ``failed`` callback; the window shows it.
    """

    job_started = Signal(object)
    unhandled = Signal(object)
    idle = Signal()
    _finished = Signal(object)
    _progressed = Signal(object, int, int, str)

    def __init__(self) -> None:
        super().__init__()
        self._pool, self._writer = QThreadPool(), QThreadPool()
        self._pool.setMaxThreadCount(3)
        self._writer.setMaxThreadCount(1)
        self._newest: dict[tuple[int, str], _Task] = {}
        self._tasks: dict[int, _Task] = {}
        self.jobs: list[BackgroundTask] = []
        self._closed = False
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._progressed.connect(self._progress, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether work is under way or a result has not been delivered."""
        return bool(self._tasks)

    def query(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] | None = None,
        failed: Failed | None = None,
        *,
        owner: QObject | None = None,
        key: str = "",
    ) -> TaskControl:
        """Read something. With ``key``, a newer query of the same owner and key replaces this one."""
        task = _Task(work, TaskControl(), done, failed, owner)
        if key and owner is not None:
            task.slot = (id(owner), key)
            if older := self._newest.get(task.slot):
                older.control.cancel()
            self._newest[task.slot] = task
        return self._start(self._pool, task)

    def write(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] | None = None,
        failed: Failed | None = None,
        *,
        owner: QObject | None = None,
    ) -> TaskControl:
        """Change something; all writes run in order on one thread."""
        return self._start(self._writer, _Task(work, TaskControl(), done, failed, owner))

    def job(
        self,
        title: str,
        work: Callable[[TaskControl], T],
        done: Callable[[T], object] | None = None,
        failed: Failed | None = None,
        *,
        owner: QObject | None = None,
    ) -> BackgroundTask:
        """Start long work that reports through its ``TaskControl``; Activity shows it."""
        control = TaskControl(lambda n, total, text: self._progressed.emit(job, n, total, text))
        job = BackgroundTask(title, control)
        self.jobs.append(job)
        self._start(self._pool, _Task(lambda: work(control), control, done, failed, owner, job=job))
        self.job_started.emit(job)
        return job

    def close(self, timeout_ms: int = 5000) -> bool:
        """Cancel what can be cancelled, wait for the rest, and deliver nothing more."""
        self._closed = True
        for task in list(self._tasks.values()):
            task.control.cancel()
        ended = self._pool.waitForDone(timeout_ms) and self._writer.waitForDone(timeout_ms)
        self._tasks.clear()
        return ended

    def _start(self, pool: QThreadPool, task: _Task) -> TaskControl:
        self._tasks[id(task)] = task
        pool.start(lambda: self._work(task))
        return task.control

    def _work(self, task: _Task) -> None:
        """Run the work on a pool thread and keep its result or its error; a pool thread must not raise."""
        try:
            if not task.control.cancelled:
                task.value = task.work()
        except TaskCancelled:
            task.control.cancel()
        except UserError as error:  # a service that was cancelled refuses to go on
            task.error = None if task.control.cancelled else error
        except Exception as error:  # noqa: BLE001 - given to the caller or shown by the window
            task.error = error
        if not self._closed:
            self._finished.emit(task)

    @Slot(object)
    def _deliver(self, task: _Task) -> None:
        self._tasks.pop(id(task), None)
        stale = task.slot is not None and self._newest.get(task.slot) is not task
        if task.slot is not None and not stale:
            del self._newest[task.slot]
        if task.job is not None:
            self._end_job(task, task.job)
        if not stale and not self._closed:
            self._call_back(task)
        if not self._tasks:
            self.idle.emit()

    def _call_back(self, task: _Task) -> None:
        if task.owner is not None and not shiboken6.isValid(task.owner):
            return
        if task.error is None:
            if task.done is not None and not task.control.cancelled:
                task.done(task.value)
            return
        if not isinstance(task.error, UserError):
            log.error("background work failed", exc_info=task.error)
        if task.failed is not None:
            task.failed(task.error)
        else:
            self.unhandled.emit(task.error)

    def _end_job(self, task: _Task, job: BackgroundTask) -> None:
        if task.error is not None:
            job.finish(TaskState.FAILED, str(task.error) or type(task.error).__name__)
        elif task.control.cancelled and task.value is None:
            job.finish(TaskState.CANCELLED)
        else:
            task.control = TaskControl()
            job.finish(TaskState.DONE, result=task.value)

    @Slot(object, int, int, str)
    def _progress(self, job: BackgroundTask, done: int, total: int, text: str) -> None:
        if job.running:
            job.report(done, total, text)
