"""``runs/queue.json``: the run queue of a workspace, changed under a lock, so that several processes can change it.

The file is replaced as a whole, so that readers need no lock, and a process that is killed leaves the old or the new
queue. It knows run ids only; the runs are their folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core import durable
from core.domain.errors import BadInput, UserError, WorkspaceInUse
from core.domain.run_queue import RunQueue
from core.file_lock import HeldLock, LockTaken
from core.private_files import make_folders
from core.runs.folder import RunFolder

QUEUE, LOCK, SWEEP_LOCK = "queue.json", ".queue.lock", ".sweep.lock"
_WAIT_S = 20.0
"""How long a change waits for another one; each takes milliseconds."""


class QueueFile:
    """Reads and changes the queue of one folder of runs."""

    def __init__(self, place: Path) -> None:
        """Args: place: the folder of all run folders."""
        self.place = Path(place)

    def read(self) -> RunQueue:
        """Return the queue; an empty one where there is no file.

        Raises:
            BadInput: when the file is damaged.
        """
        path = self.place / QUEUE
        if not path.exists():
            return RunQueue()
        try:
            return RunQueue.from_plain(durable.read_json(path))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(
                f"{path} is damaged ({error}). No run was touched.", "Remove the file; then add the runs again."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[RunQueue]:
        """Hold the queue: nobody else changes it within the context. Yields what it is now.

        Raises:
            WorkspaceInUse: when another process holds it for long.
            StorageFull, UserError: when the folder cannot be written to.
        """
        with durable.clear_errors(self.place):
            make_folders(self.place)
        try:
            lock = HeldLock(self.place / LOCK, wait_s=_WAIT_S)
        except LockTaken as taken:
            raise WorkspaceInUse(
                f"The queue is being changed by {taken.holder}; nothing was changed.", "Try again."
            ) from taken
        with lock:
            yield self.read()

    def write(self, queue: RunQueue) -> None:
        """Store the queue; only within :meth:`locked`.

        Raises:
            StorageFull, UserError: the old queue is untouched.
        """
        durable.write_json(self.place / QUEUE, queue.to_plain())

    def change(self, change: Callable[[RunQueue], RunQueue]) -> RunQueue:
        """Replace the queue by what ``change`` makes of it, and return that.

        Raises: what ``change`` raises, and what :meth:`locked` and :meth:`write` do; the queue is then as it was.
        """
        with self.locked() as queue:
            changed = change(queue)
            if changed != queue:
                self.write(changed)
            return changed


@contextmanager
def held_machine(place: Path) -> Iterator[None]:
    """Keep the queue from starting a run between two runs of a sweep; freed however the process ends.

    Where another sweep holds it, or the folder has no locks, the context does nothing.
    """
    try:
        lock = HeldLock(place / SWEEP_LOCK, wait_s=_WAIT_S / 4)
    except (LockTaken, UserError, OSError):
        yield
        return
    with lock:
        yield


def is_held(place: Path) -> bool:
    """Return whether a sweep holds the machine."""
    path = place / SWEEP_LOCK
    if not path.exists():
        return False
    try:
        HeldLock(path).release()
    except LockTaken:
        return True
    except (UserError, OSError):
        pass
    return False


def is_queued(folder: RunFolder) -> bool:
    """Return whether a run waits in the queue of its folder; False where that cannot be read."""
    file = QueueFile(folder.path.parent)
    try:
        queue = file.read()
        return bool(queue.waiting) and queue.holds(folder.record().run_id)
    except (UserError, OSError):
        return False
