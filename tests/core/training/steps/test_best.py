"""The best checkpoint by a held-out number, patience, and what a resumed run knows of both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors.torch import load_file

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import CheckpointSaved, EvalDone, Failed, Finished, RunEvent
from core.training.steps.best import Best
from core.training.steps.session import TrainSession
from tests.core.training.tiny_runs import run, run_until, some_pairs, steps_of

WATCHED = {"best_metric": "loss", "eval_every": 1, "checkpoint_every": 0, "steps": 6, "keep_checkpoints": 1}


def measured(step: int, loss: float, split: str = "dev") -> EvalDone:
    zeros = dict.fromkeys(
        ("margin", "h", "accuracy_low", "accuracy_high", "ref_accuracy", "reward_chosen", "reward_rejected"), 0.0
    )
    logps = dict.fromkeys(("logp_chosen", "logp_rejected", "displacement_chosen", "displacement_rejected"), 0.0)
    return EvalDone(step=step, split=split, pairs=2, loss=loss, accuracy=1 - loss, **zeros, **logps)


@dataclass
class Scripted:
    """A probe whose held-out losses follow a list by step."""

    losses: tuple[float, ...]

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        yield measured(step, self.losses[step])
        yield measured(step, -1.0, "train")


def test_that_only_held_out_measurements_after_the_first_step_compete() -> None:
    best = Best.of(RunConfig(best_metric="loss"), {})
    best = best.after(measured(0, 0.1)).after(measured(1, 0.0, "train"))
    assert best.value is None
    best = best.after(measured(1, 0.7)).after(measured(2, 0.7)).after(measured(3, math.nan))
    assert (best.value, best.step, best.waited) == (0.7, 1, 2)
    assert best.exhausted(2)
    assert not best.exhausted(3)
    assert not best.exhausted(0)
    assert best.after(measured(4, 0.6)).waited == 0
    higher = Best.of(RunConfig(best_metric="accuracy"), {}).after(measured(1, 0.5)).after(measured(2, 0.4))
    assert (higher.step, higher.value) == (2, 0.6)


def test_that_no_metric_compares_nothing() -> None:
    best = Best.of(RunConfig(), {}).after(measured(1, 0.1))
    assert (best.value, best.to_plain(), best.exhausted(1)) == (None, {}, False)


def test_that_the_best_checkpoint_is_kept_and_becomes_the_result(tiny_llama_dir: Path, tmp_path: Path) -> None:
    probe = Scripted((0.7, 0.6, 0.5, 0.9, 0.8, 0.8, 0.8))
    events = run(tiny_llama_dir, tmp_path, probe=probe, **{**WATCHED, "checkpoint_every": 1})
    last = events[-1]
    assert isinstance(last, Finished) and (last.reason, last.step) == ("completed", 6)
    assert last.summary["best"] == {"metric": "loss", "value": 0.5, "step": 2, "waited": 4}
    assert last.summary["result_step"] == 2
    saved = {e.step: e.best for e in events if isinstance(e, CheckpointSaved)}
    assert saved[1] == "held-out loss 0.6000 at step 1"
    assert saved[2] == "held-out loss 0.5000 at step 2"
    assert saved[3] == ""
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["step-2", "step-6"]
    result = load_file(tmp_path / "adapter/adapter_model.safetensors")
    best = load_file(tmp_path / "checkpoints/step-2/adapter/adapter_model.safetensors")
    assert all(tensor.equal(best[name]) for name, tensor in result.items())


def test_that_a_run_stops_after_its_patience_and_counts_as_finished(tiny_llama_dir: Path, tmp_path: Path) -> None:
    probe = Scripted((0.7, 0.6, 0.5, 0.9, 0.8, 0.1, 0.1))
    events = run(tiny_llama_dir, tmp_path, probe=probe, patience=2, **WATCHED)
    last = events[-1]
    assert isinstance(last, Finished) and (last.reason, last.step) == ("early_stop", 4)
    assert last.summary["result_step"] == 2


def test_that_a_killed_run_goes_on_waiting_where_it_was(tiny_llama_dir: Path, tmp_path: Path) -> None:
    probe = Scripted((0.7, 0.6, 0.5, 0.9, 0.8, 0.7, 0.1))
    options = {**WATCHED, "probe": probe, "patience": 3}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options)
    options["checkpoint_every"] = 1
    run_until(tiny_llama_dir, tmp_path / "cut", 4, **options)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **options)
    for events in (whole, again):
        assert isinstance(events[-1], Finished)
    assert again[-1].reason == whole[-1].reason == "early_stop"  # type: ignore[union-attr]
    assert again[-1].step == whole[-1].step == 5  # type: ignore[union-attr]
    assert steps_of(again) == steps_of(whole)[-len(steps_of(again)) :]
    files = [tmp_path / name / "adapter/adapter_model.safetensors" for name in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("values", "words"),
    [({"patience": 2}, "best_metric names no number"), ({"best_metric": "loss", "eval_every": 0}, "makes none")],
)
def test_that_patience_without_a_measurement_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RunConfig().with_values(values)


def test_that_a_run_without_held_out_pairs_has_no_best_checkpoint(tiny_llama_dir: Path, tmp_path: Path) -> None:
    events = run(tiny_llama_dir, tmp_path, pairs=some_pairs(6, 0), best_metric="loss")
    assert isinstance(events[-1], Failed) and "held-out" in events[-1].message
