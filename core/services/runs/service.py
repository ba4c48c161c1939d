"""Training runs of a workspace: create, start, control, read, export.

What a run did is read from its folder, so that runs which the command line, another window or another machine started
are shown like any other. The database only knows which folders belong to the workspace.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.domain.changes import Changes, Outcome
from core.domain.errors import UsageError, UserError
from core.domain.ids import new_uid
from core.domain.insight import Insight
from core.domain.names import checked_name
from core.domain.pair import TrainingPair
from core.domain.pair_similarity import SimilarPairs
from core.domain.run_record import LIVE_STATES, Charter
from core.domain.token_proof import TokenProof
from core.runs import run_control
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.forking import fork_run, saved_steps
from core.runs.hosting.hosts import Host, HostKind
from core.runs.input_pairs import read_pairs
from core.runs.run_reader import RunReader
from core.runs.status import read_status
from core.services.datasets.service import DatasetsService
from core.services.models.export import ExportedRun, ExportForm, export_run
from core.services.pairs.service import PairsService
from core.services.runs import requests
from core.services.runs.charter_suites import with_suites
from core.services.runs.comparisons import RunComparisons
from core.services.runs.housekeeping import RunHousekeeping
from core.services.runs.insights import insights_of
from core.services.runs.lineage import RunLineage
from core.services.runs.registry import RunRegistry
from core.services.runs.run_estimates import prompt_groups
from core.services.runs.start_preflight import Check, PreflightReport, preflight, similar_pairs, token_proof
from core.services.runs.views import RunInfo, RunRequest, command_line
from core.store.chain_head import chain_head
from core.store.sqlite.database import Store

_INSIGHTS_S = 5.0


class RunsService:
    """Creates, controls and reads runs. All methods may be called from any thread.

    Attributes:
        engine: "module:function" that started runs use instead of the real engine; None is the real one.
    """

    def __init__(self, store: Store, datasets: DatasetsService, pairs: PairsService) -> None:
        self._store, self._datasets, self._pairs = store, datasets, pairs
        self.engine: str | None = None
        self._insights: dict[str, tuple[float, object, list[Insight]]] = {}
        self._prompts: dict[str, Mapping[str, int]] = {}
        self._hosts: dict[str, Host] = {}
        self._registry = RunRegistry(store)
        self.housekeeping = RunHousekeeping(store, self._registry)
        self.comparisons = RunComparisons(self._registry, pairs)
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The folder of all run folders."""
        return self._registry.place

    # Before a run

    def preflight(
        self,
        request: RunRequest,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        on_check: Callable[[Check], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> PreflightReport:
        """Check in a child process whether the run loads and fits into memory, and how long it takes.

        ``on_check`` gets each check as soon as it is known, the cheap ones first.
        """
        request = self._measured(request)
        return preflight(
            request.config,
            Path(request.model_path),
            self._training_pairs(request),
            place=self.folder,
            charter=request.charter,
            on_progress=on_progress,
            on_check=on_check,
            cancelled=cancelled,
        )

    def token_proof(
        self,
        request: RunRequest,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TokenProof:
        """Return of some pairs what the run would train: tokens, what is scored, differences from the answers."""
        place, pairs = Path(request.model_path), self._training_pairs(request)
        return token_proof(request.config, place, pairs, on_progress=on_progress, cancelled=cancelled)

    def similar_pairs(self, request: RunRequest) -> SimilarPairs:
        """Rank the training pairs by how alike both answers are to the model that the run would begin with (CHES)."""
        return similar_pairs(request.config, Path(request.model_path), self._training_pairs(request))

    def command_line(self, request: RunRequest) -> str:
        """Return the call of ``pairwright train`` that makes the same run."""
        title = "" if request.dataset_id is None else self._datasets.get(request.dataset_id).title
        return command_line(request, workspace=self._store.folder, dataset=title)

    def create(self, request: RunRequest) -> Outcome[RunInfo]:
        """Freeze the run into a folder of its own, ready to start.

        Raises:
            UsageError: when neither or both of dataset and pairs file are named.
            NotFound, BadInput, ModelRefused: when an input cannot be used; nothing was made.
        """
        self._must_write()
        return self._register(self._made(request))

    def create_beside(self, request: RunRequest) -> Outcome[RunInfo]:
        """Freeze the run into a folder while another process has the workspace open for writing.

        That process adds the run to its list; see :mod:`core.services.runs.requests`. Raises what :meth:`create` does.
        """
        folder = self._made(request)
        requests.leave(self.folder, folder.path.name)
        return Outcome(self.info(folder.path.name), Changes.RUNS)

    def _made(self, request: RunRequest) -> RunFolder:
        request = self._measured(request)
        new = NewRun(
            config=request.config,
            model_dir=Path(request.model_path),
            pairs=self._training_pairs(request),
            name=request.name,
            dataset=self._dataset(request),
            charter=with_suites(request.charter, self._store),
            command_line=self.command_line(request),
            tags=request.tags,
            note=request.note,
        )
        run_id = new_uid()
        return create_run(self.folder / run_id, new, run_id=run_id)

    def fork(
        self, run_id: str, step: int, changes: Mapping[str, object], *, name: str = "", charter: Charter | None = None
    ) -> Outcome[RunInfo]:
        """Make a child run that continues from the checkpoint of ``step`` under changed settings.

        Raises:
            NotFound: when there is no such checkpoint.
            UsageError: when a setting changed that a checkpoint cannot follow.
        """
        self._must_write()
        name = checked_name(name, "run") if name else ""
        parent, child_id = self._registry.folder(run_id), new_uid()
        return self._register(
            fork_run(parent, step, changes, path=self.folder / child_id, run_id=child_id, name=name, charter=charter)
        )

    def _must_write(self) -> None:
        if self._store.read_only:
            raise UserError("This workspace is open for reading only.", "Close the other window, or use that one.")

    def _register(self, folder: RunFolder) -> Outcome[RunInfo]:
        self._registry.register(folder)
        return Outcome(self.info(folder.record().run_id), Changes.RUNS)

    # While it runs

    def start(self, run_id: str, host: HostKind = "process", *, survive: bool = True) -> Outcome[RunInfo]:
        """Start the run, or resume it from its newest checkpoint.

        Raises:
            WorkspaceInUse: when a process works on it already.
            UsageError: when it is finished.
        """
        started = run_control.start(self._registry.folder(run_id), host, survive=survive, engine=self.engine)
        return self._hosted(run_id, started)

    def pause(self, run_id: str) -> Outcome[RunInfo]:
        """Ask the run to pause at its next micro-batch.

        Raises:
            UsageError: when no process works on it.
        """
        run_control.pause(self._registry.folder(run_id))
        return Outcome(self.info(run_id), Changes.RUNS)

    def resume(self, run_id: str, host: HostKind = "process") -> Outcome[RunInfo]:
        """Continue a paused run, or start one again that ended early.

        Raises:
            UsageError: when it is finished.
        """
        return self._hosted(run_id, run_control.resume(self._registry.folder(run_id), host, engine=self.engine))

    def stop(self, run_id: str, save: bool = True) -> Outcome[RunInfo]:
        """Ask the run to stop, with a last checkpoint or at once.

        Raises:
            UsageError: when no process works on it.
        """
        run_control.stop(self._registry.folder(run_id), save=save)
        return Outcome(self.info(run_id), Changes.RUNS)

    def checkpoint(self, run_id: str) -> Outcome[RunInfo]:
        """Ask the run to save a checkpoint and continue. Raises what :meth:`stop` does."""
        run_control.checkpoint(self._registry.folder(run_id))
        return Outcome(self.info(run_id), Changes.RUNS)

    def _hosted(self, run_id: str, started: Host | None) -> Outcome[RunInfo]:
        """Keep the host of a run that this process started."""
        if started is not None:
            with self._lock:
                self._hosts[run_id] = started
        return Outcome(self.info(run_id), Changes.RUNS)

    def wait(self, run_id: str, timeout: float | None = None) -> int | None:
        """Wait for a run that this process started; None when it did not end in time or was started elsewhere."""
        host = self._hosts.get(run_id)
        return host.wait(timeout) if host is not None else None

    def host_of(self, run_id: str) -> Host | None:
        """Return the host in which this process started the run last, None where it started none."""
        with self._lock:
            return self._hosts.get(run_id)

    def note_ended(self) -> Outcome[int]:
        """Note in the event log how the ledger of each run ended, so that a later change of it is found."""
        return Outcome(self._registry.note_ended(self.list()), Changes.NOTHING)

    def follow(self) -> Sequence[RunInfo]:
        """Return every run, newest first, after adding runs that other processes made and noting those that ended."""
        if not self._store.read_only:
            self._registry.take_requests()
        runs = self.list()
        if not self._store.read_only:
            self._registry.note_ended(runs)
        return runs

    # Reading

    def list(self) -> Sequence[RunInfo]:
        """Return every run of the workspace, newest first."""
        with self._lock:
            for host in self._hosts.values():
                host.alive()  # frees the process-table entry of a worker that ended
        return self._registry.list()

    def info(self, run_id: str) -> RunInfo:
        """Return one run.

        Raises:
            NotFound: when the workspace has no such run.
        """
        return self._registry.info(run_id)

    def reader(self, run_id: str) -> RunReader:
        """Return a reader of the run's ledger; keep it, since it caches what it read."""
        return RunReader(self._registry.folder(run_id).path)

    def insights(self, run_id: str) -> list[Insight]:
        """Return the insights of the run's curves, the worst first.

        They read all steps, so those of a live run are computed again only every few seconds.
        """
        folder = self._registry.folder(run_id)
        status, now = read_status(folder), time.monotonic()
        mark = (status.state, status.attempt, 0 if status.state in LIVE_STATES else status.step)
        made_at, made_of, found = self._insights.get(run_id, (-math.inf, None, []))
        if made_of != mark or (status.state in LIVE_STATES and now - made_at > _INSIGHTS_S):
            reader = RunReader(folder.path)
            prompts = self._prompts[run_id] = self._prompts.get(run_id) or prompt_groups(reader)
            found = insights_of(reader, prompts)
            self._insights[run_id] = (now, mark, found)
        return found

    def checkpoints(self, run_id: str) -> list[int]:
        """Return the steps that the run can be forked from, newest first."""
        return saved_steps(self._registry.folder(run_id))

    def export(
        self,
        run_id: str,
        target: Path,
        form: ExportForm = "adapter",
        *,
        dtype: str = "",
        on_progress: Callable[[int, int, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ExportedRun:
        """Export the result of a run for other tools; see :func:`core.services.models.export.export_run`."""
        run = self._registry.folder(run_id)
        return export_run(run, target, form, dtype=dtype, on_progress=on_progress, cancelled=cancelled)

    def lineage(self, run_id: str) -> RunLineage:
        """Return the lineage of the run's pairs: labels, clauses and reviewers."""
        return RunLineage(self._pairs, self.reader(run_id))

    def _measured(self, request: RunRequest) -> RunRequest:
        """Return the request with the measured flip rate as label smoothing, and the measurement in its note.

        Raises:
            UsageError: when the rate is not measured, or the request names no dataset version.
        """
        if not request.measured_smoothing:
            return request
        if request.dataset_id is None:
            raise UsageError("A file of pairs has no measured flip rate.", "Set label_smoothing to a number.")
        rate, words = self._datasets.measured_smoothing(request.dataset_id)
        note = f"{request.note}\n{words}".strip()
        config = request.config.with_values({"label_smoothing": rate})
        return replace(request, config=config, note=note, measured_smoothing=False)

    def _training_pairs(self, request: RunRequest) -> list[TrainingPair]:
        if (request.dataset_id is None) == (not request.pairs_path):
            raise UsageError("A run needs either a dataset version or a file of pairs.", "Choose one of them.")
        if request.dataset_id is None:
            return read_pairs(Path(request.pairs_path))
        return list(self._datasets.training_pairs(request.dataset_id, splits=("train", "dev")))

    def _dataset(self, request: RunRequest) -> dict[str, object]:
        if request.dataset_id is None:
            path = Path(request.pairs_path)
            return {"title": path.name, "path": str(path.resolve()), **self._chain()}
        version = self._datasets.get(request.dataset_id)
        return {
            "id": version.id,
            "title": version.title,
            "root_sha256": version.root_sha256,
            "rubrics": list(version.rubric_titles),
            **self._chain(),
        }

    def _chain(self) -> dict[str, object]:
        """Return which workspace the run was made in, and the head of its hash chain then."""
        with self._store.read() as session:
            return {"workspace": self._store.uuid, "chain_head": chain_head(session).words}
