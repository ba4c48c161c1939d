"""Two processes that train together give the losses of one, and only the first speaks."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.domain.errors import UsageError
from core.domain.run_events import Failed, Finished, RunEvent, StepDone, from_plain
from core.training import loop, preparing
from core.training.parallel.process_group import ProcessGroup
from core.training.steps.session import TrainSession
from tests.core.training.golden_runs import FIELDS, run_golden
from tests.patience import LIMIT_S

ROOT = Path(__file__).resolve().parents[4]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def together(name: str, folder: Path, processes: int = 2, **settings: Any) -> list[list[RunEvent]]:
    """Run ``name`` in several processes and return each one's events."""
    folder.mkdir(exist_ok=True)
    shared = {
        **os.environ,
        "WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-W", "ignore", "-m", "tests.core.training.parallel.distributed_run", name, str(folder)]
    running = [
        subprocess.Popen(
            [*command, json.dumps(settings)],
            cwd=ROOT,
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    for process in running:
        _, errors = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, errors
    lines = [(folder / f"events-{rank}.jsonl").read_text(encoding="utf-8") for rank in range(processes)]
    return [[from_plain(json.loads(line)) for line in text.splitlines()] for text in lines]


FULL = {"lora_r": 0, "init_adapter": "", "lr": 1e-3}
slow = pytest.mark.slow


@slow
@pytest.mark.parametrize(
    ("name", "method"),
    [("sigmoid", {}), ("aot", {}), ("sigmoid", FULL), ("aot", FULL)],
    ids=["lora", "lora-aot", "full", "full-aot"],
)
def test_that_two_processes_take_the_same_steps_as_one(name: str, method: dict, tmp_path: Path) -> None:
    settings = {"steps": 4, "batch_size": 5, "shuffle": True, **method}
    alone = run_golden(name, tmp_path / "alone", **settings)
    first, second = together(name, tmp_path / "together", **settings)
    assert isinstance(first[-1], Finished)
    assert [type(event) for event in second] == [Finished]
    steps = [event for event in first if isinstance(event, StepDone)]
    assert [[row.pair_id for row in step.rows] for step in steps] == [[r.pair_id for r in s.rows] for s in alone]
    for one, other in zip(alone, steps, strict=True):
        for field in FIELDS.values():
            size = max(abs(getattr(one, field)), 1.0)
            assert abs(getattr(one, field) - getattr(other, field)) < 1e-6 * size, (one.step, field)
    result = "model/model.safetensors" if method else "adapter/adapter_model.safetensors"
    one, other = load_file(tmp_path / "alone" / result), load_file(tmp_path / "together/run" / result)
    assert one.keys() == other.keys()
    for tensor_name, tensor in one.items():
        torch.testing.assert_close(other[tensor_name], tensor, rtol=1e-4, atol=1e-4)


@slow
def test_that_a_step_of_one_pair_does_not_leave_processes_waiting_for_each_other(tmp_path: Path) -> None:
    settings = {"steps": 2, "batch_size": 1, **FULL}
    alone = run_golden("aot", tmp_path / "alone", **settings)
    first, second = together("aot", tmp_path / "together", **settings)
    assert isinstance(first[-1], Finished), first[-1]
    assert isinstance(second[-1], Finished), second[-1]
    losses = [event.loss for event in first if isinstance(event, StepDone)]
    assert losses == pytest.approx([step.loss for step in alone], rel=1e-6)


@slow
@pytest.mark.parametrize("method", [{}, FULL], ids=["lora", "full"])
def test_that_two_processes_resume_bit_for_bit(method: dict, tmp_path: Path) -> None:
    settings = {"steps": 4, "batch_size": 5, "checkpoint_every": 2, "micro_batch": 2, **method}
    whole, _ = together("sigmoid", tmp_path / "run", **settings)
    run_dir = tmp_path / "run/run"
    before = {p.name: load_file(p) for p in run_dir.glob("checkpoints/step-4/**/*.safetensors")}
    shutil.rmtree(run_dir / "checkpoints/step-4")
    again, _ = together("sigmoid", tmp_path / "run", **settings)
    assert isinstance(again[-1], Finished), again[-1]
    assert [(e.step, e.loss, e.grad_norm) for e in again if isinstance(e, StepDone)] == [
        (e.step, e.loss, e.grad_norm) for e in whole if isinstance(e, StepDone)
    ][2:]
    after = {p.name: load_file(p) for p in run_dir.glob("checkpoints/step-4/**/*.safetensors")}
    assert len(before) == 3
    for name, tensors in before.items():
        assert all(torch.equal(after[name][key], tensor) for key, tensor in tensors.items()), name


@slow
@pytest.mark.parametrize("method", [{}, FULL], ids=["lora", "full"])
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_that_a_run_is_taken_up_by_another_number_of_processes(
    method: dict, before: int, after: int, tmp_path: Path
) -> None:
    settings = {"steps": 4, "batch_size": 5, "checkpoint_every": 2, **method}
    whole = together("sigmoid", tmp_path / "run", before, **settings)[0]
    shutil.rmtree(tmp_path / "run/run/checkpoints/step-4")
    again = together("sigmoid", tmp_path / "run", after, **settings)[0]
    assert isinstance(again[-1], Finished), again[-1]
    losses = [(e.step, e.loss) for e in whole if isinstance(e, StepDone)][2:]
    assert [(e.step, e.loss) for e in again if isinstance(e, StepDone)] == [
        (step, pytest.approx(loss, rel=1e-6)) for step, loss in losses
    ]


@slow
@pytest.mark.parametrize("method", [{}, FULL], ids=["lora", "full"])
def test_that_what_ends_one_process_ends_all(method: dict, tmp_path: Path) -> None:
    settings = {**method, "lr": 10.0, "beta": 1.0 if method else 1000.0, "loss": "discopop"}
    first, second = together("sigmoid", tmp_path / "together", steps=3, **settings)
    assert isinstance(first[-1], Failed)
    assert first[-1].kind == second[-1].kind == "nan"
    assert first[-1].pair_ids


def test_that_optimizer_state_is_gathered_while_the_weights_are_not_whole(tmp_path: Path, monkeypatch) -> None:
    gathered, whole = [], []

    @contextmanager
    def whole_model(_session: TrainSession) -> Iterator[None]:
        whole.append(True)
        yield
        whole.pop()

    monkeypatch.setattr(TrainSession, "whole_model", whole_model)
    monkeypatch.setattr(loop, "optimizer_tensors", lambda *_, **how: gathered.append((how["keep"], *whole)) or {})
    run_golden("sigmoid", tmp_path, steps=1)
    assert gathered == [(True,)]


@pytest.mark.parametrize("sharded", [False, True])
def test_that_the_gate_takes_fewer_pairs_when_memory_runs_out_but_not_in_shards(monkeypatch, sharded: bool) -> None:
    tried: list[int] = []
    report = SimpleNamespace(h_max=0.0)

    def run_gate(*_: Any, sample: int, **__: Any) -> SimpleNamespace:
        tried.append(sample)
        if len(tried) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return report

    monkeypatch.setattr(preparing, "run_gate", run_gate)
    model = SimpleNamespace(release_reference=lambda: None, reference_kind="adapter_off")
    session: Any = SimpleNamespace(
        model=model, scorer=None, config=None, pairs={}, sharded=object() if sharded else None
    )
    if sharded:
        with pytest.raises(torch.OutOfMemoryError):
            list(preparing.pass_gate(session, [], lambda pairs: {}))
        assert tried == [preparing.GATE_PAIRS]
    else:
        assert list(preparing.pass_gate(session, [], lambda pairs: {}))[-1] is report
        assert tried == [preparing.GATE_PAIRS, preparing.GATE_PAIRS // 2]


def test_that_shares_are_even_and_lose_nobody() -> None:
    sizes = [9, 3, 7, 7, 1, 5, 8]
    shares = [ProcessGroup(rank, 3).share(sizes) for rank in range(3)]
    assert sorted(i for share in shares for i in share) == list(range(7))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert ProcessGroup(1, 2).share([4]) == []
    assert ProcessGroup().share(sizes) == list(range(7))


def test_that_one_process_talks_to_nobody() -> None:
    processes = ProcessGroup()
    assert (processes.is_single, processes.is_main, processes.device("cuda")) == (True, True, "cuda")
    assert processes.gather(3) == [3]
    assert processes.from_main("x") == "x"
    with pytest.raises(ValueError, match="mine"):
        processes.raise_together(ValueError("mine"))


def test_that_processes_with_different_inputs_refuse_to_train_together(monkeypatch) -> None:
    processes = ProcessGroup(1, 2)
    monkeypatch.setattr(processes, "gather", lambda own: [{"step": "0", "model": "other"}, own])
    with pytest.raises(UsageError, match="the same model"):
        processes.require_same({"step": "0", "model": "mine"})
    ProcessGroup().require_same({"step": "0"})


def test_that_every_process_has_a_gpu_of_its_own_or_none_begins(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert [ProcessGroup(rank, 4, rank % 2).device("auto") for rank in range(4)] == ["cuda:0", "cuda:1"] * 2
    assert ProcessGroup(1, 2, 1).device("cpu") == "cpu"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(UsageError, match="2 GPUs"):
        ProcessGroup(0, 3, 0).device("cuda")


def test_that_the_world_is_read_from_the_environment(monkeypatch) -> None:
    for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(key, raising=False)
    assert ProcessGroup.from_environment().is_single
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    processes = ProcessGroup.from_environment()
    assert (processes.rank, processes.size, processes.is_main) == (3, 4, False)
