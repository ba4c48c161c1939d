"""Working a run queue off: one run at a time, taken by exactly one process, concluded from what the run did.

A run is taken by writing it into ``queue.json`` as *taken*, under the lock of the queue. Nobody takes another one until
that run is concluded: when its newest attempt ended, or when the process that took it died before the run began. A
process that is killed therefore leaves nothing to tidy up.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from core.domain.clock import now_ms
from core.domain.errors import NotFound, UserError
from core.domain.run_queue import RunQueue, TakenRun, ToldKind, ToldRun, WaitingRun
from core.domain.run_record import LIVE_STATES
from core.runs.folder import RunFolder, WorkFolder
from core.runs.heartbeat import Worker, read_worker
from core.runs.queue_file import QueueFile, is_held
from core.runs.run_control import list_runs
from core.runs.status import RunStatus, read_status

Objection = Callable[[RunFolder], UserError | None]
"""Why a run must not be started any more, None where it may be."""
_MOST_TRIES = 2
"""Times in a row that a run may be taken and come no step further because its process died."""


def run_folder(place: Path, run_id: str) -> RunFolder:
    """Return the folder of a run in ``place``.

    Raises:
        NotFound: when there is none.
    """
    direct = RunFolder(place / run_id)
    if direct.exists():
        return direct
    for folder in list_runs(place):
        if folder.record().run_id == run_id:
            return folder
    raise NotFound("The folder of this run is gone; it was deleted or moved.", "Restore it, then add it again.")


def at_work(place: Path) -> Path | None:
    """Return a run in ``place``, or an evaluation beside it, that a process works on; None when the machine is free.

    While a sweep goes on, it is ``place`` itself, also between two of its runs.
    """
    if is_held(place):
        return place
    for parent in (place, place.parent / "evaluations"):
        for path in sorted(parent.iterdir()) if parent.is_dir() else ():
            worker = read_worker(WorkFolder(path).worker)
            if worker is not None and worker.alive(now_ms()):
                return path
    return None


def waiting_run(folder: RunFolder) -> WaitingRun:
    """Return the entry of a run that is added to the queue now."""
    status = read_status(folder)
    return WaitingRun(folder.record().run_id, now_ms(), status.attempt, step=status.step)


class QueueRunner:
    """Takes runs from the queue of one folder of runs for this process."""

    def __init__(
        self,
        place: Path,
        *,
        objection: Objection | None = None,
        ended: Callable[[str], bool] | None = None,
    ) -> None:
        """Args:
        place: the folder of all run folders.
        objection: asked before a run is taken.
        ended: whether this process started the run (an id) in a host that has ended since.
        """
        self.file = QueueFile(place)
        self._objection = objection
        self._ended = ended
        me = psutil.Process()
        self._pid, self._started = me.pid, me.create_time()

    def settle(self) -> RunQueue:
        """Conclude the run that was taken, if it has ended, and return the queue."""
        return self.file.change(self._settled)

    def take(self) -> RunFolder | None:
        """Take the next run that can be started, for this process; the caller starts it at once.

        Runs that cannot be started any more are told with the reason and passed over.

        Returns:
            None when nothing waits, the queue is paused, or the machine is not free.

        Raises:
            StorageFull, UserError: when the queue cannot be written; nothing was taken.
        """
        found: RunFolder | None = None
        with self.file.locked() as before:
            queue = self._settled(before)
            free = queue.taken is None and not queue.paused and bool(queue.waiting) and at_work(self.file.place) is None
            while free and found is None and queue.waiting:
                queue, found = self._step(queue)
            if queue != before:
                self.file.write(queue)
        return found

    def refuse(self, run_id: str, error: UserError) -> RunQueue:
        """Note why the run that was taken could not be started."""

        def change(queue: RunQueue) -> RunQueue:
            mine = queue.taken is not None and queue.taken.waited.run_id == run_id
            return _told(replace(queue, taken=None) if mine else queue, run_id, "refused", error.message, error.hint)

        return self.file.change(change)

    def _step(self, queue: RunQueue) -> tuple[RunQueue, RunFolder | None]:
        """Take the first waiting run, or drop it with or without a reason."""
        first = queue.waiting[0]
        rest = queue.without(first.run_id)
        try:
            folder = run_folder(self.file.place, first.run_id)
            folder.record().require_known_settings()
        except UserError as error:
            return _told(queue, first.run_id, "refused", error.message, error.hint), None
        status = read_status(folder)
        if status.state == "finished" or status.attempt > first.attempt:
            return rest, None  # somebody started it by hand
        if self._objection is not None and (why := self._objection(folder)) is not None:
            return _told(queue, first.run_id, "refused", why.message, why.hint), None
        taken = TakenRun(replace(first, step=status.step), self._pid, self._started, platform.node())
        return replace(rest, taken=taken), folder

    def _settled(self, queue: RunQueue) -> RunQueue:
        """Return the queue with the taken run concluded, where it has ended."""
        taken = queue.taken
        if taken is None:
            return queue
        try:
            status = read_status(run_folder(self.file.place, taken.waited.run_id))
        except UserError as error:
            return _told(replace(queue, taken=None), taken.waited.run_id, "refused", error.message, error.hint)
        begun = status.attempt > taken.waited.attempt
        if status.state in LIVE_STATES or (not begun and self._starts(taken)):
            return queue
        return _concluded(replace(queue, taken=None), taken.waited, status)

    def _starts(self, taken: TakenRun) -> bool:
        """Return whether the process that took the run can still be about to start it."""
        if taken.pid == self._pid and self._ended is not None and self._ended(taken.waited.run_id):
            return False
        return Worker(taken.pid, taken.started, taken.machine, "", 0, "starting", 0).alive(now_ms())


def _concluded(queue: RunQueue, waited: WaitingRun, status: RunStatus) -> RunQueue:
    """Return the queue after the run that had been taken: a run whose process died goes on first, but not forever."""
    if status.state in ("finished", "stopped"):
        return queue
    if status.state == "failed":
        kind: ToldKind = "refused" if status.kind == "refused" else "failed"
        return _told(queue, waited.run_id, kind, status.message, status.hint)
    tries = 1 if status.step > waited.step else waited.tries + 1
    if tries >= _MOST_TRIES:
        words = f"Its process ended {tries} times without a word at step {status.step}; what was saved is safe."
        return _told(queue, waited.run_id, "interrupted", words, "See its log; more free memory may help.")
    if queue.holds(waited.run_id):
        return queue
    return queue.with_added(replace(waited, attempt=status.attempt, step=status.step, tries=tries), 0)


def _told(queue: RunQueue, run_id: str, kind: ToldKind, reason: str, hint: str) -> RunQueue:
    return queue.with_told(ToldRun(run_id, kind, reason, hint, now_ms()))
