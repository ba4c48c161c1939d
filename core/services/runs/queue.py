"""The run queue of a workspace: which runs wait, in which order; starting the next one when the machine is free.

Every run of a queue is an ordinary run that is created and waits. Runs that were started elsewhere, by ``train`` or
``sweep``, are shown as running: nothing is taken before they have ended.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.clock import now_ms
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, StorageFull, UsageError, UserError
from core.domain.run_queue import RunQueue, ToldRun, WaitingRun
from core.domain.run_record import LIVE_STATES, RESUMABLE_STATES
from core.domain.sweep import SweepPlan
from core.model_files.identity import verify_model
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import HostKind
from core.runs.queue_runner import QueueRunner, waiting_run
from core.runs.status import read_status, require_startable
from core.services.runs.service import RunsService
from core.services.runs.sweeps import sweep_requests
from core.services.runs.views import RunInfo, RunRequest
from core.store.sqlite.database import Store
from core.store.withdrawn import withdrawn_pairs

LEAST_FREE_BYTES = 256 * 2**20
"""A run is not taken from the queue where less than this is free: its ledger and checkpoints would not fit."""


@dataclass(frozen=True, slots=True)
class ToldInfo:
    """A run that left the queue without having ended well: its name, "" where its folder is gone, and why."""

    name: str
    told: ToldRun


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue as a list shows it.

    Attributes:
        running: runs that a process works on, whoever started them.
        waiting: in the order in which they are taken.
        told: runs that did not go well, the newest first.
    """

    paused: bool = False
    running: tuple[RunInfo, ...] = ()
    waiting: tuple[RunInfo, ...] = ()
    told: tuple[ToldInfo, ...] = ()


