"""The work of arms in batches: answers, scored pairs and answers of the KL, each batch one event.

Every batch is stored with its rows before the next one begins, so that a kill loses at most one batch. A resumed
attempt makes the same batches and leaves out those that the ledger holds. Evaluations and generations work so.

This module imports torch (through the local model), so it is imported only where such a folder is worked on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import psutil

from core.domain.counting import counted
from core.domain.errors import ModelRefused
from core.domain.evaluation_events import Answered, AnswerRow, KlScored, PairsScored
from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.run_events import Finished, PhaseChanged, Warned
from core.domain.suite import SuiteItem
from core.generation.endpoint import Endpoint, EndpointDecoder
from core.generation.seeds import derive_seed
from core.runs.evaluations.ledger import BatchKey, EvaluationLedger
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.model_batches import pair_batches, prompt_batches
from core.runs.evaluations.work_part import WorkPart
from core.training.control_protocol import Control
from core.training.steps.interrupts import Interrupts

Make = Callable[[int, float, tuple[str, ...]], Any]
"""From number, seconds and ids that were left out to the event of a batch."""
_ENDPOINT_BATCH = 4
"""Answers of an endpoint that are stored together."""


class ArmWork:
    """What one attempt does of the work of its arms.

    Args:
        ledger: that holds what earlier attempts did.
        control: polled between batches.
        config: settings of the decoder.

    Attributes:
        finished: the batches that are stored. done, total: units of work of the whole folder.
        interrupts: what was asked for meanwhile.
    """

    def __init__(self, ledger: EvaluationLedger, control: Control, config: EvaluationConfig) -> None:
        self.finished: dict[BatchKey, Any] = ledger.batches()
        self.interrupts = Interrupts(control)
        self.done = self.total = 0
        self._config = config
        self._notes: set[tuple[str, str]] = set()
        self._begun = time.monotonic()

    @property
    def stopped(self) -> bool:
        """Whether a stop was asked for."""
        return bool(self.interrupts.stop)

    @property
    def stored(self) -> int:
        """Units of work that are stored."""
        return sum(batch.count for batch in self.finished.values())

    def is_done(self, work: WorkPart) -> bool:
        """Return whether the ledger holds all batches, so that nothing needs to be loaded for them."""
        key = (work.kind, work.suite, work.arm.name)
        return sum(batch.count for known, batch in self.finished.items() if known[:3] == key) >= len(work.items)

    def end(self, reason: Any) -> Finished:
        """Return the last event of the attempt."""
        return Finished(reason, self.stored, seconds=time.monotonic() - self._begun)

    def local(self, model: LocalModel, work: WorkPart) -> Iterator[Any]:
        """Let a local model answer, score, or sample for the KL."""
        yield from self._scored(model, work) if work.kind == "scores" else self._sampled(model, work)

    def _scored(self, model: LocalModel, work: WorkPart) -> Iterator[Any]:
        suite, arm = work.suite, work.arm
        pairs, left_out = model.encoded_rows(arm, work.items)

        def made(batch: Sequence[Any]) -> Make:
            rows = tuple(model.score(arm, suite, batch))
            _require_numbers(arm, {row.item: row.logp_chosen + row.logp_rejected for row in rows})
            return lambda number, seconds, out: PairsScored(
                suite, arm.name, number, len(rows) + len(out), seconds, out, rows
            )

        yield from self._told("forward", model.forward_note)
        yield from self.batches("score", work, pair_batches(pairs), left_out, made)

    def _sampled(self, model: LocalModel, work: WorkPart) -> Iterator[Any]:
        suite, arm, config = work.suite, work.arm, self._config
        is_kl = work.kind == "kl_answers"
        horizon = config.kl_max_new_tokens if is_kl else config.max_new_tokens
        prompts, left_out = model.encoded(arm, work.items, horizon)

        def made(batch: Sequence[Any]) -> Make:
            if not is_kl:
                found = model.answer(arm, suite, batch)
                return answered(suite, arm, found, int(psutil.Process().memory_info().rss))
            rows = tuple(model.kl(arm, suite, batch))
            _require_numbers(arm, {row.item: row.rb for row in rows})
            return lambda number, seconds, out: KlScored(suite, arm.name, number, len(rows) + len(out), seconds, rows)

        with model.decoding(arm, prompts) as note:
            yield from self._told("decoder", note)
            cut = prompt_batches(prompts, config, horizon)
            yield from self.batches("kl" if is_kl else "answer", work, cut, left_out, made)

    def _told(self, code: str, note: str) -> Iterator[Warned]:
        """Say once why a slower way is taken."""
        if note and (code, note) not in self._notes:
            self._notes.add((code, note))
            yield Warned(code, f"A slower way is used, with the same results: {note}.")

    def endpoint(self, work: WorkPart) -> Iterator[Any]:
        """Let a server answer, one prompt at a time."""
        suite, arm = work.suite, work.arm
        cut = [work.items[i : i + _ENDPOINT_BATCH] for i in range(0, len(work.items), _ENDPOINT_BATCH)]
        server = Endpoint(arm.url, arm.served_model)

        def made(batch: Sequence[SuiteItem]) -> Make:
            return answered(suite, arm, endpoint_answers(server, arm, suite, batch, self._config))

        yield from self.batches("answer", work, cut, [], made)

    def batches(
        self,
        phase: Any,
        work: WorkPart,
        batches: Sequence[Sequence[Any]],
        left_out: Sequence[str],
        made: Callable[[Sequence[Any]], Make],
    ) -> Iterator[Any]:
        """Do the batches that the ledger lacks; those left out are counted with the first one."""
        if left_out and not batches:
            batches = [[]]
        for number, batch in enumerate(batches):
            out, key = tuple(left_out) if number == 0 else (), (work.kind, work.suite, work.arm.name, number)
            if key in self.finished:
                continue
            if out:
                yield Warned("left_out", _about_left_out(out, work))
            yield from self.interrupts.poll(self.done)
            if self.stopped:
                return
            yield PhaseChanged(phase, self.done, self.total, f"{work.arm.name}, {work.suite}")
            begun = time.monotonic()
            event = made(batch)(number, time.monotonic() - begun, out)
            self.done += event.count
            self.finished[key] = event
            yield event


def endpoint_answers(
    server: Endpoint, arm: Arm, suite: str, items: Sequence[SuiteItem], config: EvaluationConfig
) -> list[AnswerRow]:
    """Return a server's answers to the prompts of some items; words are counted where it counts no tokens.

    Raises:
        UserError: when the server does not answer.
    """
    decoder = EndpointDecoder(
        config.max_new_tokens, config.temperature, config.top_p, config.top_k, config.repetition_penalty
    )
    rows = []
    for item in items:
        seed = derive_seed(config.seed, "answer", suite, item.id)
        found = server.answer(arm.prompt(item.prompt), seed, decoder)
        tokens = found.tokens or len(found.text.split())
        rows.append(AnswerRow(suite, arm.name, item.id, found.text, tokens, found.finished, seed, found.prompt_tokens))
    return rows


def answered(suite: str, arm: Arm, rows: Iterable[AnswerRow], memory_bytes: int = 0) -> Make:
    """Return what makes the event of a batch of answers."""
    kept = tuple(rows)
    tokens = sum(row.tokens for row in kept)
    return lambda number, seconds, out: Answered(
        suite, arm.name, number, len(kept) + len(out), tokens, seconds, out, kept, memory_bytes
    )


def _require_numbers(arm: Arm, found: Mapping[str, float]) -> None:
    """Raise where a model gives what is no finite number: nothing can be concluded from it.

    Raises:
        ModelRefused: naming the arm and the first such item.
    """
    if odd := next((item for item, value in found.items() if not math.isfinite(value)), ""):
        raise ModelRefused(
            f"{arm.name} gives a log-prob that is no finite number for item {odd}; nothing was concluded. What was "
            "measured before is kept.",
            "Its weights overflowed or are damaged: evaluate an earlier checkpoint, or compute in float32.",
        )


def _about_left_out(ids: Sequence[str], work: WorkPart) -> str:
    named = ", ".join(ids[:5]) + (" and more" if len(ids) > 5 else "")
    return f"{work.arm.name} cannot read {counted(len(ids), 'item')} of {work.suite} ({named}): left out."
