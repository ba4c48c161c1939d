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
from typing import Any

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
from core.runs.evaluations.suite_items import answered, for_kl, load_items
from core.training.control_protocol import Control
from core.training.steps.interrupts import Interrupts

Items = Mapping[str, Sequence[SuiteItem]]
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
        answers = len(record.arms) * sum(len(answered(own, config)) for own in items.values())
        pairs = len(record.scored_arms) * sum(len(_preferences(own)) for own in items.values())
        kl = len(record.kl_arms) * sum(len(for_kl(own, config)) for own in items.values())
        stored = sum(batch.count for batch in self._finished.values())
        progress = _Progress(stored, answers + pairs + kl)
        yield EvaluationStarted(
            record.evaluation_id,
            tuple(suite.title for suite in record.suites),
            tuple(arm.name for arm in record.arms),
            answers,
            pairs,
            kl,
            config.device,
            resumed_from=stored,
        )
        sampled = sorted((arm for arm in record.arms if not arm.guard), key=_order)
        works = [self._source(list(arms), items, progress) for _, arms in groupby(sampled, key=lambda arm: arm.source)]
        works += [self._guarded(arm, items, progress) for arm in record.arms if arm.guard]
        for work in works:
            yield from work
            if self._interrupts.stop:
                yield self._end("stopped")
                return
        yield from self._measured(items, {"looks": looks, "leaks": leaks}, leak_notes(leaks))

    def _source(self, arms: Sequence[Arm], items: Items, progress: _Progress) -> Iterator[Any]:
        """Work through the arms that share loaded weights, or an endpoint."""
        if arms[0].url:
            for arm in arms:
                yield from self._endpoint(arm, items, progress)
            return
        if self._all_done(arms, items):
            return
        yield PhaseChanged("load", detail=", ".join(arm.name for arm in arms))
        first = arms[0]
        model = self._make_model(Path(first.run_dir), first.step, self._record.config, dict(first.inputs))
        try:
            for arm in arms:
                for suite, own in items.items():
                    for work in (self._score, self._answer, self._kl):
                        yield from work(model, arm, suite, own, progress)
                        if self._interrupts.stop:
                            return
        finally:
            model.close()

    def _all_done(self, arms: Sequence[Arm], items: Items) -> bool:
        """Return whether the ledger holds all batches of these arms, so that no model needs to be loaded."""
        config = self._record.config
        for arm in arms:
            for suite, own in items.items():
                wanted = {"answers": len(answered(own, config)), "scores": len(_preferences(own))}
                if arm in self._record.kl_arms:
                    wanted["kl_answers"] = len(for_kl(own, config))
                for kind, count in wanted.items():
                    if self._done_units(kind, suite, arm) < count:
                        return False
        return True

    def _done_units(self, kind: str, suite: str, arm: Arm) -> int:
        return sum(batch.count for key, batch in self._finished.items() if key[:3] == (kind, suite, arm.name))

    def _score(
        self, model: LocalModel, arm: Arm, suite: str, items: Sequence[SuiteItem], progress: _Progress
    ) -> Iterator[Any]:
        pairs, left_out = model.encoded_pairs(arm, _preferences(items))

        def work(batch: Sequence[Any]) -> Callable[[int, float, tuple[str, ...]], PairsScored]:
            rows = tuple(model.score(arm, suite, batch))
            return lambda number, seconds, out: PairsScored(
                suite, arm.name, number, len(rows) + len(out), seconds, out, rows
            )

        yield from self._batches("score", PairsScored.event, suite, arm, pair_batches(pairs), left_out, work, progress)

    def _answer(
        self, model: LocalModel, arm: Arm, suite: str, items: Sequence[SuiteItem], progress: _Progress
    ) -> Iterator[Any]:
        config = self._record.config
        prompts, left_out = model.encoded(arm, answered(items, config), config.max_new_tokens)

        def work(batch: Sequence[Any]) -> Callable[[int, float, tuple[str, ...]], Answered]:
            return _answered(suite, arm, model.answer(arm, suite, batch))

        cut = prompt_batches(prompts, config, config.max_new_tokens)
        yield from self._batches("answer", Answered.event, suite, arm, cut, left_out, work, progress)

    def _kl(
        self, model: LocalModel, arm: Arm, suite: str, items: Sequence[SuiteItem], progress: _Progress
    ) -> Iterator[Any]:
        if arm not in self._record.kl_arms:
            return
        config = self._record.config
        prompts, left_out = model.encoded(arm, for_kl(items, config), config.kl_max_new_tokens)

        def work(batch: Sequence[Any]) -> Callable[[int, float, tuple[str, ...]], KlScored]:
            rows = tuple(model.kl(arm, suite, batch))
            return lambda number, seconds, out: KlScored(suite, arm.name, number, len(rows) + len(out), seconds, rows)

        cut = prompt_batches(prompts, config, config.kl_max_new_tokens)
        yield from self._batches("kl", KlScored.event, suite, arm, cut, left_out, work, progress)

    def _endpoint(self, arm: Arm, items: Items, progress: _Progress) -> Iterator[Any]:
        """Let a server answer, one prompt at a time."""
        config = self._record.config
        decoder = EndpointDecoder(config.max_new_tokens, config.temperature, config.top_p, config.top_k)
        server = Endpoint(arm.url, arm.served_model)
        for suite, own in items.items():
            wanted = answered(own, config)
            cut = [wanted[i : i + _ENDPOINT_BATCH] for i in range(0, len(wanted), _ENDPOINT_BATCH)]

            def work(
                batch: Sequence[SuiteItem], suite: str = suite
            ) -> Callable[[int, float, tuple[str, ...]], Answered]:
                rows = []
                for item in batch:
                    seed = derive_seed(config.seed, "answer", suite, item.id)
                    found = server.answer(arm.prompt(item.prompt), seed, decoder)
                    tokens = found.tokens or len(found.text.split())
                    rows.append(
                        AnswerRow(
                            suite, arm.name, item.id, found.text, tokens, found.finished, seed, found.prompt_tokens
                        )
                    )
                return _answered(suite, arm, rows)

            yield from self._batches("answer", Answered.event, suite, arm, cut, [], work, progress)
            if self._interrupts.stop:
                return

    def _guarded(self, arm: Arm, items: Items, progress: _Progress) -> Iterator[Any]:
        """Put a guardrail on the answers of another arm; nothing is sampled anew."""
        guardrail = guardrail_of(arm)
        for suite, own in items.items():
            rows = self._ledger.answers(suite, arm.base)
            known = {row.item for row in rows}
            left_out = [item.id for item in answered(own, self._record.config) if item.id not in known]
            cut = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]

            def work(
                batch: Sequence[AnswerRow], suite: str = suite, own: Sequence[SuiteItem] = own
            ) -> Callable[[int, float, tuple[str, ...]], Answered]:
                return _answered(suite, arm, guarded_answers(arm, guardrail, batch, own))

            yield from self._batches("answer", Answered.event, suite, arm, cut, left_out, work, progress)
            if self._interrupts.stop:
                return

    def _batches(
        self,
        phase: Any,
        kind: str,
        suite: str,
        arm: Arm,
        batches: Sequence[Sequence[Any]],
        left_out: Sequence[str],
        work: Callable[[Sequence[Any]], Callable[[int, float, tuple[str, ...]], Any]],
        progress: _Progress,
    ) -> Iterator[Any]:
        """Do the batches that the ledger lacks; those left out are counted with the first one."""
        if left_out and not batches:
            batches = [[]]
        for number, batch in enumerate(batches):
            out = tuple(left_out) if number == 0 else ()
            if (kind, suite, arm.name, number) in self._finished:
                continue
            if out:
                yield Warned("left_out", _about_left_out(out, suite, arm))
            yield from self._interrupts.poll(progress.done)
            if self._interrupts.stop:
                return
            yield PhaseChanged(phase, progress.done, progress.total, f"{arm.name}, {suite}")
            begun = time.monotonic()
            event = work(batch)(number, time.monotonic() - begun, out)
            progress.done += event.count
            self._finished[(kind, suite, arm.name, number)] = event
            yield event

    def _measured(self, items: Items, audits: Mapping[str, Any], notes: Sequence[str]) -> Iterator[Any]:
        """Compute every number from what the ledger holds, and publish the result."""
        yield PhaseChanged("measure")
        evidence, outcomes = measure(self._record, items, self._ledger, notes)
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


def _answered(suite: str, arm: Arm, rows: Iterable[AnswerRow]) -> Callable[[int, float, tuple[str, ...]], Answered]:
    kept = tuple(rows)
    tokens = sum(row.tokens for row in kept)
    return lambda number, seconds, out: Answered(
        suite, arm.name, number, len(kept) + len(out), tokens, seconds, out, kept
    )


def _preferences(items: Sequence[SuiteItem]) -> list[SuiteItem]:
    return [item for item in items if item.expected == "preference"]


def _order(arm: Arm) -> tuple[bool, str, int]:
    """Arms of one source follow each other; endpoints come last."""
    return bool(arm.url), arm.run_dir, arm.step


def _about_left_out(ids: Sequence[str], suite: str, arm: Arm) -> str:
    named = ", ".join(ids[:5]) + (" and more" if len(ids) > 5 else "")
    return f"{arm.name} cannot read {counted(len(ids), 'item')} of {suite} ({named}): left out."
