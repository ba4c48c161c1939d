"""The engine: ``train`` turns settings, pairs and a model folder into a stream of events.

``train`` is a plain generator: the caller drives it, and it works only while the caller waits for the next event. It
knows no thread, no window and no database. ``_run``, read from top to bottom, is a whole run.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import torch

from core.domain.clock import now_ms
from core.domain.errors import BadInput, GateFailed, StorageFull, UsageError, UserError
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import TERMINAL, Failed, PhaseChanged, RunEvent, RunStarted, StepDone, Warned
from core.generation.footprint import limit_caches
from core.generation.matmul_kernels import kernel_in
from core.model_files.adapter_config import require_none_ignored
from core.model_files.identity import run_inputs
from core.model_files.template_files import template_files
from core.training.attempt import Attempt, finished
from core.training.checkpoints.resume import starting_point
from core.training.checkpoints.save_load import Checkpoint
from core.training.control_protocol import Control
from core.training.forward.matmul_kernel_cache import preferred_kernel
from core.training.loop import Training
from core.training.losses import check_combination
from core.training.parallel.process_group import ProcessGroup, SharedControl
from core.training.policy.device import resolve_device, set_threads, with_dtype
from core.training.policy.read_model import read_tokenizer
from core.training.preparing import Split, prepare, split_pairs
from core.training.probe import Probe
from core.training.steps.data_order import total_steps
from core.training.steps.eight_bit import require_optimizer
from core.training.steps.gradient import NotFinite, OutOfMemory, is_out_of_memory
from core.training.steps.interrupts import Interrupts
from core.training.steps.session import TrainSession
from core.training.text.fixed_settings import day_of, fixed_for_new_run, fixed_for_resume, with_open_values

__all__ = ["Probe", "TrainSession", "train"]


def train(
    config: RunConfig,
    pairs: Sequence[TrainingPair],
    *,
    model_dir: Path,
    run_dir: Path,
    control: Control,
    probe: Probe | None = None,
    resume: bool = False,
    run_id: str = "",
    cache_dir: Path | None = None,
    inputs: Mapping[str, str] | None = None,
    created_ms: int = 0,
) -> Iterator[RunEvent]:
    """Train and yield what happens: ``RunStarted`` first, exactly one ``Finished`` or ``Failed`` last.

    Args:
        config: the run's settings.
        pairs: train and dev pairs; test pairs are not used.
        model_dir: Hugging Face folder (or GGUF file) of the base model.
        run_dir: where checkpoints and the result go.
        control: polled between micro-batches.
        probe: called at step 0, at each cadence and at the end.
        resume: continue from the newest checkpoint in ``run_dir`` that verifies, or from the start if there is none.
        run_id: name of the run, carried in events and manifests.
        cache_dir: where reference log-probs are kept between runs; None keeps them in memory.
        inputs: the verified hashes of model, tokenizer, adapter and pairs, as
            :func:`core.model_files.identity.run_inputs` returns them; None computes them here.
        created_ms: when the run was created, in UTC milliseconds since 1970, for a chat template that writes the date
            where the settings name none; 0 takes today.

    Under torchrun every process calls this with the same arguments; the first yields all events, the others only
    the last one.
    """
    processes = ProcessGroup.from_environment()
    control = control if processes.is_single else SharedControl(processes, control)
    job = Attempt(
        config, pairs, Path(model_dir), Path(run_dir), control, probe, resume, run_id, cache_dir, processes, inputs
    )
    day = day_of(created_ms or now_ms())
    failure: Failed | None = None
    try:
        with closing(_run(job, day)) as events:
            for event in events:
                if isinstance(event, StepDone):
                    job.step = event.step
                job.started = True
                if processes.is_main or isinstance(event, TERMINAL):
                    yield event
    except Exception as error:  # noqa: BLE001 (whatever ends a run becomes its last event)
        failure = _failure(error, job.step)
    finally:
        processes.leave()
    if failure is None:
        return
    if not job.started and processes.is_main:
        yield RunStarted(run_id, 0, config.epochs, 0, 0, config.device, config.dtype, "")
    yield failure


def _run(job: Attempt, day: date) -> Generator[RunEvent, None, None]:
    """Yield the events of one attempt, from the check of the settings to the published result."""
    config = job.config
    check_combination(config)
    device = resolve_device(job.processes.device(config.device))
    require_optimizer(config, device)
    set_threads(job.processes.threads(config.threads))
    limit_caches()
    torch.manual_seed(config.seed)
    split = split_pairs(job.pairs, config)
    inputs = dict(job.inputs or run_inputs(split.train, config, job.model_dir))
    checkpoint, problems = starting_point(job.run_dir, config, inputs, resume=job.resume)
    if checkpoint is None:  # a run of an older program goes on as it began
        require_none_ignored(config)
    start = job.step = checkpoint.state.step if checkpoint else 0
    config = job.config = _with_open_settings(job, checkpoint, day, device)
    yield _started(job, split, inputs, device, checkpoint)
    for problem in problems:
        yield Warned("checkpoint_damaged", problem, start)

    job.processes.join(device)
    job.processes.require_same({"step": str(start), **inputs})
    yield PhaseChanged("load", detail="matrix kernels of this processor")
    kernel = job.processes.from_main(kernel_in(checkpoint.state.kernel_id) if checkpoint else "")
    kernel = kernel or job.processes.from_main(preferred_kernel(job.cache_dir))
    interrupts = Interrupts(job.control, only_between_steps=not job.processes.is_single)
    prepared, caught = None, None
    try:
        prepared = yield from prepare(
            config,
            split,
            model_dir=job.model_dir,
            device=device,
            cache_dir=job.cache_dir,
            start=start,
            interrupts=interrupts,
            processes=job.processes,
            kernel=kernel,
            weights_sha256=inputs["model"],
            layout_of=checkpoint.path / "adapter" if checkpoint and config.method == "lora" else None,
        )
    except Exception as error:
        if not job.processes.is_single and config.method == "full" and _ran_out(error):
            raise  # the other processes wait inside a forward pass; they notice only that this process ends
        caught = error
    job.processes.raise_together(caught)
    if prepared is None:
        yield finished(job, "stopped" if interrupts.stop == "stop_and_save" else "stopped_without_saving", {})
        return
    run = Training(job, prepared, interrupts, inputs, checkpoint)
    yield PhaseChanged("train", start, prepared.total)
    if start == 0:
        yield from run.run_probe(last=False)
    while run.has_next_step():
        yield from run.run_step()
    yield from run.end()


def _with_open_settings(job: Attempt, checkpoint: Checkpoint | None, day: date, device: torch.device) -> RunConfig:
    """Return the settings with what the run fixes of precision and chat template, or fixed when it began."""
    before = None if checkpoint is None else checkpoint.state.config
    config = with_dtype(job.config if before is None else with_open_values(job.config, before), device)
    if config.template == "none":
        return config
    template = template_files(job.model_dir) or read_tokenizer(job.model_dir)
    if before is None:
        return fixed_for_new_run(config, template, day)
    return fixed_for_resume(config, before, template, day)


def _started(
    job: Attempt, split: Split, inputs: dict[str, str], device: torch.device, checkpoint: Checkpoint | None
) -> RunStarted:
    """Return the first event. Its total counts the pairs before any is dropped; the train phase has the exact total."""
    return RunStarted(
        run_id=job.run_id,
        total_steps=total_steps(len(split.train), job.config),
        epochs=job.config.epochs,
        n_train=len(split.train),
        n_dev=len(split.dev),
        device=str(device),
        dtype=job.config.dtype,
        fingerprint=checkpoint.state.fingerprint if checkpoint else job.config.fingerprint(**inputs),
        resumed_from=checkpoint.state.step if checkpoint else 0,
        attempt=checkpoint.state.attempt + 1 if checkpoint else 1,
    )


def _ran_out(error: Exception) -> bool:
    return isinstance(error, OutOfMemory) or is_out_of_memory(error)


def _failure(error: Exception, step: int) -> Failed:
    """Return the last event for the error that ended the run; only an error in the program carries a traceback."""
    if isinstance(error, NotFinite):
        return Failed(
            "nan",
            f"{error.what} in step {step + 1}. The step was not made; the weights are those after step {step}.",
            "Look at the pairs named here; lower lr, or choose float32. The last checkpoint is safe.",
            step,
            error.pair_ids,
        )
    if isinstance(error, UserError):
        kind = {GateFailed: "gate:" + getattr(error, "cause", ""), OutOfMemory: "oom", StorageFull: "storage_full"}
        names = {BadInput: "bad_input", UsageError: "refused"}
        return Failed(kind.get(type(error), names.get(type(error), "refused")), error.message, error.hint, step)
    if is_out_of_memory(error):
        return Failed(
            "oom",
            f"Memory ran out before the next step: {error}",
            "Lower max_length or probe_pairs, choose dtype bfloat16 or a smaller model. The last checkpoint is safe.",
            step,
        )
    return Failed(
        "error",
        f"The run stopped because of an error in the program: {type(error).__name__}: {error}",
        "Everything up to the last checkpoint is safe. Please report this with the log.",
        step,
        traceback="".join(traceback.format_exception(error)),
    )
