"""AdamW, the learning rate as a function of the step, clipping, and optimizer state as plain tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from core.domain.run_config import RunConfig
from core.training.parallel.fsdp import is_sharded, sharded_like, whole
from core.training.steps.eight_bit import EIGHT_BIT, eight_bit_adamw, load_state
from core.training.steps.master_weights import MASTER, MasterAdamW, Masters, is_narrow

_SEPARATOR = "::"


def make_optimizer(
    config: RunConfig, trainable: Mapping[str, nn.Parameter], values: Mapping[Tensor, Tensor] | None = None
) -> torch.optim.Optimizer:
    """Return AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) over ``trainable``.

    Weight decay does not apply to vectors (norms and biases). The fused kernel is element-wise, so its results do
    not depend on threads or on the order of parameters. 16-bit parameters are updated through float32 copies, which
    start from ``values`` where given (:mod:`core.training.steps.master_weights`).
    """
    matrices = [p for p in trainable.values() if p.ndim >= 2]
    vectors = [p for p in trainable.values() if p.ndim < 2]
    groups = [
        {"params": params, "weight_decay": decay}
        for params, decay in ((matrices, config.weight_decay), (vectors, 0.0))
        if params
    ]
    devices = {p.device.type for p in trainable.values()}
    options: dict[str, Any] = {
        "lr": config.lr,
        "betas": (config.adam_beta1, config.adam_beta2),
        "eps": config.adam_eps,
    }
    if config.optimizer == EIGHT_BIT:
        return eight_bit_adamw(groups, values or {}, **options)
    options["fused"] = devices <= {"cpu", "cuda"}
    if any(is_narrow(p) for p in trainable.values()):
        return MasterAdamW(groups, values or {}, **options)
    return torch.optim.AdamW(groups, **options)


def warmup_steps(config: RunConfig, total: int) -> int:
    """Return the steps of warm-up: ``warmup`` itself from 1 on, else that share of the run, rounded up.

    A run of one step has none: its only step would have the rate 0.
    """
    if total <= 1:
        return 0
    if config.warmup >= 1:
        return int(config.warmup)
    return math.ceil(total * config.warmup - 1e-9)


def learning_rate(config: RunConfig, step: int, total: int) -> float:
    """Return the rate of optimizer step ``step`` (the first is 1).

    The shapes are those of Hugging Face transformers, whose counter starts at 0: a run with warm-up begins
    at rate 0, and linear, cosine and wsd (warm-up, stable, decay; Hu et al. 2024, arXiv 2404.06395) would reach their
    floor one step after the last.
    """
    done, warm = step - 1, warmup_steps(config, total)
    if done < warm:
        return config.lr * done / max(1, warm)
    if config.scheduler == "constant":
        return config.lr
    if config.scheduler == "wsd":
        decay = max(1, min(_decay_steps(config, total), total - warm))
        share = 1 - max(0, done - (total - decay)) / decay
    else:
        progress = (done - warm) / max(1, total - warm)
        share = 1 - progress if config.scheduler == "linear" else 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return config.lr * (config.lr_floor + (1 - config.lr_floor) * max(0.0, share))


def _decay_steps(config: RunConfig, total: int) -> int:
    """Return the steps of the decay of wsd: ``wsd_decay`` itself from 1 on, else that share of the run, rounded up."""
    return int(config.wsd_decay) if config.wsd_decay >= 1 else math.ceil(total * config.wsd_decay - 1e-9)


def learns(config: RunConfig, total: int) -> bool:
    """Return whether any of the ``total`` steps of a run has a learning rate above 0."""
    return config.lr > 0 and any(learning_rate(config, step, total) > 0 for step in range(1, total + 1))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def clip_gradients(trainable: Mapping[str, nn.Parameter], limit: float) -> float:
    """Scale all gradients together so that their norm is at most ``limit`` (0: leave them); return the norm before."""
    params = [p for p in trainable.values() if p.grad is not None]
    if not params:
        return 0.0
    norm = whole(get_total_norm([p.grad for p in params if p.grad is not None]))
    value = float(norm)
    if limit > 0 and math.isfinite(value):
        clip_grads_with_norm_(params, limit, norm)
    return value


def optimizer_tensors(
    optimizer: torch.optim.Optimizer, trainable: Mapping[str, nn.Parameter], *, keep: bool = True
) -> dict[str, Tensor]:
    """Return the optimizer's state as named, whole tensors; a parameter that never had a gradient has none.

    Every process gathers sharded tensors one at a time. A process with ``keep`` moves each to CPU memory at once; the
    others drop it and return nothing. AdamW's moments are twice the size of the weights, so the gathered tensors
    would not fit beside them on the device.
    """
    found: dict[str, Tensor] = {}
    for name, parameter in trainable.items():
        for key, value in _state_of(optimizer, parameter).items():
            tensor = whole(value.detach()) if isinstance(value, Tensor) else torch.tensor(value)
            if keep:
                shared = key.startswith("qmap")  # a table that the 8-bit moments of all parameters have in common
                tensor = tensor.clone() if shared else tensor
                found[f"{name}{_SEPARATOR}{key}"] = tensor.cpu() if is_sharded(value) else tensor
    return found


def load_optimizer_tensors(
    optimizer: torch.optim.Optimizer, trainable: Mapping[str, nn.Parameter], tensors: Mapping[str, Tensor]
) -> None:
    """Load the state that :func:`optimizer_tensors` returned.

    Raises:
        KeyError: for a state of a parameter that does not train.
    """
    by_name: dict[str, dict[str, Tensor]] = {}
    for label, value in tensors.items():
        name, _, key = label.rpartition(_SEPARATOR)
        by_name.setdefault(name, {})[key] = value
    if unknown := by_name.keys() - trainable.keys():
        raise KeyError(min(unknown))
    for name, parameter in trainable.items():
        copied = by_name.get(name, {}).pop(MASTER, None)  # a checkpoint of an older version has none
        if (updated := _updated(optimizer, parameter)) is not parameter:
            updated.data.copy_(parameter.detach() if copied is None else sharded_like(parameter, copied))
    if not isinstance(optimizer, torch.optim.AdamW):
        for name, state in by_name.items():
            load_state(optimizer, _updated(optimizer, trainable[name]), state)
        return
    names = {id(_updated(optimizer, p)): name for name, p in trainable.items()}
    ordered = [names[id(p)] for group in optimizer.param_groups for p in group["params"]]
    state = {
        index: {key: sharded_like(trainable[name], value) for key, value in by_name[name].items()}
        for index, name in enumerate(ordered)
        if name in by_name
    }
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _updated(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> nn.Parameter:
    """Return what the optimizer updates for a parameter of the model: its float32 copy, or the parameter itself."""
    return optimizer.masters[parameter] if isinstance(optimizer, Masters) else parameter


def _state_of(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[str, Tensor]:
    """Return AdamW's state of a parameter, with its float32 copy where it has one."""
    updated = _updated(optimizer, parameter)
    state = optimizer.state.get(updated, {})
    return {**state, MASTER: updated} if state and updated is not parameter else state