class RunQueueService:
    """Adds to the queue, orders it, and takes from it. All methods may be called from any thread."""

    def __init__(self, store: Store, runs: RunsService) -> None:
        self._store, self._runs = store, runs
        self._runner = QueueRunner(runs.folder, objection=self.objection, ended=self._has_ended)
        self._advancing = threading.Lock()

    # Reading

    def view(self, runs: Sequence[RunInfo] | None = None) -> QueueView:
        """Return the queue.

        Args:
            runs: all runs of the workspace, where they were just read.

        Raises:
            BadInput: when the file of the queue is damaged.
        """
        queue = self._runner.file.read()
        infos = {info.run_id: info for info in (self._runs.list() if runs is None else runs)}
        waits = (one for one in queue.waiting if _still_waits(one, infos.get(one.run_id)))
        return QueueView(
            queue.paused,
            tuple(info for info in infos.values() if info.live),
            tuple(infos[one.run_id] for one in waits),
            tuple(ToldInfo(infos[t.run_id].name if t.run_id in infos else "", t) for t in reversed(queue.told)),
        )

    def objection(self, folder: RunFolder) -> UserError | None:
        """Return why a run must not be started any more, None where it may be.

        What takes long to find (altered weights) is found by the run itself, and told when it fails.
        """
        try:
            require_startable(folder)
            self._require_model(folder)
            self._require_consent(folder)
            free = shutil.disk_usage(folder.path).free
        except UserError as error:
            return error
        if free < LEAST_FREE_BYTES:
            words = f"{free / 2**20:,.0f} MiB are free on the disk of the workspace, which is too little for a run."
            return StorageFull(f"{words} It was not started.", "Free some space, then add the run again.")
        return None

    # Changing

    def add(self, request: RunRequest) -> Outcome[RunInfo]:
        """Create a run and let it wait. Raises what :meth:`RunsService.create` does; then nothing was added."""
        create = self._runs.create_beside if self._store.read_only else self._runs.create
        return self.put(create(request).value.run_id)

    def add_sweep(self, request: RunRequest, plan: SweepPlan) -> Outcome[list[RunInfo]]:
        """Create every run of a sweep and let them wait, in their order; the first computes the reference for all.

        Raises:
            UsageError: for a setting or value that cannot be; nothing was made.
            UserError: where a run could not be made; those before it wait.
        """
        if request.measured_smoothing and "label_smoothing" in plan.over:
            raise UsageError("The label smoothing cannot be measured and varied at once.", "Choose one of the two.")
        made = [self.add(one).value for one in sweep_requests(request, plan, began_ms=now_ms())]
        return Outcome(made, Changes.RUNS, "Add the sweep to the queue")

    def put(self, run_id: str, place: int | None = None) -> Outcome[RunInfo]:
        """Let a run wait that is there already: one that was never started, or one that ended early.

        Args:
            run_id: of the run.
            place: where in the queue, from 0; None for the end.

        Raises:
            NotFound: when the workspace has no such run.
            UsageError: when it waits already, is worked on, or is finished.
        """
        folder = RunFolder(Path(self._runs.info(run_id).folder))
        if folder.path.parent != self._runs.folder:
            raise UsageError("This run lies outside the workspace and cannot wait in its queue.", "Start it by hand.")
        require_startable(folder)
        if read_status(folder).state in LIVE_STATES:
            raise UsageError("A process works on this run already; it was not added.", "Watch it in Runs.")
        self._runner.file.change(lambda queue: queue.with_added(waiting_run(folder), place))
        return self._changed(run_id, "Add to the queue")

    def remove(self, run_id: str) -> Outcome[int]:
        """Take a run out of the queue; the run stays in the list of runs. Its value is the place that it had, from 0.

        Raises:
            NotFound: when it does not wait.
        """
        place = 0

        def change(queue: RunQueue) -> RunQueue:
            nonlocal place
            place = queue.place_of(run_id)
            return queue.without(run_id)

        self._runner.file.change(change)
        return Outcome(place, Changes.RUNS, "Remove from the queue")

    def move(self, run_id: str, place: int) -> Outcome[int]:
        """Move a waiting run to ``place``, from 0; its value is the place that it has now.

        Raises:
            NotFound: when it does not wait.
        """
        queue = self._runner.file.change(lambda queue: queue.with_moved(run_id, place))
        return Outcome(queue.place_of(run_id), Changes.RUNS, "Move in the queue")

    def shift(self, run_id: str, by: int) -> Outcome[int]:
        """Move a waiting run by some places, up for a negative number; its value is the place that it has now.

        Raises:
            NotFound: when it does not wait.
        """
        queue = self._runner.file.change(lambda queue: queue.with_moved(run_id, max(0, queue.place_of(run_id) + by)))
        return Outcome(queue.place_of(run_id), Changes.RUNS, "Move in the queue")

    def pause(self, paused: bool = True) -> Outcome[bool]:
        """Take nothing more from the queue, or go on with it. The run that is worked on goes on in both cases."""
        self._runner.file.change(lambda queue: replace(queue, paused=paused))
        return Outcome(paused, Changes.RUNS)

    def forget(self, run_id: str = "") -> Outcome[None]:
        """Forget why a run did not go well; for "" of all runs."""
        self._runner.file.change(lambda queue: queue.without_told(run_id))
        return Outcome(None, Changes.RUNS)

    # Working it off

    def settle(self) -> RunQueue:
        """Conclude the run that was taken, if it has ended, and return the queue."""
        return self._runner.settle()

    def take(self) -> RunFolder | None:
        """Take the next run for this process, which then works on it itself; see :meth:`QueueRunner.take`."""
        return self._runner.take()

    def refuse(self, run_id: str, error: UserError) -> None:
        """Note why the run that was taken could not be worked on."""
        self._runner.refuse(run_id, error)

    def advance(self, host: HostKind = "process") -> Outcome[RunInfo | None]:
        """Start the next run if the machine is free; its value is that run, None where none was started.

        A run that cannot be started is told with its reason, and the next one is tried.

        Raises:
            StorageFull, UserError: when the queue cannot be written; nothing was started.
        """
        with self._advancing:
            while (folder := self._runner.take()) is not None:
                run_id = folder.record().run_id
                try:
                    return Outcome(self._runs.start(run_id, host).value, Changes.RUNS)
                except UserError as error:
                    self._runner.refuse(run_id, error)
                except OSError as error:
                    self._runner.refuse(run_id, UserError(f"It could not be started: {error.strerror or error}."))
        return Outcome(None)

    def follow(self, host: HostKind = "process") -> Sequence[RunInfo]:
        """Start the next run if its turn has come, and return every run as :meth:`RunsService.follow` does.

        For a window, which calls it every few seconds. A workspace that is open for reading only starts nothing, and an
        error of the queue is left to :meth:`view`, which shows it.
        """
        with suppress(UserError):
            queue = self._runner.file.read()
            if (queue.waiting or queue.taken) and not self._store.read_only:
                self.advance(host)
        return self._runs.follow()

    def _changed(self, run_id: str, undo: str) -> Outcome[RunInfo]:
        return Outcome(self._runs.info(run_id), Changes.RUNS, undo)

    def _has_ended(self, run_id: str) -> bool:
        host = self._runs.host_of(run_id)
        return host is not None and not host.alive()

    def _require_model(self, folder: RunFolder) -> None:
        """Raise where a file of the base model is gone.

        Raises:
            ModelRefused, NotFound: naming it.
        """
        record = folder.record()
        place = Path(record.model_dir)
        if not place.exists():
            raise NotFound(f"The model of this run is not at {place} any more; nothing was trained.", "Move it back.")
        if place.is_dir() and not all((place / name).is_file() for name in record.model_files):
            verify_model(place, record.model_files)

    def _require_consent(self, folder: RunFolder) -> None:
        """Raise where a consent to a pair of the run was withdrawn, or has ended, since it was created.

        Raises:
            BadInput: with the number of pairs.
        """
        if not folder.record().dataset.get("id"):
            return
        with self._store.read() as session:
            gone = withdrawn_pairs(session, now_ms())
        if not gone:
            return
        count = 0
        for pair in folder.pairs():
            with suppress(ValueError):
                count += int(pair.pair_id) in gone
        if count:
            raise BadInput(
                f"Consent to {counted(count, 'pair')} of this run was withdrawn or has ended since it was created; "
                "nothing was trained.",
                "Freeze a new dataset version and make the run from that.",
            )


def _still_waits(one: WaitingRun, info: RunInfo | None) -> bool:
    """Return whether an entry stands for a run that is there, and that nobody started by hand since."""
    return info is not None and info.state in RESUMABLE_STATES and info.status.attempt <= one.attempt
