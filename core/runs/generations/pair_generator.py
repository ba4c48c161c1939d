"""One attempt at a generation: both sides answer, runs score the answers, and the pairs are written.

A generator that is driven by its caller; its batches are those of :mod:`core.runs.evaluations.arm_work`. The seed of an
answer follows from the seed of the generation, the side, the prompt's content and the number of the sample, so the
same request gives the same pairs, also after an interruption.

This module imports torch, so it is imported only where a generation is worked on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.domain.conversation import Prompt
from core.domain.evaluation_events import EvaluationStarted
from core.domain.evaluation_record import Arm
from core.domain.generated_pairs import GeneratedPair
from core.domain.generation import AnsweringSide
from core.domain.run_events import PhaseChanged
from core.domain.suite import SuiteItem
from core.runs.evaluations.arm_work import ArmWork
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.work_part import WorkPart
from core.runs.generations.assembling import assembled, made_pairs, with_margins
from core.runs.generations.folder import GenerationFolder, write_pairs
from core.runs.generations.model_of_side import OpenSide, open_side
from core.training.control_protocol import Control

SCORED = "pairs"
"""Stands in the ledger in place of a suite where both answers of the pairs are scored."""


class PairGenerator:
    """One attempt at a generation.

    Args:
        folder: of the generation; its request was verified.
        control: polled between batches, and after every token for a stop.
        open_model: loads what answers for a side; tests give another.
    """

    def __init__(self, folder: GenerationFolder, control: Control, *, open_model: OpenSide = open_side) -> None:
        self._folder = folder
        self._record = folder.record()
        self._control = control
        self._ledger = EvaluationLedger(folder.ledger)
        self._work = ArmWork(self._ledger, control, self._record.config)
        self._open_model = open_model
        self._model: LocalModel | None = None
        self._loaded: tuple[str, int] | None = None

    def run(self) -> Iterator[Any]:
        """Yield the events of this attempt, the last one ``Finished``.

        Raises:
            UserError: when a model or a server cannot be used.
        """
        record = self._record
        items = items_of(self._folder.prompts(), record.samples)
        scored = 2 * record.pairs * len(record.margins)
        self._work.done, self._work.total = self._work.stored, 2 * len(items) + scored
        yield EvaluationStarted(
            record.generation_id,
            tuple(side.letter for side in record.sides),
            tuple(dict.fromkeys(side.name for side in record.sides)),
            2 * len(items),
            scored,
            0,
            record.config.device,
            resumed_from=self._work.done,
        )
        try:
            yield from self._steps(items)
        except StopAtToken:
            yield from self._work.interrupts.poll(self._work.done)
        finally:
            self._close()
        yield self._work.end("stopped" if self._work.stopped else "completed")

    def _steps(self, items: Sequence[SuiteItem]) -> Iterator[Any]:
        record = self._record
        for side in record.sides:
            yield from self._done_by(side, [WorkPart("answers", side.letter, side.arm, tuple(items))])
            if self._work.stopped:
                return
        pairs = made_pairs(self._ledger, record, items)
        for side in (side for side in record.sides if side.letter in record.margins):
            yield from self._done_by(side, scoring(side, pairs, items))
            if self._work.stopped:
                return
        yield PhaseChanged("save", detail="the pairs")
        scores = {
            side.letter: [self._ledger.scores(SCORED, arm.name) for arm in scoring_arms(side)]
            for side in record.sides
            if side.letter in record.margins
        }
        found: list[GeneratedPair] = [assembled(pair, record.nearly) for pair in with_margins(pairs, scores).values()]
        write_pairs(self._folder, found, record.generation_id)

    def _done_by(self, side: AnsweringSide, works: Sequence[WorkPart]) -> Iterator[Any]:
        """Do the work of one side; the weights of the side before are kept where they are the same."""
        for work in (work for work in works if work.items and not self._work.is_done(work)):
            if side.url:
                yield from self._work.endpoint(work)
            else:
                if self._loaded != side.weights:
                    self._close()
                    yield PhaseChanged("load", detail=side.name)
                    self._model = self._open_model(side, self._record.config)
                    self._model.on_token = self._look_for_stop
                    self._loaded = side.weights
                assert self._model is not None
                yield from self._work.local(self._model, work)
            if self._work.stopped:
                return

    def _look_for_stop(self, _done: int, _of: int) -> None:
        """End the batch at once when a stop was asked for: what is lost is sampled again, with the same result."""
        if self._control.command() in ("stop_and_save", "stop_now"):
            raise StopAtToken

    def _close(self) -> None:
        if self._model is not None:
            self._model.close()
        self._model = self._loaded = None


class StopAtToken(Exception):
    """A stop was asked for while a batch was sampled."""


def items_of(prompts: Sequence[Prompt], samples: int) -> list[SuiteItem]:
    """Return an item for each pair of each prompt; its id follows from the prompt's content, and its seed from that."""
    return [
        SuiteItem(f"{prompt.sha256[:32]}.{number}", prompt, "open")
        for prompt in prompts
        for number in range(1, samples + 1)
    ]


def scoring_arms(side: AnsweringSide) -> tuple[Arm, Arm]:
    """Return policy and reference of a side's run, by names that no two sides share."""
    name = f"margin of {side.letter}"
    policy, reference = f"{name}, policy", f"{name}, reference"
    return Arm(policy, "run", side.run_dir), Arm(reference, "reference", side.run_dir)


def scoring(side: AnsweringSide, pairs: dict[str, GeneratedPair], items: Sequence[SuiteItem]) -> list[WorkPart]:
    """Return the work of scoring both answers of each pair under policy and reference of a side's run.

    Pairs without an answer, or of the same text twice, have no margin.
    """
    asked = {item.id: item for item in items}
    told = tuple(
        SuiteItem(key, asked[key].prompt, "preference", {}, (), pair.a.text, pair.b.text)
        for key, pair in pairs.items()
        if pair.is_storable and pair.a.text.strip() and pair.b.text.strip()
    )
    return [WorkPart("scores", SCORED, arm, told) for arm in scoring_arms(side)]
