"""An engine without a model: yields a given list of events, or a synthetic run that keeps the whole contract.

The synthetic run obeys control, checkpoints and resumes like the real one; every number of it follows
from the seed, the pair's id and the step, so that a resumed run must equal an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import UserError
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import (
    CheckpointSaved,
    EvalDone,
    Finished,
    GateReport,
    KlDone,
    PairMetrics,
    PhaseChanged,
    RunEvent,
    RunStarted,
    SampleDone,
    StateChanged,
    StepDone,
    TokenReport,
)

STEP_SECONDS_VARIABLE = "PAIRWRIGHT_FAKE_STEP_S"


@dataclass
class Scripted:
    """Yields the given events; an exception in the list is raised at its place."""

    events: Sequence[RunEvent | BaseException]

    def __call__(self, config: RunConfig, pairs: list[TrainingPair], **_: Any) -> Iterator[RunEvent]:
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            yield event


def train(
    config: RunConfig,
    pairs: list[TrainingPair],
    *,
    run_dir: Path,
    control: Any,
    resume: bool = False,
    run_id: str = "",
    **_: Any,
) -> Iterator[RunEvent]:
    """Yield a synthetic run; each step lasts PAIRWRIGHT_FAKE_STEP_S seconds (0 unless set)."""
    trained = [p for p in pairs if p.split == "train"]
    total = config.steps or math.ceil(len(trained) * config.epochs / config.batch_size)
    step = _newest_checkpoint(run_dir) if resume else 0
    yield RunStarted(
        run_id, total, config.epochs, len(trained), len(pairs) - len(trained), "cpu", "float32", "fake", step
    )
    yield PhaseChanged("load", 0, 1)
    yield PhaseChanged("load", 1, 1)
    yield TokenReport(len(pairs), 0, 0, 0, 40, 90, 120)
    yield GateReport(True, math.log(2), math.log(2), 0.0, {"loss": "ok"})
    if step == 0:
        yield from _probe(config, pairs, 0)
    saved = step
    while step < total:
        yield from _hold(control, step)
        command = control.command()
        if command in ("stop_and_save", "stop_now"):
            yield from _stop(command, run_dir, step, saved)
            return
        step += 1
        _pass_time(control)
        yield _step(config, trained, step, total)
        if config.eval_every and (step % config.eval_every == 0 or step == total):
            yield from _probe(config, pairs, step)
        wanted = config.checkpoint_every and step % config.checkpoint_every == 0
        if control.take_checkpoint_request() or wanted or step == total:
            yield from _save(run_dir, step)
            saved = step
    yield Finished("completed", step, str(run_dir / "adapter"), 1.0, {"steps": step})


def _hold(control: Any, step: int) -> Iterator[RunEvent]:
    if control.command() != "pause":
        return
    yield StateChanged("paused", step)
    while control.command() == "pause":
        control.wait(0.2)
    yield StateChanged("running", step)


def _stop(command: str, run_dir: Path, step: int, saved: int) -> Iterator[RunEvent]:
    yield StateChanged("stopping", step)
    if command == "stop_and_save":
        if step > saved:
            yield from _save(run_dir, step)
        yield Finished("stopped", step, str(run_dir / "adapter"))
    else:
        yield Finished("stopped_without_saving", step)


def _pass_time(control: Any) -> None:
    seconds = float(os.environ.get(STEP_SECONDS_VARIABLE, "0"))
    if seconds:
        control.wait(seconds)


def _save(run_dir: Path, step: int) -> Iterator[RunEvent]:
    target = Path(run_dir) / "checkpoints" / f"step-{step}"
    yield PhaseChanged("save", 0, 1)
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        durable.publish_folder(target, lambda tmp: durable.write_json(tmp / "state.json", {"step": step}))
    yield CheckpointSaved(step, str(target), durable.file_sha256(target / durable.MANIFEST), 0.0)


def _newest_checkpoint(run_dir: Path) -> int:
    for folder in sorted((Path(run_dir) / "checkpoints").glob("step-*"), key=lambda p: -int(p.name[5:])):
        try:
            durable.verify_folder(folder)
            return int(folder.name[5:])
        except UserError:
            continue
    return 0


def make_row(config: RunConfig, pair_id: str, step: int) -> PairMetrics:
    """Return the synthetic row of one pair at one step: margins drift apart, some pairs the wrong way."""
    draw = int.from_bytes(hashlib.sha256(f"{config.seed}:{pair_id}".encode()).digest()[:4], "big") / 2**32
    noise = int.from_bytes(hashlib.sha256(f"{config.seed}:{pair_id}:{step}".encode()).digest()[:4], "big") / 2**32
    drift = 0.0 if step == 0 else (draw - 0.25) * step * 0.4 + (noise - 0.5)
    chosen, rejected = drift * 0.4, -drift * 0.6
    h = chosen - rejected
    z = config.beta * h
    return PairMetrics(
        pair_id=pair_id,
        loss=math.log1p(math.exp(-z)),
        logp_chosen=-100.0 + chosen,
        logp_rejected=-120.0 + rejected,
        ref_chosen=-100.0,
        ref_rejected=-120.0,
        h=h,
        margin=z,
        weight=1 / (1 + math.exp(z)),
        tokens_chosen=40,
        tokens_rejected=50,
        truncated=draw > 0.95,
    )


def _batch(config: RunConfig, pairs: list[TrainingPair], step: int) -> list[TrainingPair]:
    first = (step - 1) * config.batch_size
    return [pairs[(first + i) % len(pairs)] for i in range(min(config.batch_size, len(pairs)))]


def _mean(rows: Sequence[PairMetrics], name: str) -> float:
    return sum(getattr(row, name) for row in rows) / len(rows)


def _means(config: RunConfig, rows: Sequence[PairMetrics]) -> dict[str, float]:
    chosen = _mean(rows, "logp_chosen") - _mean(rows, "ref_chosen")
    rejected = _mean(rows, "logp_rejected") - _mean(rows, "ref_rejected")
    return {
        **{name: _mean(rows, name) for name in ("loss", "margin", "h", "logp_chosen", "logp_rejected")},
        "accuracy": sum((row.margin > 0) + 0.5 * (row.margin == 0) for row in rows) / len(rows),
        "reward_chosen": config.beta * chosen,
        "reward_rejected": config.beta * rejected,
        "displacement_chosen": chosen,
        "displacement_rejected": rejected,
    }


def _step(config: RunConfig, pairs: list[TrainingPair], step: int, total: int) -> StepDone:
    rows = tuple(make_row(config, pair.pair_id, step) for pair in _batch(config, pairs, step))
    return StepDone(
        step=step,
        epoch=step * config.batch_size / len(pairs),
        **_means(config, rows),
        gradient_weight=_mean(rows, "weight"),
        grad_norm=1.0 / step,
        lr=config.lr * (1 - step / (total + 1)),
        tokens_per_s=1000.0,
        pairs=len(rows),
        truncated=sum(row.truncated for row in rows),
        seconds=0.01,
        resident_bytes=2**30 + step * 2**20,
        extra={"nll": 2.0 / step},
        rows=rows,
    )


def _probe(config: RunConfig, pairs: list[TrainingPair], step: int) -> Iterator[RunEvent]:
    for split in ("dev", "train"):
        chosen = [p for p in pairs if p.split == split][: config.probe_pairs]
        if not chosen:
            continue
        rows = tuple(make_row(config, pair.pair_id, step) for pair in chosen)
        means = _means(config, rows)
        yield EvalDone(
            step=step,
            split=split,
            pairs=len(rows),
            **means,
            accuracy_low=max(0.0, means["accuracy"] - 0.1),
            accuracy_high=min(1.0, means["accuracy"] + 0.1),
            ref_accuracy=0.5,
            kl_chosen=0.001 * step,
            kl_rejected=0.002 * step,
            rows=rows,
        )
    yield KlDone(step, 0.01 * step, 0.001 * step, 0.01 * step, 0.003 * step, 0.0002 * step, 4, 48, 0.25)
    yield SampleDone(step, pairs[0].pair_id, "prompt", f"policy {step}", "reference", config.seed)
