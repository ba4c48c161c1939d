"""The rate at each step, clipping, decay, and optimizer state that survives as plain tensors."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from core.domain.run_config import RunConfig
from core.training.steps.optimizer import (
    clip_gradients,
    learning_rate,
    learns,
    load_optimizer_tensors,
    make_optimizer,
    optimizer_tensors,
    warmup_steps,
)

SCHEDULERS = ("constant", "linear", "cosine")


@pytest.mark.parametrize("warmup", [0.0, 0.25, 3.0])
def test_that_a_cosine_with_a_floor_is_that_of_transformers(warmup: float) -> None:
    from transformers.optimization import get_scheduler

    config = RunConfig(lr=0.5, scheduler="cosine", lr_floor=0.1, warmup=warmup)
    total = 14
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=config.lr)
    warm, floor = warmup_steps(config, total), {"min_lr_rate": 0.1}
    theirs = get_scheduler("cosine_with_min_lr", optimizer, warm, total, scheduler_specific_kwargs=floor)
    for step in range(1, total + 1):
        assert learning_rate(config, step, total) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12, abs=1e-12)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(("warmup", "decay"), [(0.0, 0.2), (0.25, 0.5), (3.0, 4.0), (0.1, 0.0)])
def test_that_warm_up_stable_decay_is_that_of_transformers(warmup: float, decay: float) -> None:
    from transformers.optimization import get_wsd_schedule

    config = RunConfig(lr=0.5, scheduler="wsd", wsd_decay=decay, warmup=warmup)
    total = 14
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=config.lr)
    warm, falls = warmup_steps(config, total), int(decay) if decay >= 1 else max(1, math.ceil(total * decay))
    theirs = get_wsd_schedule(
        optimizer, warm, falls, num_stable_steps=total - warm - falls, warmup_type="linear", decay_type="linear"
    )
    for step in range(1, total + 1):
        assert learning_rate(config, step, total) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12, abs=1e-12)
        optimizer.step()
        theirs.step()


def test_that_every_schedule_ends_above_its_floor_and_the_constant_one_has_none() -> None:
    for scheduler, last in (("linear", 0.1 + 0.9 / 10), ("wsd", 0.1 + 0.9 / 5), ("constant", 1.0)):
        config = RunConfig(lr=1.0, scheduler=scheduler, lr_floor=0.1, warmup=0.0, wsd_decay=5)
        assert learning_rate(config, 10, 10) == pytest.approx(last)
        assert learning_rate(config, 1, 10) == 1.0


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.25, 3.0])
def test_that_the_rate_is_that_of_the_hugging_face_schedule(scheduler: str, warmup: float) -> None:
    from transformers.optimization import get_scheduler

    config = RunConfig(lr=0.5, scheduler=scheduler, warmup=warmup)
    total = 14
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=config.lr)
    name = "constant_with_warmup" if scheduler == "constant" else scheduler
    theirs = get_scheduler(name, optimizer, warmup_steps(config, total), total)
    for step in range(1, total + 1):
        assert learning_rate(config, step, total) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12, abs=1e-12)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("warmup", [0.1, 1.0, 5.0])
def test_that_a_run_of_one_step_has_no_warm_up_and_trains(scheduler: str, warmup: float) -> None:
    config = RunConfig(lr=0.5, scheduler=scheduler, warmup=warmup)
    assert learning_rate(config, 1, 1) == 0.5
    assert learns(config, 1)
    assert learns(config, 2)
    assert not learns(RunConfig(lr=0.0), 5)


def named(model: nn.Module) -> dict[str, nn.Parameter]:
    return dict(model.named_parameters())


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, seeds: list[int]) -> None:
    for seed in seeds:
        x = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed))
        model.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()


def test_that_restored_state_continues_bit_for_bit() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    config = RunConfig(lr=0.05, weight_decay=0.1)
    optimizer = make_optimizer(config, named(model))
    steps(model, optimizer, [1, 2, 3])
    twin = copy.deepcopy(model)
    other = make_optimizer(config, named(twin))
    saved = {name: tensor.clone() for name, tensor in optimizer_tensors(optimizer, named(model)).items()}
    load_optimizer_tensors(other, named(twin), saved)
    steps(model, optimizer, [4, 5])
    steps(twin, other, [4, 5])
    for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(KeyError):
        load_optimizer_tensors(other, named(twin), {"nobody::step": torch.zeros(())})


class Part(torch.Tensor):
    """Stands for a tensor held in shards, and counts how many whole ones are alive at once."""

    alive = most = 0

    def full_tensor(self) -> torch.Tensor:
        found = self.as_subclass(Gathered)
        Part.alive += 1
        Part.most = max(Part.most, Part.alive)
        return found


class Gathered(torch.Tensor):
    """A whole tensor on its device; on the CPU's side of things it is a plain one."""

    def cpu(self) -> torch.Tensor:  # type: ignore[override]
        return self.as_subclass(torch.Tensor).clone()

    def __del__(self) -> None:
        Part.alive -= 1


def test_that_state_in_shards_is_gathered_one_tensor_at_a_time_and_kept_by_the_leader_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    optimizer = make_optimizer(RunConfig(), named(model))
    steps(model, optimizer, [1])
    plain = {name: tensor.clone() for name, tensor in optimizer_tensors(optimizer, named(model)).items()}
    for state in optimizer.state.values():
        state.update({key: value.as_subclass(Part) for key, value in state.items()})
    kept = optimizer_tensors(optimizer, named(model))
    assert {type(tensor) for tensor in kept.values()} == {torch.Tensor}
    assert all(torch.equal(kept[name], tensor) for name, tensor in plain.items())
    assert optimizer_tensors(optimizer, named(model), keep=False) == {}
    assert Part.most <= 2  # the one that is made while the name of the one before still holds it


def test_that_weight_decay_spares_vectors() -> None:
    model = nn.Linear(3, 2)
    optimizer = make_optimizer(RunConfig(lr=0.1, weight_decay=0.5), named(model))
    decays = {p.ndim: group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays == {2: 0.5, 1: 0.0}


def test_that_clipping_scales_all_gradients_together_and_reports_the_norm_before() -> None:
    model = nn.Linear(2, 1)
    model.weight.grad = torch.tensor([[3.0, 0.0]])
    model.bias.grad = torch.tensor([4.0])
    assert clip_gradients(named(model), 0.0) == 5.0
    assert model.bias.grad.item() == 4.0
    assert clip_gradients(named(model), 1.0) == 5.0
    assert math.hypot(model.weight.grad.norm().item(), model.bias.grad.item()) == pytest.approx(1.0, rel=1e-5)
    model.weight.grad[0, 0] = math.inf
    assert math.isinf(clip_gradients(named(model), 1.0))
