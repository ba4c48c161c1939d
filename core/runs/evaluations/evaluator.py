"""The evaluator: a generator that answers, scores and measures, and yields what it did.

Like the engine of a run it is driven by its caller and works only while the caller waits for the next event; its
batches are those of :mod:`core.runs.evaluations.arm_work`. An arm that cannot go on does not hold up the others: their
work is done and stored first, then the attempt ends with the arm and the reason, and a later one does what is missing.

This module imports torch, so it is imported only where an evaluation is worked on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from core.domain.errors import UserError
from core.domain.evaluation_events import AnswerRow, EvaluationStarted
from core.domain.evaluation_record import EvaluationRecord
from core.domain.run_events import PhaseChanged
from core.domain.suite import SuiteItem
from core.runs.evaluations.arm_failures import ArmFailures
from core.runs.evaluations.arm_work import ArmWork, Make, answered
from core.runs.evaluations.evidence import measure
from core.runs.evaluations.folder import EvaluationFolder, write_results
from core.runs.evaluations.guarding import BATCH, guarded_answers, guardrail_of
from core.runs.evaluations.leak_gate import check_leaks, leak_notes
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.suite_items import load_items
from core.runs.evaluations.work import planned, together, trained_items
from core.runs.evaluations.work_part import Kind, WorkPart
from core.training.control_protocol import Control

Items = Mapping[str, Sequence[SuiteItem]]


class Evaluator:
    """One attempt at an evaluation.

    Args:
        folder: of the evaluation; its request was verified.
        control: polled between batches.
        make_model: loads a local model; tests give another.
    """

    def __init__(
        self,
        folder: EvaluationFolder,
        control: Control,
        *,
        make_model: Callable[..., LocalModel] = LocalModel,
    ) -> None:
        self._folder = folder
        self._record: EvaluationRecord = folder.record()
        self._make_model = make_model
        self._ledger = EvaluationLedger(folder.ledger)
        self._work = ArmWork(self._ledger, control, self._record.config)
        self._failures = ArmFailures()

    def run(self) -> Iterator[Any]:
        """Yield the events of this attempt, the last one ``Finished``.

        Raises:
            UserError: when a model, a server or a sealed test cannot be used; it names the arms that failed, and the
                work of all others is stored.
        """
        record, config = self._record, self._record.config
        yield PhaseChanged("load", detail="the items of the suites")
        items, looks = load_items(self._folder, record)
        yield PhaseChanged("load", detail="leak gate")
        leaks = check_leaks(self._folder, record, items)
        trained = trained_items(record)
        plan = planned(record, items, trained)
        totals = {kind: sum(len(work.items) for work in plan if work.kind == kind) for kind in get_args(Kind)}
        self._work.done, self._work.total = self._work.stored, sum(totals.values())
        yield EvaluationStarted(
            record.evaluation_id,
            tuple(suite.title for suite in record.suites),
            tuple(arm.name for arm in record.arms),
            totals["answers"],
            totals["scores"],
            totals["kl_answers"],
            config.device,
            resumed_from=self._work.done,
        )
        for _, works in groupby(plan, key=lambda work: together(work.arm)):
            yield from self._source(list(works))
            if self._work.stopped:
                yield self._work.end("stopped")
                return
        self._failures.tell()
        yield from self._measured(items, trained, {"looks": looks, "leaks": leaks}, leak_notes(leaks))

    def _source(self, works: Sequence[WorkPart]) -> Iterator[Any]:
        """Do the work of arms that share loaded weights, or an endpoint."""
        first = works[0].arm
        if not first.is_sampled_here:
            for work in works:
                yield from self._failures.kept(work, self._guarded if first.guard else self._work.endpoint)
            return
        if all(self._work.is_done(work) for work in works):
            return
        yield PhaseChanged("load", detail=", ".join(dict.fromkeys(work.arm.name for work in works)))
        try:
            model = self._make_model(Path(first.run_dir), first.step, self._record.config, dict(first.inputs))
        except UserError as error:
            yield from self._failures.noted([work.arm for work in works], error)
            return
        try:
            for work in works:
                if not self._work.is_done(work):
                    yield from self._failures.kept(work, lambda one: self._work.local(model, one))
                if self._work.stopped:
                    return
        finally:
            model.close()

    def _guarded(self, work: WorkPart) -> Iterator[Any]:
        """Put a guardrail on the answers of another arm; nothing is sampled anew."""
        suite, arm, guardrail = work.suite, work.arm, guardrail_of(work.arm)
        rows = self._ledger.answers(suite, arm.base)
        known = {row.item for row in rows}
        left_out = [item.id for item in work.items if item.id not in known]
        cut = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]

        def made(batch: Sequence[AnswerRow]) -> Make:
            return answered(suite, arm, guarded_answers(arm, guardrail, batch, work.items))

        yield from self._work.batches("answer", work, cut, left_out, made)

    def _measured(
        self, items: Items, trained: Sequence[SuiteItem], audits: Mapping[str, Any], notes: Sequence[str]
    ) -> Iterator[Any]:
        """Compute every number from what the ledger holds, and publish the result."""
        yield PhaseChanged("measure")
        evidence, outcomes = measure(self._record, items, self._ledger, notes, trained)
        evidence = {**evidence, **audits}
        yield PhaseChanged("save", detail="evidence")
        write_results(
            self._folder,
            evidence,
            outcomes,
            evaluation_id=self._record.evaluation_id,
            head=self._ledger.head(),
        )
        yield self._work.end("completed")
