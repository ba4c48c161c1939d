"""Runs that were deleted: their folders wait beside the others until they are restored or removed for good."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from core import durable
from core.domain.errors import NotFound, UsageError
from core.domain.run_record import LIVE_STATES
from core.private_files import make_folders
from core.runs.folder import RunFolder
from core.runs.status import read_status
from core.store import events
from core.store.sqlite.database import Store

DELETED = ".deleted"
"""Folder beside the run folders that holds the deleted ones."""


@dataclass(frozen=True, slots=True)
class DeletedRun:
    """A deleted run that can still be restored. ``size_bytes``: what its folder takes on the disk."""

    run_id: str
    name: str
    created_ms: int
    size_bytes: int


class DeletedRuns:
    """Moves run folders out of the list and back; nothing is lost before :meth:`remove`.

    Args:
        store: the workspace, whose event log names each deletion.
        place: the folder of all run folders.
    """

    def __init__(self, store: Store, place: Path) -> None:
        self._store, self._place = store, place

    def delete(self, run_id: str, folder: RunFolder) -> None:
        """Take a run out of the list.

        Raises:
            UsageError: while a process works on it, or when its folder lies outside the workspace.
        """
        state = read_status(folder).state
        if state in LIVE_STATES:
            raise UsageError(f"The run is {state}; nothing was deleted.", "Stop it first.")
        if folder.path.parent.resolve() != self._place.resolve():
            raise UsageError(
                f"The run's folder lies outside the workspace ({folder.path}); nothing was deleted.",
                "Delete the folder yourself if it is no longer needed.",
            )
        name, target = folder.record().name, self._place / DELETED / folder.path.name
        make_folders(target.parent)
        self._log("run.delete", f"Deleted run {name}; it can be restored", run_id)
        durable.move(folder.path, target)

    def restore(self, run_id: str) -> RunFolder:
        """Bring a deleted run back.

        Raises:
            NotFound: when no deleted run has this id.
        """
        folder = self._find(run_id)
        target = self._place / folder.path.name
        durable.move(folder.path, target)
        back = RunFolder(target)
        self._log("run.restore", f"Restored run {back.record().name}", run_id)
        return back

    def listed(self) -> list[DeletedRun]:
        """Return the deleted runs, newest first."""
        found = []
        for folder in self._folders():
            record = folder.record()
            size = sum(path.stat().st_size for path in folder.path.rglob("*") if path.is_file())
            found.append(DeletedRun(record.run_id, record.name, record.created_ms, size))
        return sorted(found, key=lambda run: run.created_ms, reverse=True)

    def remove(self, run_id: str) -> int:
        """Remove a deleted run for good and return the bytes that this freed.

        Raises:
            NotFound: when no deleted run has this id.
        """
        folder = self._find(run_id)
        size = next(run.size_bytes for run in self.listed() if run.run_id == run_id)
        self._log("run.remove", f"Removed run {folder.record().name} for good", run_id)
        shutil.rmtree(folder.path)
        return size

    def _folders(self) -> list[RunFolder]:
        place = self._place / DELETED
        folders = (RunFolder(path) for path in place.iterdir()) if place.is_dir() else ()
        return [folder for folder in folders if folder.exists()]

    def _find(self, run_id: str) -> RunFolder:
        for folder in self._folders():
            if folder.record().run_id == run_id:
                return folder
        raise NotFound(f"There is no deleted run {run_id}.", "Look at the list of deleted runs.")

    def _log(self, op: str, summary: str, run_id: str) -> None:
        context = self._store.write_context()

        def write(session: events.Session) -> None:
            events.log(session, context, op, summary, subject="run", detail={"run_id": run_id})

        self._store.write(write, "noting a change of the runs")
