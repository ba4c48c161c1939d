"""Full fine-tuning in bfloat16: small updates are not rounded away, and a resumed run continues bit for bit."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from core.domain.run_config import RunConfig
from core.training.steps.master_weights import MASTER
from core.training.steps.optimizer import load_optimizer_tensors, make_optimizer, optimizer_tensors
from tests.core.training.tiny_runs import run, run_until, steps_of

FULL = {"forward": "separate", "lora_r": 0, "scheduler": "constant", "checkpoint_every": 0, "batch_size": 8}


def push(model: nn.Module, optimizer: torch.optim.Optimizer, times: int) -> None:
    for _ in range(times):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()


def test_that_updates_too_small_for_bfloat16_add_up() -> None:
    torch.manual_seed(0)
    wide = nn.Linear(64, 32)
    narrow = copy.deepcopy(wide).bfloat16()
    config = RunConfig(lr=1e-5)
    values = dict(zip(narrow.parameters(), (p.detach() for p in wide.parameters()), strict=True))
    optimizers = (
        make_optimizer(config, dict(wide.named_parameters())),
        make_optimizer(config, dict(narrow.named_parameters()), values),
    )
    before = wide.weight.detach().clone()
    for model, optimizer in zip((wide, narrow), optimizers, strict=True):
        push(model, optimizer, 20)
    assert narrow.weight.equal(wide.weight.bfloat16())
    assert float((before - wide.weight.detach()).abs().mean()) == pytest.approx(2e-4, rel=1e-3)


def test_that_restored_copies_continue_bit_for_bit() -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 4).bfloat16()
    config = RunConfig(lr=1e-4, weight_decay=0.1)
    optimizer = make_optimizer(config, dict(model.named_parameters()))
    push(model, optimizer, 3)
    twin = copy.deepcopy(model)
    saved = {k: v.detach().clone() for k, v in optimizer_tensors(optimizer, dict(model.named_parameters())).items()}
    assert saved[f"weight::{MASTER}"].dtype == torch.float32
    other = make_optimizer(config, dict(twin.named_parameters()))
    load_optimizer_tensors(other, dict(twin.named_parameters()), saved)
    push(model, optimizer, 50)
    push(twin, other, 50)
    assert twin.weight.equal(model.weight)


def test_that_a_state_without_copies_starts_them_from_the_weights() -> None:
    model = nn.Linear(2, 2).bfloat16()
    named = dict(model.named_parameters())
    old = {
        "weight::step": torch.tensor(3.0),
        "weight::exp_avg": torch.zeros(2, 2),
        "weight::exp_avg_sq": torch.ones(2, 2),
    }
    optimizer = make_optimizer(RunConfig(), named, {p: torch.zeros_like(p) for p in named.values()})
    load_optimizer_tensors(optimizer, named, {k: v.clone() for k, v in old.items()})
    before = model.weight.detach().clone()
    push(model, optimizer, 1)
    assert (model.weight - before).abs().max() < 0.01


def margin(model_dir: Path, run_dir: Path) -> float:
    """Mean of log pi(chosen) - log pi(rejected) in float32 over the pairs of one step, in nats."""
    (step,) = steps_of(run(model_dir, run_dir, **{**FULL, "steps": 1}))
    return step.logp_chosen - step.logp_rejected


@pytest.mark.slow
def test_that_bfloat16_training_moves_the_policy_as_far_as_float32(tiny_llama_dir: Path, tmp_path: Path) -> None:
    moved = {}
    for dtype in ("float32", "bfloat16"):
        rates = {0.0: tmp_path / f"{dtype}-start", 1e-5: tmp_path / dtype}
        for rate, folder in rates.items():
            run(tiny_llama_dir, folder, **{**FULL, "dtype": dtype, "steps": 10, "lr": rate or 1e-30})
        start, end = (margin(folder / "model", tmp_path / f"{folder.name}-read") for folder in rates.values())
        moved[dtype] = end - start
    assert moved["bfloat16"] == pytest.approx(moved["float32"], rel=0.05)


def test_that_a_killed_run_in_bfloat16_resumes_bit_for_bit(tiny_llama_dir: Path, tmp_path: Path) -> None:
    options = {**FULL, "dtype": "bfloat16", "lr": 1e-4, "steps": 4, "checkpoint_every": 2, "batch_size": 3}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options)
    run_until(tiny_llama_dir, tmp_path / "cut", 3, **options)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **options)
    assert steps_of(again) == steps_of(whole)[2:]
    states = [load_file(tmp_path / n / "checkpoints/step-4/optimizer.safetensors") for n in ("whole", "cut")]
    assert all(states[0][name].equal(states[1][name]) for name in states[0])
