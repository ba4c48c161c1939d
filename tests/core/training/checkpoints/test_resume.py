"""Killed, stopped, damaged or forked: what goes on from a checkpoint, bit for bit, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from core.domain.errors import BadInput, StorageFull, UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import CheckpointSaved, Failed, Finished, RunStarted, StepDone, Warned
from core.durable import verify_folder
from core.training.checkpoints import save_load
from core.training.checkpoints.fork import fork_checkpoint
from tests.core.training.tiny_runs import SETTINGS, Switch, Watcher, run, run_until, some_pairs, start, steps_of


def same_bits(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(
        first[name].equal(second[name]) and first[name].dtype == second[name].dtype for name in first
    )


FULL = {"lora_r": 0, "lr": 1e-3}


@pytest.mark.parametrize(("method", "killed_after"), [({"lora_r": 2}, 1), ({"lora_r": 2}, 5), (FULL, 3)])
def test_that_a_killed_run_resumed_equals_the_uninterrupted_one_bit_for_bit(
    tiny_llama_dir: Path, tmp_path: Path, method: dict, killed_after: int
) -> None:
    options = {**method, "steps": 6, "warmup": 0.2, "weight_decay": 0.1, "scheduler": "cosine"}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options)
    run_until(tiny_llama_dir, tmp_path / "cut", killed_after, **options)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **options)
    saved = killed_after - 1 - (killed_after - 1) % 2  # the checkpoint of the last step had not been made
    first = again[0]
    assert isinstance(first, RunStarted)
    assert (first.resumed_from, first.attempt) == (saved, 2 if saved else 1)
    assert steps_of(again) == steps_of(whole)[saved:]
    result = "adapter/adapter_model.safetensors" if method["lora_r"] else "model/model.safetensors"
    assert same_bits(tmp_path / "whole" / result, tmp_path / "cut" / result)
    optimizer = "checkpoints/step-6/optimizer.safetensors"
    assert same_bits(tmp_path / "whole" / optimizer, tmp_path / "cut" / optimizer)
    keys = ("pairs_seen", "response_tokens_seen", "first", "last", "total_steps")
    assert all(again[-1].summary[key] == whole[-1].summary[key] for key in keys)


def test_that_the_fastest_forward_pass_resumes_bit_for_bit_too(tiny_llama_dir: Path, tmp_path: Path) -> None:
    whole = run(tiny_llama_dir, tmp_path / "whole", forward="auto")
    run_until(tiny_llama_dir, tmp_path / "cut", 3, forward="auto")
    again = run(tiny_llama_dir, tmp_path / "cut", forward="auto", resume=True)
    assert whole[-1].summary["forward"] == again[-1].summary["forward"] == "lean"
    assert steps_of(again) == steps_of(whole)[2:]
    assert not any(isinstance(e, Warned) and e.code == "kernel_changed" for e in again)


def test_that_stop_and_save_then_resume_equals_the_uninterrupted_run(tiny_llama_dir: Path, tmp_path: Path) -> None:
    whole = run(tiny_llama_dir, tmp_path / "whole", checkpoint_every=0)
    control = Switch()
    for event in start(tiny_llama_dir, tmp_path / "cut", control=control, checkpoint_every=0):
        if isinstance(event, StepDone) and event.step == 3:
            control.now = "stop_and_save"
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, checkpoint_every=0)
    assert steps_of(again) == steps_of(whole)[3:]
    assert same_bits(*(tmp_path / n / "adapter" / "adapter_model.safetensors" for n in ("whole", "cut")))


def test_that_a_resumed_run_neither_repeats_the_gate_nor_the_first_probe(tiny_llama_dir: Path, tmp_path: Path) -> None:
    run_until(tiny_llama_dir, tmp_path, 3)
    probe = Watcher()
    events = run(tiny_llama_dir, tmp_path, resume=True, probe=probe, eval_every=3)
    assert probe.calls == [(3, False), (4, True)]
    assert not any(event.event == "gate" for event in events)


def test_that_resuming_a_completed_run_makes_no_step_and_the_same_result(tiny_llama_dir: Path, tmp_path: Path) -> None:
    run(tiny_llama_dir, tmp_path)
    shutil.copytree(tmp_path / "adapter", tmp_path / "before")
    events = run(tiny_llama_dir, tmp_path, resume=True)
    assert not steps_of(events)
    assert events[-1].reason == "completed"
    assert same_bits(*(tmp_path / n / "adapter_model.safetensors" for n in ("before", "adapter")))


def test_that_damaged_checkpoints_are_named_and_an_older_one_is_taken(tiny_llama_dir: Path, tmp_path: Path) -> None:
    whole = run(tiny_llama_dir, tmp_path / "whole", steps=6, keep_checkpoints=0)
    run_until(tiny_llama_dir, tmp_path / "cut", 6, steps=6, keep_checkpoints=0)
    weights = tmp_path / "cut/checkpoints/step-4/adapter/adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, steps=6, keep_checkpoints=0)
    assert again[0].resumed_from == 2
    (warning,) = [e for e in again if isinstance(e, Warned)]
    assert warning.code == "checkpoint_damaged"
    assert "step-4" in warning.message
    assert steps_of(again) == steps_of(whole)[2:]
    verify_folder(tmp_path / "cut/checkpoints/step-4")


def test_that_only_the_newest_checkpoints_are_kept(tiny_llama_dir: Path, tmp_path: Path) -> None:
    events = run(tiny_llama_dir, tmp_path, steps=7, checkpoint_every=1, keep_checkpoints=3)
    saved = [e for e in events if isinstance(e, CheckpointSaved)]
    assert [e.step for e in saved] == [1, 2, 3, 4, 5, 6, 7]
    assert [p.name for p in save_load.listed(tmp_path)] == ["step-7", "step-6", "step-5"]
    assert save_load.read(Path(saved[-1].path)).sha256 == saved[-1].sha256


def test_that_a_checkpoint_holds_safetensors_and_json_only_and_loads_as_an_adapter(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    run(tiny_llama_dir, tmp_path)
    folder = tmp_path / "checkpoints" / "step-4"
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert names == [
        "MANIFEST.json",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "optimizer.safetensors",
        "random.safetensors",
        "state.json",
    ]
    assert same_bits(folder / "adapter/adapter_model.safetensors", tmp_path / "adapter/adapter_model.safetensors")
    events = run(tiny_llama_dir, tmp_path / "next", init_adapter=str(folder / "adapter"), steps=1)
    assert isinstance(events[-1], Finished)
    assert steps_of(events)[0].h == 0.0  # the starting adapter is its own reference


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"lr": 1e-4}, "lr: 0.003 -> 0.0001"), ({"beta": 0.2, "seed": 1}, "seed"), ({"lora_r": 4}, "lora_r")],
)
def test_that_a_changed_objective_is_refused_by_name(
    tiny_llama_dir: Path, tmp_path: Path, changes: dict, named: str
) -> None:
    run_until(tiny_llama_dir, tmp_path, 3)
    events = run(tiny_llama_dir, tmp_path, resume=True, **changes)
    assert isinstance(events[-1], Failed)
    assert named in events[-1].message
    assert [p.name for p in save_load.listed(tmp_path)] == ["step-2"]


def test_that_a_run_that_names_no_precision_goes_on_in_that_of_its_checkpoint(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    run_until(tiny_llama_dir, tmp_path, 3, dtype="bfloat16")
    first = run(tiny_llama_dir, tmp_path, resume=True, dtype="auto")[0]
    assert isinstance(first, RunStarted)
    assert (first.resumed_from, first.dtype) == (2, "bfloat16")


def test_that_changed_pairs_are_refused_and_a_changed_cadence_is_not(tiny_llama_dir: Path, tmp_path: Path) -> None:
    run_until(tiny_llama_dir, tmp_path, 3)
    events = run(tiny_llama_dir, tmp_path, resume=True, pairs=some_pairs(7))
    assert "pairs: another content" in events[-1].message
    events = run(tiny_llama_dir, tmp_path, resume=True, eval_every=1, checkpoint_every=1, micro_batch=2)
    assert isinstance(events[-1], Finished)


def config_of(**changes) -> RunConfig:
    return RunConfig().with_values({**SETTINGS, **changes})


def test_that_a_fork_with_nothing_changed_continues_like_its_parent(tiny_llama_dir: Path, tmp_path: Path) -> None:
    whole = run(tiny_llama_dir, tmp_path / "parent", run_id="parent")
    fork_checkpoint(tmp_path / "parent/checkpoints/step-2", tmp_path / "child", config_of(), parent_run="parent")
    events = run(tiny_llama_dir, tmp_path / "child", resume=True, run_id="child")
    assert (events[0].resumed_from, events[0].attempt) == (2, 1)
    assert steps_of(events) == steps_of(whole)[2:]
    assert same_bits(*(tmp_path / n / "adapter/adapter_model.safetensors" for n in ("parent", "child")))


def test_that_a_fork_records_what_it_came_from_and_what_changed(tiny_llama_dir: Path, tmp_path: Path) -> None:
    whole = run(tiny_llama_dir, tmp_path / "parent", run_id="parent")
    source = tmp_path / "parent/checkpoints/step-2"
    fork_checkpoint(source, tmp_path / "child", config_of(lr=1e-3, beta=0.3, steps=5), parent_run="parent")
    events = run(tiny_llama_dir, tmp_path / "child", resume=True, lr=1e-3, beta=0.3, steps=5)
    assert [step.step for step in steps_of(events)] == [3, 4, 5]
    assert steps_of(events)[0].h == steps_of(whole)[2].h
    assert steps_of(events)[0].margin == pytest.approx(3 * steps_of(whole)[2].margin)
    origin = verify_folder(tmp_path / "child/checkpoints/step-5")["fork_from"]
    assert (origin["run"], origin["step"]) == ("parent", 2)
    assert origin["checkpoint_sha256"] == save_load.read(source).sha256
    assert sorted(change.split(":")[0] for change in origin["changed"]) == ["beta", "lr", "steps"]
    assert events[-1].summary["fork_from"] == origin
    state = json.loads((source / "state.json").read_text(encoding="utf-8"))
    assert state["fork_from"] == {}


def test_that_a_fork_cannot_change_what_the_weights_or_the_data_order_depend_on(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    run(tiny_llama_dir, tmp_path / "parent")
    source = tmp_path / "parent/checkpoints/step-2"
    with pytest.raises(UsageError, match="batch_size"):
        fork_checkpoint(source, tmp_path / "child", config_of(batch_size=5))
    (source / "optimizer.safetensors").unlink()
    with pytest.raises(BadInput):
        fork_checkpoint(source, tmp_path / "child", config_of())


def test_that_a_full_disk_costs_a_periodic_checkpoint_but_not_the_run(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch
) -> None:
    real = save_load.save

    def full(run_dir, state, *rest):
        if state.step == 2:
            raise StorageFull("There is no room left.", "Free some space.")
        return real(run_dir, state, *rest)

    monkeypatch.setattr(save_load, "save", full)
    events = run(tiny_llama_dir, tmp_path)
    assert [e.code for e in events if isinstance(e, Warned)] == ["checkpoint_failed"]
    assert [e.step for e in events if isinstance(e, CheckpointSaved)] == [4]


def test_that_a_full_disk_at_the_end_is_a_failure_that_keeps_the_last_checkpoint(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch
) -> None:
    real = save_load.save

    def full(run_dir, state, *rest):
        if state.step == 4:
            raise StorageFull("There is no room left.", "Free some space.")
        return real(run_dir, state, *rest)

    monkeypatch.setattr(save_load, "save", full)
    events = run(tiny_llama_dir, tmp_path, checkpoint_every=3)
    assert (events[-1].kind, events[-1].step) == ("storage_full", 4)
    assert [p.name for p in save_load.listed(tmp_path)] == ["step-3"]


def test_that_another_forward_pass_on_resume_is_announced(tiny_llama_dir: Path, tmp_path: Path) -> None:
    run_until(tiny_llama_dir, tmp_path, 3)
    events = run(tiny_llama_dir, tmp_path, resume=True, forward="separate")
    assert [e.code for e in events if isinstance(e, Warned)] == ["kernel_changed"]
    assert isinstance(events[-1], Finished)
