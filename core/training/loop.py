"""The steps of a run: gradient, optimizer, probes, checkpoints, and the end."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from torch import Tensor

from core.domain.errors import UserError
from core.domain.run_events import CheckpointSaved, EvalDone, PhaseChanged, RunEvent, StepDone, Warned
from core.generation.footprint import cuda_peak_bytes, resident_bytes, trim_heap
from core.training.attempt import Attempt, finished
from core.training.checkpoints import save_load
from core.training.checkpoints.save_load import Checkpoint, RunState
from core.training.export.run_result import publish_result
from core.training.gate.run import check_first_batch
from core.training.preparing import Prepared
from core.training.probe import Probe, is_due, kl_is_watched
from core.training.reference import tr_dpo
from core.training.steps.best import Best
from core.training.steps.gradient import GradientAccumulator, NotFinite
from core.training.steps.interrupts import Interrupts
from core.training.steps.master_weights import master_values
from core.training.steps.micro_batches import MicroBatches
from core.training.steps.optimizer import (
    clip_gradients,
    learning_rate,
    learns,
    make_optimizer,
    optimizer_tensors,
    set_learning_rate,
)


class Training:
    """The steps of one attempt, and the state of the run."""

    def __init__(
        self,
        job: Attempt,
        prepared: Prepared,
        interrupts: Interrupts,
        inputs: dict[str, str],
        checkpoint: Checkpoint | None,
    ) -> None:
        config, session = job.config, prepared.session
        self.job, self.config, self.prepared, self.session = job, config, prepared, session
        self.interrupts = interrupts
        self.trainable = session.model.trainable()
        self.optimizer = make_optimizer(config, self.trainable, master_values(session.model, self.trainable))
        fits = min(job.processes.gather(prepared.fits))  # every process must cut a step alike
        micro = MicroBatches.choose(config, session.scorer.name, session.model.device.type, fits)
        self.state = RunState(
            step=0,
            starts_at_reference=session.starts_at_reference,
            total_steps=prepared.total,
            config=config.to_plain(),
            inputs=inputs,
            fingerprint=checkpoint.state.fingerprint if checkpoint else config.fingerprint(**inputs),
            kernel_id=session.scorer.kernel_id,
        )
        self.best = Best.of(config, checkpoint.state.best if checkpoint else {})
        self.warnings: list[Warned] = []
        if not learns(config, prepared.total):
            self.warnings.append(Warned("lr_zero", "The learning rate is 0 in every step: no weight will change."))
        if checkpoint is not None:
            self._restore(checkpoint, micro)
        self.accumulator = GradientAccumulator(session, micro, interrupts, job.processes)
        self.last: dict[str, float] = {}
        self.saved_step = checkpoint.state.step if checkpoint else -1
        self.probed_step = -1

    def _restore(self, checkpoint: Checkpoint, micro: MicroBatches) -> None:
        before = checkpoint.state
        self.session.starts_at_reference = before.starts_at_reference and not before.fork_from
        save_load.restore(checkpoint, self.session.model, self.optimizer)
        if before.step == before.total_steps < self.prepared.total:
            self._move_reference(before.step)  # the parent of a fork ended here, before its reference moved
        if before.micro_count and (not micro.count or before.micro_count < micro.count):
            micro.limit(before.micro_count, before.micro_tokens)
        if before.kernel_id != self.state.kernel_id:
            self.warnings.append(
                Warned(
                    "kernel_changed",
                    f"The forward pass has another kernel than before the checkpoint ({before.kernel_id} then, "
                    f"{self.state.kernel_id} now). The run continues, but not bit for bit.",
                    before.step,
                )
            )
        self.state = replace(
            self.state,
            step=before.step,
            attempt=before.attempt + 1,
            pairs_seen=before.pairs_seen,
            tokens_seen=before.tokens_seen,
            seconds=before.seconds,
            idle_steps=before.idle_steps,
            starts_at_reference=before.starts_at_reference,
            first=before.first,
            fork_from=before.fork_from,
        )

    def has_next_step(self) -> bool:
        """Return whether the run makes another step."""
        ended = self.interrupts.stop or self.session.stop_reason or self.best.exhausted(self.config.patience)
        return self.state.step < self.prepared.total and not ended

    def run_step(self) -> Generator[RunEvent, None, None]:
        """Make one optimizer step; run the probe and save a checkpoint where they are due."""
        while self.warnings:
            yield self.warnings.pop(0)
        step = self.state.step + 1
        batch = [self.prepared.train[i] for i in self.prepared.order.batch(step)]
        yield from self.interrupts.poll(self.state.step, between_steps=True)
        if self.interrupts.stop:
            return
        begun = time.monotonic()
        self.interrupts.take_paused()
        tally = yield from self.accumulator.run(step, batch)
        if tally is None:
            return
        if self.state.step == 0:
            check_first_batch(self.session.model, batch, tally.in_order(), self.config)
        norm = clip_gradients(self.trainable, self.config.clip)
        if not math.isfinite(norm):
            raise NotFinite("The gradient is not finite", [pair.pair_id for pair in batch])
        rate = learning_rate(self.config, step, self.prepared.total)
        set_learning_rate(self.optimizer, rate)
        self.optimizer.step()
        self.accumulator.clear()
        trim_heap()  # rows of another length would leave holes in the heap
        seconds = time.monotonic() - begun - self.interrupts.take_paused()
        done = tally.event(
            step=step, epoch=self.prepared.order.epochs_done(step), grad_norm=norm, lr=rate, seconds=seconds
        )
        done = replace(
            done, resident_bytes=resident_bytes(), cuda_peak_bytes=cuda_peak_bytes(self.session.model.device)
        )
        self._count(done)
        yield done
        if is_due(self.session.looks, step) and step < self.prepared.total:
            yield from self.run_probe(last=False)
        if step < self.prepared.total:
            self._move_reference(step)
        every = self.config.checkpoint_every
        is_best = self.best.value is not None and self.best.step == step
        if self.interrupts.checkpoint_wanted() or (every and step % every == 0) or is_best:
            yield from self.save(needed=False)

    def _move_reference(self, step: int) -> None:
        """Move a reference that follows the policy if it is due, between the probe and the checkpoint of ``step``."""
        if tr_dpo.is_due(self.config, step):
            tr_dpo.refresh(self.session.model, self.config.ref_refresh_mix)
            self.session.evaluator.forget_reference()

    def _count(self, done: StepDone) -> None:
        self.last = {"loss": done.loss, "margin": done.margin, "accuracy": done.accuracy}
        self.state = replace(
            self.state,
            step=done.step,
            pairs_seen=self.state.pairs_seen + done.pairs,
            tokens_seen=self.state.tokens_seen + sum(r.tokens_chosen + r.tokens_rejected for r in done.rows),
            seconds=self.state.seconds + done.seconds,
            idle_steps=self.state.idle_steps + (done.lr == 0),
            first=self.state.first or self.last,
        )

    def run_probe(self, *, last: bool) -> Generator[RunEvent, None, None]:
        """Run the probe. Its failure does not end the run, and it does not change the random numbers of training."""
        probe, processes = self.job.probe, self.job.processes
        if probe is None and processes.is_single:
            return
        self.probed_step = self.state.step
        with self.session.whole_model():
            if probe is not None and processes.is_main:
                yield from self._measure(probe, last=last)
        self.session.stop_reason = processes.from_main(self.session.stop_reason)
        self.best = processes.from_main(self.best)

    def _measure(self, probe: Probe, *, last: bool) -> Generator[RunEvent, None, None]:
        step, states = self.state.step, save_load.random_states()
        failure = ""
        try:
            with closing(_as_generator(probe.run(self.session, step, last=last))) as events:
                for event in events:
                    yield event
                    if isinstance(event, EvalDone):
                        self.best = self.best.after(event)
                    yield from self.interrupts.poll(step)
                    if self.interrupts.stop:
                        break
        except Exception as error:  # noqa: BLE001 (a failed measurement must not end the run)
            failure = f"{type(error).__name__}: {error}"
        save_load.set_random_states(states)
        self.accumulator.clear()
        self.session.model.release_reference()
        if failure and not last and kl_is_watched(self.config, step):
            raise UserError(
                f"A measurement failed, so the KL is not known and its budget cannot be kept: {failure}",
                "Set kl_budget to 0 to train without it. Everything up to the last checkpoint is safe.",
            )
        if failure:
            yield Warned("probe_failed", f"A measurement failed and was skipped; the run continues. {failure}", step)
        if not last:
            yield PhaseChanged("train", step, self.prepared.total)

    def save(self, *, needed: bool) -> Generator[RunEvent, None, None]:
        """Publish a checkpoint and delete older ones. Unless it is ``needed``, a failure is a warning."""
        if self.saved_step == self.state.step:
            return
        processes, caught = self.job.processes, None
        tensors = optimizer_tensors(self.optimizer, self.trainable, keep=processes.is_main)
        with self.session.whole_model():
            if processes.is_main:
                try:
                    yield from self._write_checkpoint(tensors, needed=needed)
                except UserError as error:
                    caught = error
        processes.raise_together(caught)
        self.saved_step = processes.from_main(self.saved_step)

    def _write_checkpoint(self, tensors: dict[str, Tensor], *, needed: bool) -> Generator[RunEvent, None, None]:
        begun = time.monotonic()
        yield PhaseChanged("save", self.state.step, self.prepared.total)
        micro, state = self.accumulator.micro, replace(self.state, best=self.best.to_plain())
        if micro.shrunk:
            state = replace(state, micro_count=micro.count, micro_tokens=micro.tokens)
        saved, failure = None, ""
        try:
            saved = save_load.save(self.job.run_dir, state, self.session.model, tensors)
        except UserError as error:
            if needed:
                raise
            failure = str(error)
        if saved is None:
            yield Warned("checkpoint_failed", f"No checkpoint was saved: {failure}", self.state.step)
            yield from self._back_to_steps()
            return
        self.saved_step = self.state.step
        best = save_load.step_folder(self.job.run_dir, self.best.step) if self.best.metric else None
        save_load.delete_older(self.job.run_dir, self.config.keep_checkpoints, saved.path, best)
        seconds = time.monotonic() - begun
        note = str(self.best) if self.best.step == self.state.step else ""
        yield CheckpointSaved(self.state.step, str(saved.path), saved.sha256, seconds, note)
        yield from self._back_to_steps()

    def _back_to_steps(self) -> Iterator[RunEvent]:
        """Report that the steps go on, unless the run ends here."""
        if self.has_next_step():
            yield PhaseChanged("train", self.state.step, self.prepared.total)

    def end(self) -> Generator[RunEvent, None, None]:
        """Run the probe once more, save, publish the result, and yield the last event."""
        if self.interrupts.stop:
            yield from self._stopped()
            return
        if self.probed_step != self.state.step:
            yield from self.run_probe(last=True)
        if self.interrupts.stop == "stop_now":
            yield from self._stopped()
            return
        yield from self.save(needed=True)
        step = yield from self._take_best()
        identity = {"run": self.job.run_id, "step": step, "fingerprint": self.state.fingerprint}
        with self.session.whole_model():
            if not self.job.processes.is_main:
                yield finished(self.job, "completed", self.summary(), self.state.step)
                return
            folder, sha256 = publish_result(
                self.job.run_dir,
                self.session.model,
                identity,
                self.session.sharded.state_dict() if self.session.sharded else None,
            )
        yield from self._tell_if_untrained()
        waited = "early_stop" if self.best.exhausted(self.config.patience) else ""
        early = self.state.step < self.prepared.total
        reason = (early and (self.session.stop_reason or waited)) or "completed"
        found = {**self.summary(), "result_sha256": sha256, "result_step": step}
        yield finished(self.job, reason, found, self.state.step, str(folder))

    def _take_best(self) -> Generator[RunEvent, None, int]:
        """Load the weights of the best checkpoint for the result, and return the step that they are of."""
        best = self.best
        if best.value is None or best.step == self.state.step:
            return self.state.step
        try:
            save_load.load_weights(self.session.model, save_load.step_folder(self.job.run_dir, best.step))
        except (OSError, KeyError, ValueError) as error:
            last = f"the result is that of the last step. {type(error).__name__}: {error}"
            yield Warned("best_lost", f"The best checkpoint (step {best.step}) cannot be read; {last}", self.state.step)
            return self.state.step
        return best.step

    def _stopped(self) -> Generator[RunEvent, None, None]:
        """Save if that was asked for and a step was made, and yield the last event."""
        if self.interrupts.stop == "stop_now":
            yield finished(self.job, "stopped_without_saving", self.summary(), self.state.step)
            return
        if self.state.step > 0:
            yield from self.save(needed=True)
        yield from self._tell_if_untrained()
        adapter = save_load.step_folder(self.job.run_dir, self.state.step) / "adapter"
        yield finished(self.job, "stopped", self.summary(), self.state.step, str(adapter) if adapter.is_dir() else "")

    @property
    def untrained(self) -> bool:
        """Whether steps were made, all at a learning rate of 0."""
        return self.state.step == self.state.idle_steps > 0

    def _tell_if_untrained(self) -> Generator[RunEvent, None, None]:
        if self.untrained:
            yield Warned("untrained", "The learning rate was 0 in every step: no weight has changed.", self.state.step)

    def summary(self) -> dict[str, Any]:
        """Return a summary of the whole run in plain values."""
        cache = self.prepared.cache
        return {
            "total_steps": self.prepared.total,
            "pairs_seen": self.state.pairs_seen,
            "response_tokens_seen": self.state.tokens_seen,
            "training_seconds": self.state.seconds,
            "first": self.state.first,
            "last": self.last,
            "processes": self.job.processes.size,
            "forward": self.session.scorer.name,
            "kernel": self.session.scorer.kernel_id,
            "reference_from_cache": cache.hits,
            "reference_computed": cache.misses,
            **self._refreshes(),
            **({"untrained": True} if self.untrained else {}),
            **({"best": self.best.to_plain()} if self.best.metric else {}),
            **({"fork_from": self.state.fork_from} if self.state.fork_from else {}),
        }

    def _refreshes(self) -> dict[str, int]:
        every = self.config.ref_refresh_every
        return {"reference_refreshes": min(self.state.step, self.prepared.total - 1) // every} if every else {}


def _as_generator(events: Iterator[RunEvent]) -> Generator[RunEvent, None, None]:
    yield from events
