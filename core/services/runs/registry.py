"""The runs of a workspace: run folders on the disk, with what the database adds to them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from core.domain.errors import BadInput, NotFound
from core.runs.folder import RunFolder
from core.runs.run_control import list_runs
from core.runs.status import RunStatus, read_status
from core.runs.verify_run import ledger_head, manifest_sha256
from core.services.runs import requests
from core.services.runs.views import RunInfo
from core.store import events
from core.store import runs as repository
from core.store.runs import RegisteredRun
from core.store.sqlite.database import Store

_FINAL_STATES = ("finished", "stopped", "failed")


class RunRegistry:
    """Finds run folders that were created here or copied here, and caches the state of runs that have ended."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Path, tuple[object, RunInfo]] = {}
        self._ended: list[tuple[str, RunStatus]] = []
        self._lock = threading.Lock()

    @property
    def place(self) -> Path:
        """The folder of all run folders."""
        return self._store.folder / "runs"

    def register(self, folder: RunFolder) -> None:
        """Add a published run folder to the database."""
        record = folder.record()
        entry = RegisteredRun(
            run_id=record.run_id,
            name=record.name,
            folder=f"runs/{folder.path.name}",
            dataset_id=record.dataset.get("id"),
            dataset_sha256=record.dataset.get("root_sha256", ""),
            model_path=record.model_dir,
            tags=record.tags,
            note=record.note,
            created_ms=record.created_ms,
        )
        context, manifest = self._store.write_context(), manifest_sha256(folder)

        def write(session: repository.Session) -> None:
            repository.add(session, entry, context)
            detail = {"run_id": record.run_id, "fingerprint": record.fingerprint, "manifest_sha256": manifest}
            events.log(session, context, "run.create", f"Created run {record.name}", subject="run", detail=detail)

        self._store.write(write, "registering the run")

    def take_requests(self) -> int:
        """Add the runs that other processes asked for; return how many."""
        taken = 0
        for run_id in requests.pending(self.place):
            folder = RunFolder(self.place / run_id)
            if folder.exists() and run_id not in self._entries():
                try:
                    self.register(folder)
                except BadInput:
                    continue  # a damaged folder; the list of runs leaves it out too
                taken += 1
            requests.done(self.place, run_id)
        return taken

    def note_ended(self, infos: Sequence[RunInfo]) -> int:
        """Note the head of the ledger of each run that has ended since; return how many were noted."""
        ended = [
            info for info in infos if info.state in _FINAL_STATES and (info.run_id, info.status) not in self._ended
        ]
        if not ended:
            return 0
        with self._store.read() as session:
            noted = {(row.get("run_id"), row.get("ledger_seq")) for row in events.details(session, "run.end")}
        new = []
        for info in ended:
            seq, sha = ledger_head(RunFolder(Path(info.folder)))
            if seq and (info.run_id, seq) not in noted:
                new.append((info, {"run_id": info.run_id, "ledger_seq": seq, "ledger_sha256": sha}))
        context = self._store.write_context()

        def write(session: repository.Session) -> None:
            for info, detail in new:
                summary = f"Run {info.name} ended: {info.state}"
                events.log(session, context, "run.end", summary, subject="run", detail=detail)

        if new:
            self._store.write(write, "noting the end of a run")
        self._ended += [(info.run_id, info.status) for info in ended]
        return len(new)

    def list(self) -> list[RunInfo]:
        """Return every run of the workspace, newest first."""
        entries = self._entries()
        folders = {folder.path: folder for folder in list_runs(self.place)}
        for entry in entries.values():
            outside = RunFolder(self._store.folder / entry.folder)
            if outside.path not in folders and outside.exists():
                folders[outside.path] = outside
        infos = [self._info(folder, entries) for folder in folders.values()]
        return sorted(infos, key=lambda info: info.record.created_ms, reverse=True)

    def info(self, run_id: str) -> RunInfo:
        """Return one run.

        Raises:
            NotFound: when the workspace has no such run.
        """
        folder = self.folder(run_id)
        return self._info(folder, self._entries())

    def _info(self, folder: RunFolder, entries: dict[str, RegisteredRun]) -> RunInfo:
        mtime_key = (_mtime_key(folder.ledger), _mtime_key(folder.worker))
        with self._lock:
            known = self._known.get(folder.path)
        record = known[1].record if known else folder.record()
        unchanged = known is not None and known[0] == mtime_key and known[1].state in _FINAL_STATES
        status = known[1].status if known and unchanged else read_status(folder)
        entry = entries.get(record.run_id)
        info = RunInfo(
            run_id=record.run_id,
            name=entry.name if entry else record.name,
            folder=str(folder.path),
            record=record,
            status=status,
            tags=entry.tags if entry else record.tags,
            note=entry.note if entry else record.note,
        )
        with self._lock:
            self._known[folder.path] = (mtime_key, info)
        return info

    def folder(self, run_id: str) -> RunFolder:
        """Return the folder of a run.

        Raises:
            NotFound: when the workspace has no such run.
        """
        direct = RunFolder(self.place / run_id)
        if direct.exists():
            return direct
        entry = self._entries().get(run_id)
        if entry is not None and (registered := RunFolder(self._store.folder / entry.folder)).exists():
            return registered
        for folder in list_runs(self.place):
            if folder.record().run_id == run_id:
                return folder
        raise NotFound(f"There is no run {run_id} in this workspace.", "Its folder may have been moved or deleted.")

    def annotate(self, run_id: str, name: str | None, tags: tuple[str, ...] | None, note: str | None) -> None:
        """Change name, tags or note of a run; one that was copied here is added to the database first."""
        if run_id not in self._entries():
            self.register(self.folder(run_id))
        self._store.write(
            lambda session: repository.annotate(session, run_id, name=name, tags=tags, note=note), "changing a run"
        )

    def _entries(self) -> dict[str, RegisteredRun]:
        with self._store.read() as session:
            return {entry.run_id: entry for entry in repository.listed(session)}


def _mtime_key(path: Path) -> tuple[int, int] | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_mtime_ns, info.st_size
