"""Working weights for the linear layers of any family, while the general path decodes.

Each linear layer computes its product with a copy in the layout of the CPU's kernels, an adapter merged into it. Layers
of any other kind keep their ``forward``, which is replaced only within the context. There is no gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.errors import ModelRefused
from core.generation.context import base_of
from core.generation.low_rank import AdaptedLinear, read_linear
from core.generation.working_weights import Products, fused, products_for


def active_adapter(model: Any) -> str:
    """Return the name of the LoRA adapter that is switched on, "" for none.

    Raises:
        ModelRefused: when several are, or not the same one in every layer.
    """
    found = {_active(module) for module in model.modules() if hasattr(module, "lora_A")}
    if len(found) > 1 or any(len(names) > 1 for names in found):
        raise ModelRefused("several adapters are active")
    return next((name for names in found for name in names), "")


def _active(module: Any) -> tuple[str, ...]:
    if module.disable_adapters:
        return ()
    return tuple(name for name in module.active_adapters if name in module.lora_A)


@contextmanager
def working_layers(model: Any) -> Iterator[None]:
    """Let the model's linear layers use working weights within the context; where that saves nothing, do nothing."""
    layers = _linear_layers(model)
    products = products_for([layer.weight for _, layer in layers])
    replaced: list[nn.Module] = []
    try:
        if products.packs:
            for module, layer in layers:
                module.forward = _forward(layer, products)
                replaced.append(module)
        yield
    finally:
        for module in replaced:
            module.__dict__.pop("forward", None)


def _linear_layers(model: Any) -> list[tuple[nn.Module, AdaptedLinear]]:
    try:
        name = active_adapter(model)
    except ModelRefused:
        return []
    found: list[tuple[nn.Module, AdaptedLinear]] = []
    inner: set[int] = set()
    for module in base_of(model).modules():  # a layer under LoRA comes before the base layer inside it
        if id(module) in inner or "forward" in module.__dict__:
            continue
        if not hasattr(module, "base_layer") and type(module).__name__ not in ("Linear", "Conv1D"):
            continue
        inner.update(id(child) for child in module.modules())
        if module._forward_hooks or module._forward_pre_hooks:  # noqa: SLF001 (no public list)
            continue
        try:
            found.append((module, read_linear(module, (name, ""), frozen=False)))
        except ModelRefused:
            continue
    return found


def _forward(layer: AdaptedLinear, products: Products) -> Callable[[Tensor], Tensor]:
    step = fused([layer], 1, products)

    def forward(x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).to(torch.float32)
        return step(rows, ()).view(*x.shape[:-1], -1)

    return forward
