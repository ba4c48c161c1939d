"""Generations of a workspace: create, start, watch, cancel, resume, and land their pairs with a batch for labelling.

Like runs they are folders: those that the command line or another window works on are shown like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.domain.batch import LabelBatch
from core.domain.changes import Changes, Outcome
from core.domain.errors import BadInput, UsageError, UserError
from core.domain.generated_pairs import GenerationReport
from core.domain.generation import BatchWish, KeepChoice, LeaveReason, PairGeneration, leave_choices
from core.domain.ids import new_uid
from core.domain.tried_pairs import TriedPairs
from core.runs.child_processes.request import Progress
from core.runs.folder import RunFolder
from core.runs.generations import control
from core.runs.generations.creation import NewGeneration, create_generation, make_generation
from core.runs.generations.folder import PLACE, GenerationFolder
from core.runs.generations.tried import try_first
from core.runs.hosting.hosts import ProcessHost
from core.runs.run_control import find_run
from core.services.batches.service import BatchesService
from core.services.generations.landing import Landing, canonical_margins, land, letters_of, prepared, reported
from core.services.generations.prompts import ChosenPrompts, choose_prompts
from core.services.generations.requests import Answerer, GenerationRequest, answerers_of, read_sides, scored_by
from core.services.generations.views import GenerationInfo, LandedPairs
from core.services.models.conversion import starter_model
from core.services.models.service import ModelsService
from core.services.runs.service import RunsService
from core.store import batches as batch_store
from core.store import events, generated
from core.store.sqlite.database import Session, Store

_STARTER = "starter"
Choices = Mapping[LeaveReason, KeepChoice]


class GenerationsService:
    """Creates, controls and lands generations. All methods may be called from any thread."""

    def __init__(self, store: Store, models: ModelsService, runs: RunsService, batches: BatchesService) -> None:
        self._store, self._models, self._runs, self._batches = store, models, runs, batches
        self._hosts: dict[str, ProcessHost] = {}
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Of all generations."""
        return self._store.folder / PLACE

    # Making

    def prompts(self, request: GenerationRequest) -> ChosenPrompts:
        """Return which prompts a request asks, without making anything.

        Raises:
            UsageError, NotFound, BadInput: as :meth:`create`.
        """
        with self._store.read() as session:
            return choose_prompts(session, request)

    def planned(self, request: GenerationRequest) -> PairGeneration:
        """Return what a request comes to, without making anything.

        Raises:
            UsageError, NotFound, BadInput: as :meth:`create`.
        """
        return make_generation(self._new(request), "")[0]

    def try_first(
        self,
        request: GenerationRequest,
        *,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TriedPairs:
        """Return the first pairs of a request, and how long all of them will take; nothing is stored.

        Args:
            request: what is to be generated.
            on_progress: gets (done, total, text).
            cancelled: polled; True ends it.

        Raises:
            Cancelled: when ``cancelled`` became true.
            UserError: as :meth:`create`, or when a side cannot answer.
        """
        record, prompts = make_generation(self._new(request), "")
        return try_first(record, prompts, on_progress=on_progress, cancelled=cancelled)

    def create(self, request: GenerationRequest) -> Outcome[GenerationInfo]:
        """Freeze the request into a folder of its own, ready to start.

        Raises:
            UsageError: for a word that names nothing, an endpoint elsewhere, or a rule that the sides cannot answer.
            NotFound: when there is no such run, checkpoint, model or source.
            BadInput: without a prompt, or for a name of a batch that is taken.
        """
        new, generation_id = self._new(request), new_uid()
        create_generation(self.folder / generation_id, new, generation_id=generation_id)
        info = self.info(generation_id)
        if not self._store.read_only:
            self._note(info)
        return Outcome(info, Changes.NOTHING)

    def _new(self, request: GenerationRequest) -> NewGeneration:
        a, b = read_sides(request, self._find_run, self._find_model)
        chosen = self.prompts(request)
        wish = request.batch
        margins = scored_by(request, a, b)
        if wish is not None:
            self._require_possible(wish)
        return NewGeneration(
            a=a,
            b=b,
            prompts=chosen.prompts,
            config=request.config,
            samples=request.samples,
            name=request.name,
            origin=chosen.origin,
            system_prompt=request.system_prompt,
            margins=margins,
            choices=leave_choices(request.keep),
            nearly=request.nearly,
            batch=wish.to_plain() if wish is not None else {},
            command_line=request.command_line,
        )

    def _require_possible(self, wish: BatchWish) -> None:
        with self._store.read() as session:
            taken = any(one.name == wish.name for one in batch_store.listed(session))
        if taken:
            raise BadInput(
                f"There is already a batch called {wish.name}; nothing was generated.", "Choose another name."
            )

    def _find_run(self, name: str) -> RunFolder:
        for run in self._runs.list():
            if name in (run.name, run.run_id):
                return RunFolder(Path(run.folder))
        return find_run(name, self._store.folder)

    def _find_model(self, name: str) -> Path:
        return starter_model() if name == _STARTER else self._models.find(name).path

    def _note(self, info: GenerationInfo) -> None:
        record, context = info.record, self._store.write_context()
        detail = {
            "generation": record.generation_id,
            "runs": sorted(record.runs),
            "a": dict(record.a.inputs),
            "b": dict(record.b.inputs),
            "pairs": record.pairs,
        }

        def write(session: Session) -> None:
            summary = f"Created the generation {record.name}"
            events.log(session, context, "generation.create", summary, subject="generation", detail=detail)

        self._store.write(write, "noting a generation")

    # While it runs

    def start(self, generation_id: str, *, survive: bool = False) -> Outcome[GenerationInfo]:
        """Start the process of a generation, or resume it where it stopped.

        Args:
            generation_id: id, beginning of it, or name.
            survive: whether it goes on when this process ends; else it is cancelled then, and can be resumed.

        Raises:
            WorkspaceInUse: when a process works on it already.
            UsageError: when it is finished.
        """
        folder = self.find(generation_id)
        host = control.start(folder, survive=survive)
        with self._lock:
            self._hosts[folder.record().generation_id] = host
        return Outcome(self.info(generation_id), Changes.NOTHING)

    def cancel(self, generation_id: str) -> None:
        """Ask it to stop at once; the stored answers are kept.

        Raises:
            UsageError: when no process works on it.
        """
        control.cancel(self.find(generation_id))

    def wait(self, generation_id: str, timeout: float | None = None) -> int | None:
        """Wait for a generation that this process started; None when it did not end in time."""
        host = self._hosts.get(self.find(generation_id).record().generation_id)
        return host.wait(timeout) if host is not None else None

    def work(
        self,
        generation_id: str,
        *,
        on_progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> GenerationInfo:
        """Work on a generation in a process of its own until it ends, and return how it stands then.

        Args:
            generation_id: id, beginning of it, or name.
            on_progress: gets (done, total, text) about twice a second.
            cancelled: polled as often; True asks the process to stop, which keeps the stored answers.

        Raises:
            WorkspaceInUse: when another process works on it already.
            UserError: when it failed, with the reason.
        """
        folder = self.find(generation_id)
        if not folder.pairs_file.is_file():
            self.start(generation_id)
            control.follow(self._hosts[folder.record().generation_id], folder, on_progress, cancelled)
        info = self.info(generation_id)
        if info.state in ("failed", "interrupted"):
            raise UserError(info.status.message, info.status.hint or "The stored answers are safe; go on with it.")
        return info

    # Reading

    def answerers(self) -> Sequence[Answerer]:
        """Return what can answer: results and checkpoints of the runs, newest run first, then the models."""
        found: list[Answerer] = []
        for run in self._runs.list():
            found += answerers_of(run.name, run.run_id, Path(run.folder))
        return found + [Answerer(f"model:{info.path}", f"{info.name} · model", "model") for info in self._models.list()]

    def unfinished(self) -> Sequence[GenerationInfo]:
        """Return the generations on which nobody works and whose pairs are not in the workspace, newest first."""
        return [info for info in self.list() if not info.live and not info.source_id and info.state != "finished"]

    def list(self) -> Sequence[GenerationInfo]:
        """Return every one of the workspace, newest first."""
        return [self._info(folder) for folder in control.list_generations(self._store.folder)]

    def info(self, generation_id: str) -> GenerationInfo:
        """Return one generation with its state and progress.

        Raises:
            NotFound: when there is none.
        """
        return self._info(self.find(generation_id))

    def find(self, generation_id: str) -> GenerationFolder:
        """Return the folder of a generation, named by its id, the beginning of it, or its name.

        Raises:
            NotFound: when there is none.
        """
        return control.find_generation(generation_id, self._store.folder)

    def _info(self, folder: GenerationFolder) -> GenerationInfo:
        source_id = 0
        if folder.pairs_file.is_file():
            with self._store.read() as session:
                source_id = generated.source_of(session, folder.pairs_sha256()) or 0
        return GenerationInfo.of(folder.path, folder.record(), control.generation_status(folder), source_id)

    def report(self, generation_id: str, choices: Choices | None = None) -> GenerationReport:
        """Return what becomes of the pairs of a finished generation; None takes the choices of its request.

        Raises:
            UsageError: before every prompt is answered.
            BadInput: when a file of it was altered.
        """
        folder = self._finished(generation_id)
        record, pairs = folder.record(), folder.pairs()
        with self._store.read() as session:
            return reported(
                session, record, pairs, prepared(record, pairs), choices or record.choices, folder.pairs_sha256()
            )

    # Landing

    def land(
        self, generation_id: str, choices: Choices | None = None, batch: BatchWish | None = None
    ) -> Outcome[LandedPairs]:
        """Add the pairs that are kept to the workspace, as a source of kind generated, and make the batch.

        Landing again adds nothing but what other choices keep.

        Args:
            generation_id: id, beginning of it, or name.
            choices: by reason; None takes those of the request.
            batch: that is made of them; None takes the request's.

        Raises:
            UsageError: before every prompt is answered.
            BadInput: when a file of it was altered, or the batch cannot be made.
        """
        folder, context = self._finished(generation_id), self._store.write_context()
        record, pairs, sha256 = folder.record(), folder.pairs(), folder.pairs_sha256()

        def job(session: Session) -> Landing:
            return land(session, record, pairs, choices or record.choices, sha256, context)

        landed = self._store.write(job, "landing generated pairs")
        wish = batch or (BatchWish.from_plain(record.batch) if record.batch else None)
        made, told = (None, ()) if wish is None or not landed.source_id else self._batch(wish, record, folder, landed)
        changed = Changes.PAIRS if landed.added else Changes.NOTHING
        where = landed.source_id, landed.source, landed.added
        value = LandedPairs(record.generation_id, *where, landed.report, tuple(pairs), made, (*landed.told, *told))
        return Outcome(value, changed | (Changes.JUDGEMENTS if made is not None else Changes.NOTHING))

    def _batch(
        self, wish: BatchWish, record: PairGeneration, folder: GenerationFolder, landed: Landing
    ) -> tuple[LabelBatch | None, tuple[str, ...]]:
        """Make the batch with the margins of the generation; one that was made of the same source before stays."""
        with self._store.read() as session:
            before = next((one for one in batch_store.listed(session) if one.name == wish.name), None)
            ready = prepared(record, folder.pairs())
            ids = generated.ids_of(session, [pair.sha256 for pair in ready.values()])
        if before is not None:
            if before.policy["filter"].get("source_id") != landed.source_id:
                raise BadInput(
                    f"The pairs are in the workspace, but there is another batch called {wish.name}.",
                    "Make a batch of the source by another name: batch create WS --source.",
                )
            return before, (f"The batch {wish.name} was made before.",)
        letters = letters_of(wish, record)
        runs = [(record.a if letter == "A" else record.b).run_id for letter in letters]
        margins = [canonical_margins(folder.pairs(), ready, ids, letter) for letter in letters]
        made = self._batches.create(
            wish.name, wish.version_id, wish.policy(landed.source_id, runs), margins=margins
        ).value
        return made, made.told

    def _finished(self, generation_id: str) -> GenerationFolder:
        folder = self.find(generation_id)
        if not folder.pairs_file.is_file():
            state = control.generation_status(folder).state
            raise UsageError(
                f"This generation is {state}; its pairs are made when every prompt is answered.", "Resume it first."
            )
        folder.verify()
        return folder
