"""Order among the runs of a workspace: the table, names, tags and notes, archiving, deleting and restoring."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from core.domain.changes import Changes, Outcome
from core.domain.counting import counted
from core.domain.errors import NotFound, UsageError
from core.domain.run_record import ARCHIVED
from core.runs.status import RunStatus
from core.services.runs.deleted_runs import DeletedRun, DeletedRuns
from core.services.runs.derived_uses import record_uses_of
from core.services.runs.registry import RunRegistry
from core.services.runs.run_table import RunSummary, summarise_run
from core.services.runs.views import RunInfo
from core.store.sqlite.database import Store

_ID_PREFIX = 4
"""Characters of a run id that are enough to name a run."""


class RunHousekeeping:
    """What people do with runs beside training them. Run folders stay as they were frozen."""

    def __init__(self, store: Store, registry: RunRegistry) -> None:
        self._store, self._registry = store, registry
        self._deleted = DeletedRuns(store, registry.place)
        self._summaries: dict[str, tuple[RunStatus, tuple[object, ...], RunSummary]] = {}
        self._lock = threading.Lock()

    def table(self) -> Sequence[RunSummary]:
        """Return a line for every run, newest first; a ledger is read again only when the run has moved."""
        return [self._summary(info) for info in self._registry.list()]

    def _summary(self, info: RunInfo) -> RunSummary:
        words = (info.name, info.tags, info.note)
        with self._lock:
            known = self._summaries.get(info.run_id)
        if known is not None and known[:2] == (info.status, words):
            return known[2]
        made = summarise_run(info)
        with self._lock:
            self._summaries[info.run_id] = (info.status, words, made)
        return made

    def find(self, text: str) -> str:
        """Return the id of the run that ``text`` names: its id, the beginning of it, or its present name.

        Raises:
            NotFound: when there is none. UsageError: when there are several.
        """
        runs = self._registry.list()
        found = [i.run_id for i in runs if text in (i.run_id, i.name)]
        if not found and len(text) >= _ID_PREFIX:
            found = [i.run_id for i in runs if i.run_id.startswith(text)]
        if len(found) > 1:
            raise UsageError(f"{counted(len(found), 'run')} are called {text!r}.", "Name one by its id.")
        if not found:
            raise NotFound(f"There is no run {text!r} in this workspace.", "Look at the table of runs.")
        return found[0]

    def annotate(
        self, run_id: str, *, name: str | None = None, tags: tuple[str, ...] | None = None, note: str | None = None
    ) -> Outcome[RunInfo]:
        """Change name, tags or note of a run; None leaves a value as it is. The archive is not changed by ``tags``.

        Raises:
            BadInput: for a name or tag with control characters.
            NotFound: when the workspace has no such run.
        """
        if tags is not None and ARCHIVED in self._registry.info(run_id).tags:
            tags = (*(tag for tag in tags if tag != ARCHIVED), ARCHIVED)
        self._registry.annotate(run_id, name, tags, note)
        return Outcome(self._registry.info(run_id), Changes.RUNS)

    def archive(self, run_id: str, archived: bool = True) -> Outcome[RunInfo]:
        """Leave a run out of the lists, or show it there again."""
        tags = tuple(tag for tag in self._registry.info(run_id).tags if tag != ARCHIVED)
        self._registry.annotate(run_id, None, (*tags, ARCHIVED) if archived else tags, None)
        return Outcome(self._registry.info(run_id), Changes.RUNS)

    def delete(self, run_id: str) -> Outcome[str]:
        """Take a run out of the lists; :meth:`restore` brings it back. Its value is the run's name.

        What the run used items for is recorded, so that it counts for good.

        Raises:
            UsageError: while a process works on it, or when its folder lies outside the workspace.
            NotFound: when the workspace has no such run.
        """
        name = self._registry.info(run_id).name
        runs = self._registry.list()
        record_uses_of(self._store, run_id, runs)
        self._deleted.delete(run_id, self._registry.folder(run_id))
        return Outcome(name, Changes.RUNS, f"Delete run {name}")

    def restore(self, run_id: str) -> Outcome[RunInfo]:
        """Bring a deleted run back.

        Raises:
            NotFound: when no deleted run has this id.
        """
        self._deleted.restore(run_id)
        return Outcome(self._registry.info(run_id), Changes.RUNS)

    def deleted(self) -> Sequence[DeletedRun]:
        """Return the runs that can be restored, newest first."""
        return self._deleted.listed()

    def remove(self, run_id: str) -> Outcome[int]:
        """Remove a deleted run for good; its value is the bytes that this freed.

        Raises:
            NotFound: when no deleted run has this id.
        """
        return Outcome(self._deleted.remove(run_id), Changes.NOTHING)
