"""The gradient of one optimizer step over its micro-batches; it does not depend on how the step is split."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence

import torch

from core.domain.errors import UserError
from core.domain.loss_mix import needs_whole_step
from core.domain.run_events import RunEvent, Warned
from core.training.forward.scorer import Scores
from core.training.losses.evaluate_pairs import PairLosses
from core.training.parallel.process_group import ProcessGroup
from core.training.steps.interrupts import Interrupts
from core.training.steps.micro_batches import MicroBatches
from core.training.steps.session import TrainSession
from core.training.steps.step_metrics import StepTally
from core.training.text.encoded_pair import EncodedPair

MAX_RETRIES = 3
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "failed to allocate", "cannot allocate")


class NotFinite(Exception):
    """A loss, log-prob or gradient is NaN or infinite; no weight was changed."""

    def __init__(self, what: str, pair_ids: Sequence[str]) -> None:
        super().__init__(what)
        self.what = what
        self.pair_ids = tuple(pair_ids)

    def __reduce__(self) -> tuple[type[NotFinite], tuple[str, tuple[str, ...]]]:
        return (type(self), (self.what, self.pair_ids))


class OutOfMemory(UserError):
    """Even the smallest micro-batch did not fit."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` says that memory ran out, on CUDA, MPS or the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _MEMORY_WORDS)


def free_memory() -> None:
    """Release cached memory. Call it outside the ``except`` block, where the traceback still holds the tensors."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


class GradientAccumulator:
    """Accumulates the gradient of each optimizer step.

    The gradient is sum_i d loss_i / N with N the pairs in the step. Each micro-batch is scored, its pairs'
    d loss / d log-prob is computed on the CPU in float64, divided by N and propagated backward.
    With several processes each scores its share of the pairs; gradients are summed and values gathered.
    """

    def __init__(
        self, session: TrainSession, micro: MicroBatches, interrupts: Interrupts, processes: ProcessGroup
    ) -> None:
        self._session = session
        self._processes = processes
        self._interrupts = interrupts
        self.micro = micro
        self._in_step = session.sharded is not None
        self._parameters = list(session.model.trainable().values())

    def run(self, step: int, batch: Sequence[EncodedPair]) -> Generator[RunEvent, None, StepTally | None]:
        """Leave the step's gradient in the parameters and return its values; None when asked to stop.

        Raises:
            NotFinite: before anything was changed.
            OutOfMemory: after the micro-batch was halved as often as allowed.
        """
        own = self._processes.share([pair.length for pair in batch])
        tally: StepTally | None = None
        caught: Exception | None = None
        try:
            tally = yield from self._with_recovery(step, batch, own)
        except NotFinite as error:
            caught = error
        except Exception as error:
            if self._in_step:  # the other processes wait inside a forward pass; they notice only that this one ends
                raise
            caught = error
        self._processes.raise_together(caught)
        if tally is None or self._processes.is_single:
            return tally
        if not self._in_step:  # the backward pass of a sharded model has summed them
            self._processes.sum_gradients(self._parameters)
        for other in self._processes.gather(tally):
            tally.merge(other)
        return tally

    def _with_recovery(
        self, step: int, batch: Sequence[EncodedPair], own: Sequence[int]
    ) -> Generator[RunEvent, None, StepTally | None]:
        """Accumulate the pairs at ``own``, in smaller micro-batches each time memory runs out."""
        pairs = [batch[i] for i in own]
        for attempt in range(MAX_RETRIES + 1):
            self.clear()
            failure = ""
            try:
                return (yield from self._accumulate(step, batch, own))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self._in_step:
                    raise
                failure = str(error)
            self.clear()
            free_memory()
            if attempt == MAX_RETRIES or not self.micro.halve(pairs):
                break
            yield Warned(
                "out_of_memory",
                f"Memory ran out ({_first_line(failure)}); step {step} is retried with {self.micro} in a forward pass. "
                "The batch size stays the same.",
                step,
            )
        self.clear()
        raise OutOfMemory(
            f"Memory ran out in step {step} even with {self.micro} in a forward pass.",
            "Lower max_length, set grad_checkpointing=on, choose dtype bfloat16 or a smaller model. "
            "Everything up to the last checkpoint is safe.",
        )

    def clear(self) -> None:
        """Drop all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def _accumulate(
        self, step: int, batch: Sequence[EncodedPair], own: Sequence[int]
    ) -> Generator[RunEvent, None, StepTally | None]:
        evaluator, scorer = self._session.evaluator, self._session.scorer
        groups = [[own[i] for i in group] for group in self.micro.split([batch[i] for i in own])]
        lengths = evaluator.likelihood_lengths(batch)
        tally = StepTally(len(batch), micro_batches=len(groups))
        together = self._processes.is_single and len(groups) == 1  # every process must decide this alike
        known = None if together else self._value_whole_step(batch, lengths)
        more = self._passes_of_others(len(groups))
        for group in groups:
            yield from self._interrupts.poll(step - 1)
            if self._interrupts.stop:
                self.clear()
                return None
            pairs = [batch[i] for i in group]
            evaluator.prepare(pairs)
            scores = scorer.score(pairs, policy=True, token_weights=evaluator.token_weights, stats=True)
            pair_losses = (
                known.select(group) if known else evaluator.evaluate(pairs, scores, [lengths[i] for i in group])
            )
            tally.add(group, pair_losses, scores)
            self._require_finite(tally)
            heads, gradients = [scores.logps], [(pair_losses.gradient / len(batch)).to(scores.logps)]
            if scores.router is not None:
                heads.append(scores.router)
                share = self._session.config.router_aux_loss / 2 / len(batch)
                gradients.append(torch.full_like(scores.router, share))
            torch.autograd.backward(heads, gradients)
        for _ in range(more):
            scores = scorer.score(batch[:1], policy=True, token_weights=evaluator.token_weights, stats=False)
            self._require_finite(tally)
            scores.logps.backward(torch.zeros_like(scores.logps))
        return tally

    def _require_finite(self, tally: StepTally) -> None:
        """Raise where a value is not finite; with a sharded model on every process, before any backward pass."""
        bad = tally.not_finite()
        caught = NotFinite("A loss or log-prob is not a finite number", bad) if bad else None
        if self._in_step:
            self._processes.raise_together(caught)
        elif caught is not None:
            raise caught

    def _passes_of_others(self, own: int) -> int:
        """Return how many more passes another process makes; every process takes part in each of a sharded model."""
        return max(self._processes.gather(own)) - own if self._in_step else 0

    def _value_whole_step(self, batch: Sequence[EncodedPair], lengths: Sequence[float]) -> PairLosses | None:
        """Score all pairs without grad, for losses that need the log-probs of the whole step before any gradient."""
        session = self._session
        if not needs_whole_step(session.config):
            return None
        logps = torch.zeros(len(batch), 2, dtype=torch.float64)
        tokens = torch.zeros(len(batch), 2, dtype=torch.int64)
        for group in self.micro.split(batch):
            pairs = [batch[i] for i in group]
            with torch.no_grad():
                scores = session.scorer.score(pairs, token_weights=session.evaluator.token_weights, stats=False)
            logps[group], tokens[group] = scores.logps.detach().cpu().double(), scores.tokens.cpu()
        return session.evaluator.evaluate(batch, Scores(logps, tokens), lengths)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:120] if text.strip() else "no details"
