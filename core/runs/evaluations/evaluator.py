"""The evaluator: a generator that answers, scores and measures, and yields what it did.

Like the engine of a run it is driven by its caller and works only while the caller waits for the next event. Every
batch is one event, stored with its rows before the next one begins, so that a kill loses at most one batch. A resumed
evaluation makes the same batches and leaves out those that the ledger holds.

This module imports torch, so it is imported only where an evaluation is worked on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from core.domain.counting import counted
from core.domain.evaluation_events import (
    Answered,
    AnswerRow,
    EvaluationStarted,
    KlScored,
    PairsScored,
)
from core.domain.evaluation_record import Arm, EvaluationRecord
from core.domain.run_events import Finished, PhaseChanged, Warned
from core.domain.suite import SuiteItem
from core.generation.endpoint import Endpoint, EndpointDecoder
from core.generation.seeds import derive_seed
from core.runs.evaluations.evidence import measure
from core.runs.evaluations.folder import EvaluationFolder, write_results
from core.runs.evaluations.guarding import BATCH, guarded_answers, guardrail_of
from core.runs.evaluations.leak_gate import check_leaks, leak_notes
from core.runs.evaluations.ledger import BatchKey, EvaluationLedger
from core.runs.evaluations.local_model import LocalModel, pair_batches, prompt_batches
from core.runs.evaluations.suite_items import load_items
from core.runs.evaluations.work import Kind, WorkPart, planned, together, trained_items
from core.training.control_protocol import Control
from core.training.steps.interrupts import Interrupts

Items = Mapping[str, Sequence[SuiteItem]]
Make = Callable[[int, float, tuple[str, ...]], Any]
"""From number, seconds and ids that were left out to the event of a batch."""
_ENDPOINT_BATCH = 4
"""Answers of an endpoint that are stored together."""


@dataclass(slots=True)
class _Progress:
    """How much is done of what the whole evaluation does, in answers, scored pairs and answers of the KL."""

    done: int
    total: int


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
        self._interrupts = Interrupts(control)
        self._make_model = make_model
        self._ledger = EvaluationLedger(folder.ledger)
        self._finished: dict[BatchKey, Any] = self._ledger.batches()
        self._notes: set[tuple[str, str]] = set()
        self._begun = time.monotonic()

    def run(self) -> Iterator[Any]:
        """Yield the events of this attempt, the last one ``Finished``.

        Raises:
            UserError: when a model, a server or a sealed test cannot be used.
        """
        record, config = self._record, self._record.config
        yield PhaseChanged("load", detail="the items of the suites")
        items, looks = load_items(self._folder, record)
        yield PhaseChanged("load", detail="leak gate")
        leaks = check_leaks(self._folder, record, items)
        trained = trained_items(record)
        plan = planned(record, items, trained)
        totals = {kind: sum(len(work.items) for work in plan if work.kind == kind) for kind in get_args(Kind)}
        stored = sum(batch.count for batch in self._finished.values())
        progress = _Progress(stored, sum(totals.values()))
        yield EvaluationStarted(
            record.evaluation_id,
            tuple(suite.title for suite in record.suites),
            tuple(arm.name for arm in record.arms),
            totals["answers"],
            totals["scores"],
            totals["kl_answers"],
            config.device,
            resumed_from=stored,
        )
        for _, works in groupby(plan, key=lambda work: together(work.arm)):
            yield from self._source(list(works), progress)
            if self._interrupts.stop:
                yield self._end("stopped")
                return
        yield from self._measured(items, trained, {"looks": looks, "leaks": leaks}, leak_notes(leaks))

    def _source(self, works: Sequence[WorkPart], progress: _Progress) -> Iterator[Any]:
        """Do the work of arms that share loaded weights, or an endpoint."""
        first = works[0].arm
        if not first.is_sampled_here:
            for work in works:
                yield from self._guarded(work, progress) if first.guard else self._endpoint(work, progress)
            return
        if all(self._is_done(work) for work in works):
            return
        yield PhaseChanged("load", detail=", ".join(dict.fromkeys(work.arm.name for work in works)))
        model = self._make_model(Path(first.run_dir), first.step, self._record.config, dict(first.inputs))
        try:
            for work in works:
                if not self._is_done(work):
                    yield from (
                        self._sampled(model, work, progress)
                        if work.kind != "scores"
                        else self._scored(model, work, progress)
                    )
                if self._interrupts.stop:
                    return
        finally:
            model.close()

    def _is_done(self, work: WorkPart) -> bool:
        """Return whether the ledger holds all batches, so that nothing needs to be loaded for them."""
        key = (work.kind, work.suite, work.arm.name)
        return sum(batch.count for known, batch in self._finished.items() if known[:3] == key) >= len(work.items)

    def _scored(self, model: LocalModel, work: WorkPart, progress: _Progress) -> Iterator[Any]:
        suite, arm = work.suite, work.arm
        pairs, left_out = model.encoded_pairs(arm, work.items)

        def made(batch: Sequence[Any]) -> Make:
            rows = tuple(model.score(arm, suite, batch))
            return lambda number, seconds, out: PairsScored(
                suite, arm.name, number, len(rows) + len(out), seconds, out, rows
            )

        yield from self._told("forward", model.forward_note)
        yield from self._batches("score", work, pair_batches(pairs), left_out, made, progress)

    def _sampled(self, model: LocalModel, work: WorkPart, progress: _Progress) -> Iterator[Any]:
        """Let a local model answer, or sample for the KL."""
        suite, arm, config = work.suite, work.arm, self._record.config
        is_kl = work.kind == "kl_answers"
        horizon = config.kl_max_new_tokens if is_kl else config.max_new_tokens
        prompts, left_out = model.encoded(arm, work.items, horizon)

        def made(batch: Sequence[Any]) -> Make:
            if not is_kl:
                return _answered(suite, arm, model.answer(arm, suite, batch))
            rows = tuple(model.kl(arm, suite, batch))
            return lambda number, seconds, out: KlScored(suite, arm.name, number, len(rows) + len(out), seconds, rows)

        with model.decoding(arm, prompts) as note:
            yield from self._told("decoder", note)
            cut = prompt_batches(prompts, config, horizon)
            yield from self._batches("kl" if is_kl else "answer", work, cut, left_out, made, progress)

    def _told(self, code: str, note: str) -> Iterator[Warned]:
        """Say once why a slower way is taken."""
        if note and (code, note) not in self._notes:
            self._notes.add((code, note))
            yield Warned(code, f"A slower way is used, with the same results: {note}.")

    def _endpoint(self, work: WorkPart, progress: _Progress) -> Iterator[Any]:
        """Let a server answer, one prompt at a time."""
        config, suite, arm = self._record.config, work.suite, work.arm
        decoder = EndpointDecoder(config.max_new_tokens, config.temperature, config.top_p, config.top_k)
        server = Endpoint(arm.url, arm.served_model)
        cut = [work.items[i : i + _ENDPOINT_BATCH] for i in range(0, len(work.items), _ENDPOINT_BATCH)]

        def made(batch: Sequence[SuiteItem]) -> Make:
            rows = []
            for item in batch:
                seed = derive_seed(config.seed, "answer", suite, item.id)
                found = server.answer(arm.prompt(item.prompt), seed, decoder)
                tokens = found.tokens or len(found.text.split())
                rows.append(
                    AnswerRow(suite, arm.name, item.id, found.text, tokens, found.finished, seed, found.prompt_tokens)
                )
            return _answered(suite, arm, rows)

        yield from self._batches("answer", work, cut, [], made, progress)

    def _guarded(self, work: WorkPart, progress: _Progress) -> Iterator[Any]:
        """Put a guardrail on the answers of another arm; nothing is sampled anew."""
        suite, arm, guardrail = work.suite, work.arm, guardrail_of(work.arm)
        rows = self._ledger.answers(suite, arm.base)
        known = {row.item for row in rows}
        left_out = [item.id for item in work.items if item.id not in known]
        cut = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]

        def made(batch: Sequence[AnswerRow]) -> Make:
            return _answered(suite, arm, guarded_answers(arm, guardrail, batch, work.items))

        yield from self._batches("answer", work, cut, left_out, made, progress)

    def _batches(
        self,
        phase: Any,
        work: WorkPart,
        batches: Sequence[Sequence[Any]],
        left_out: Sequence[str],
        made: Callable[[Sequence[Any]], Make],
        progress: _Progress,
    ) -> Iterator[Any]:
        """Do the batches that the ledger lacks; those left out are counted with the first one."""
        if left_out and not batches:
            batches = [[]]
        for number, batch in enumerate(batches):
            out, key = tuple(left_out) if number == 0 else (), (work.kind, work.suite, work.arm.name, number)
            if key in self._finished:
                continue
            if out:
                yield Warned("left_out", _about_left_out(out, work))
            yield from self._interrupts.poll(progress.done)
            if self._interrupts.stop:
                return
            yield PhaseChanged(phase, progress.done, progress.total, f"{work.arm.name}, {work.suite}")
            begun = time.monotonic()
            event = made(batch)(number, time.monotonic() - begun, out)
            progress.done += event.count
            self._finished[key] = event
            yield event

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
        yield self._end("completed")

    def _end(self, reason: Any) -> Finished:
        done = sum(batch.count for batch in self._finished.values())
        return Finished(reason, done, seconds=time.monotonic() - self._begun)


def _answered(suite: str, arm: Arm, rows: Iterable[AnswerRow]) -> Make:
    kept = tuple(rows)
    tokens = sum(row.tokens for row in kept)
    return lambda number, seconds, out: Answered(
        suite, arm.name, number, len(kept) + len(out), tokens, seconds, out, kept
    )


def _about_left_out(ids: Sequence[str], work: WorkPart) -> str:
    named = ", ".join(ids[:5]) + (" and more" if len(ids) > 5 else "")
    return f"{work.arm.name} cannot read {counted(len(ids), 'item')} of {work.suite} ({named}): left out."
