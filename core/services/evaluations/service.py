"""Evaluations of a workspace: create, start, watch, pause, cancel, resume, read the evidence.

Like runs they are folders: those that the command line, another window or another machine works on are shown like any
other. The database gets one entry in the event log when one is made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.domain.arm_cost import ArmCost
from core.domain.changes import Changes, Outcome
from core.domain.errors import NotFound, UserError
from core.domain.evaluation_record import SEALED
from core.domain.evidence import Generated
from core.domain.ids import new_uid
from core.domain.rubric_text import reading_text
from core.runs.evaluations import control
from core.runs.evaluations.arm_costs import arm_costs
from core.runs.evaluations.cost import ExpectedCost
from core.runs.evaluations.creation import NewEvaluation, SealedSuite, create_evaluation, make_record
from core.runs.evaluations.folder import PLACE, EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.status import evaluation_status
from core.runs.evaluations.timing import measured_cost
from core.runs.evaluations.verify import evaluation_problems, require_unaltered
from core.runs.hosting.hosts import ProcessHost
from core.services.datasets.service import DatasetsService
from core.services.evaluations.making import new_evaluation
from core.services.evaluations.requests import EvaluationRequest
from core.services.evaluations.views import EvaluationInfo, generated
from core.services.rubrics.service import RubricsService
from core.services.sealed.service import SealedService
from core.services.suites.service import SuitesService
from core.services.thresholds.service import ThresholdsService
from core.store import events
from core.store.sqlite.database import Session, Store


class EvaluationsService:
    """Creates, controls and reads evaluations. All methods may be called from any thread."""

    def __init__(
        self,
        store: Store,
        suites: SuitesService,
        datasets: DatasetsService,
        rubrics: RubricsService,
        sealed: SealedService,
        thresholds: ThresholdsService,
    ) -> None:
        self._store, self._suites, self._datasets, self._rubrics = store, suites, datasets, rubrics
        self._sealed, self._thresholds = sealed, thresholds
        self._hosts: dict[str, ProcessHost] = {}
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The folder of all evaluations."""
        return self._store.folder / PLACE

    # Making

    def create(self, request: EvaluationRequest) -> Outcome[EvaluationInfo]:
        """Freeze the request into a folder of its own, ready to start.

        It works beside a window that has the workspace open; then only the entry in the event log is missing.

        Raises:
            UsageError: without suites, for a word that names nothing, or for an endpoint elsewhere.
            NotFound: when run, checkpoint or suite do not exist.
        """
        new = self._new(request)
        self._require_no_leak(new)
        evaluation_id = new_uid()
        folder = create_evaluation(self.folder / evaluation_id, new, evaluation_id=evaluation_id)
        self._note(folder)
        return Outcome(self.info(evaluation_id), Changes.EVALUATIONS)

    def expected(
        self,
        request: EvaluationRequest,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ExpectedCost:
        """Return how long the evaluation takes at most, by a short timing of the model, and what would be cheaper.

        Raises what :meth:`create` does; nothing is made.
        """
        record, items = make_record(self._new(request), "")
        return measured_cost(record, items, on_progress=on_progress, cancelled=cancelled)

    def _new(self, request: EvaluationRequest) -> NewEvaluation:
        return new_evaluation(
            request,
            place=self._store.folder,
            find_suite=self._suites.get,
            find_sealed=self._sealed_test,
            find_rubric=self._rubric,
            find_guardrail=self._thresholds.guardrail,
        )

    def _note(self, folder: EvaluationFolder) -> None:
        if self._store.read_only:
            return
        record, context = folder.record(), self._store.write_context()
        detail = {
            "evaluation_id": record.evaluation_id,
            "run_id": record.run["run_id"],
            "step": record.run["step"],
            "suites": {suite.title: suite.sha256 for suite in record.suites},
            "arms": [arm.name for arm in record.arms],
        }

        def write(session: Session) -> None:
            summary = f"Created evaluation {record.name}"
            events.log(session, context, "evaluation.create", summary, subject="evaluation", detail=detail)

        self._store.write(write, "noting an evaluation")

    def _sealed_test(self, wanted: str, person: str, reason: str) -> SealedSuite:
        """Return the sealed test of a dataset version; it is opened in the evaluator process alone."""
        version = self._datasets.get(wanted)
        place = self._sealed.seal_version(version.id)
        return SealedSuite(
            title=f"{SEALED}{version.title}",
            path=place.path,
            keys=place.keys,
            sha256=place.sha256,
            rows=place.rows,
            person=person,
            reason=reason,
            used_for=self._sealed.usage(version.id).sentence(),
        )

    def _require_no_leak(self, new: NewEvaluation) -> None:
        """Compare sealed tests with all that the workspace holds, before anything is made and without a look."""
        run_ids = list(dict.fromkeys(arm.run_id for arm in new.arms if arm.run_id))
        for sealed in new.sealed:
            self._sealed.leaks_of(sealed.title.removeprefix(SEALED), run_ids=run_ids).require_none()

    def _rubric(self, titles: tuple[str, ...]) -> tuple[str, str]:
        """Return title and text of the newest published rubric version among these titles."""
        for version in self._rubrics.published():
            if version.title in titles:
                return version.title, reading_text(version)
        raise NotFound(
            "No published rubric version stands behind this run's labels.", "Name a text file with --rubric."
        )

    # While it runs

    def start(self, evaluation_id: str) -> Outcome[EvaluationInfo]:
        """Start the evaluator process, or resume it where it stopped.

        Raises:
            WorkspaceInUse: when a process works on it already.
            UsageError: when it is finished.
        """
        return self._hosted(evaluation_id, control.start(self.find(evaluation_id)))

    def resume(self, evaluation_id: str) -> Outcome[EvaluationInfo]:
        """Continue a paused evaluation, or start one again that ended early.

        Raises:
            UsageError: when it is finished.
        """
        return self._hosted(evaluation_id, control.resume(self.find(evaluation_id)))

    def pause(self, evaluation_id: str) -> Outcome[EvaluationInfo]:
        """Ask it to pause after its batch.

        Raises:
            UsageError: when no process works on it.
        """
        control.pause(self.find(evaluation_id))
        return Outcome(self.info(evaluation_id), Changes.EVALUATIONS)

    def cancel(self, evaluation_id: str) -> Outcome[EvaluationInfo]:
        """Ask it to stop after its batch; its answers are kept.

        Raises:
            UsageError: when no process works on it.
        """
        control.cancel(self.find(evaluation_id))
        return Outcome(self.info(evaluation_id), Changes.EVALUATIONS)

    def wait(self, evaluation_id: str, timeout: float | None = None) -> int | None:
        """Wait for an evaluation that this process started; None when it did not end in time."""
        host = self._hosts.get(self.find(evaluation_id).record().evaluation_id)
        return host.wait(timeout) if host is not None else None

    def _hosted(self, evaluation_id: str, host: ProcessHost | None) -> Outcome[EvaluationInfo]:
        info = self.info(evaluation_id)
        if host is not None:
            with self._lock:
                self._hosts[info.evaluation_id] = host
        return Outcome(info, Changes.EVALUATIONS)

    # Reading

    def list(self) -> Sequence[EvaluationInfo]:
        """Return every evaluation of the workspace, newest first."""
        with self._lock:
            for host in self._hosts.values():
                host.alive()  # frees the process-table entry of a worker that ended
        return [_info(folder) for folder in control.list_evaluations(self.folder)]

    def info(self, evaluation_id: str) -> EvaluationInfo:
        """Return one evaluation with its state and progress.

        Raises:
            NotFound: when there is none.
        """
        return _info(self.find(evaluation_id))

    def find(self, evaluation_id: str) -> EvaluationFolder:
        """Return the folder of an evaluation, named by its id, the beginning of it, or its name.

        Raises:
            NotFound: when there is none.
        """
        return control.find_evaluation(evaluation_id, self._store.folder)

    def evidence(self, evaluation_id: str) -> Mapping[str, Any]:
        """Return the content of ``evidence.json``.

        Raises:
            NotFound: before everything is measured.
            BadInput: when it is damaged.
        """
        folder = self.find(evaluation_id)
        found = folder.evidence()
        if found is None:
            state = evaluation_status(folder).state
            raise NotFound(f"This evaluation has no evidence yet; it is {state}.", "Start or resume it.")
        return found

    def answers(self, evaluation_id: str, suite: str, arm: str) -> list[Generated]:
        """Return the answers of one arm to one suite, with what detector and checks say where that is known."""
        folder = self.find(evaluation_id)
        outcomes = {(row["suite"], row["arm"], row["item"]): row for row in folder.outcomes()}
        rows = EvaluationLedger(folder.ledger).answers(suite, arm)
        return [generated(row, outcomes.get((suite, arm, row.item), {})) for row in rows]

    def costs(self, evaluation_id: str) -> dict[str, ArmCost]:
        """Return what the answers of each arm cost on the machine that measured them: time, speed, memory."""
        return arm_costs(EvaluationLedger(self.find(evaluation_id).ledger).batches().values())

    def problems(self, evaluation_id: str) -> list[str]:
        """Return a sentence for each part of the folder that is damaged or was altered."""
        return list(evaluation_problems(self.find(evaluation_id)))

    def unaltered(self, evaluation_id: str) -> EvaluationFolder:
        """Return the folder of an evaluation from which something is concluded.

        Raises:
            NotFound: when there is none.
            BadInput: when a part of it was altered or is damaged.
        """
        folder = self.find(evaluation_id)
        require_unaltered(folder)
        return folder

    def require_writable(self) -> None:
        """Raise where nothing can be written.

        Raises:
            UserError: when the workspace is open for reading only.
        """
        if self._store.read_only:
            raise UserError("This workspace is open for reading only.", "Close the other window, or use that one.")


def _info(folder: EvaluationFolder) -> EvaluationInfo:
    return EvaluationInfo.of(folder.path, folder.record(), evaluation_status(folder))
