"""A linear layer and the low-rank adapter on it as one step: y = W x + b + s B A x.

LoRA (Hu et al. 2021, arXiv 2106.09685). The forward pass computes only y and the thin A x; the product with W uses the
kernel that the caller passes.

Shapes: x (rows, inputs), W (outputs, inputs) of any strides, A (rank, inputs), B (outputs, rank).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from core.domain.errors import ModelRefused
from core.generation.lm_head import Linear


@dataclass(frozen=True, slots=True)
class LowRank:
    """An adapter of one linear layer: ``scale * B A``, A (rank, inputs), B (outputs, rank)."""

    a: nn.Parameter
    b: nn.Parameter
    scale: float


@dataclass(frozen=True, slots=True)
class AdaptedLinear:
    """A frozen linear layer with the adapters of policy and reference."""

    weight: Tensor
    bias: Tensor | None
    policy: LowRank | None = None
    reference: LowRank | None = None

    def adapter(self, policy: bool) -> LowRank | None:
        """Return the adapter of the policy or of the reference."""
        return self.policy if policy else self.reference


def linear_forward(
    x: Tensor, weight: Tensor, bias: Tensor | None, adapter: LowRank | None, linear: Linear
) -> tuple[Tensor, Tensor | None]:
    """Return y = W x + b + s B A x (rows, outputs), and A x (rows, rank) for the backward pass."""
    y = linear(x, weight)
    if bias is not None:
        y.add_(bias)
    if adapter is None:
        return y, None
    u = x @ adapter.a.to(x.dtype).t()
    return y.addmm_(u, adapter.b.to(x.dtype).t(), alpha=adapter.scale), u


def read_linear(module: Any, adapters: tuple[str, str], *, frozen: bool = True) -> AdaptedLinear:
    """Read a linear layer, plain or under PEFT's LoRA; its weight is the module's own storage.

    Args:
        module: a layer of the model.
        adapters: names of the policy's adapter and of the reference's, "" for none.
        frozen: refuse a weight that trains, as gradients by hand must.

    Raises:
        ModelRefused: naming what is not supported.
    """
    base = module.base_layer if hasattr(module, "base_layer") else module
    weight, bias = _matrix(base, frozen)
    if base is module:
        return AdaptedLinear(weight, bias)
    _check_adapter(module)
    policy, reference = (_low_rank(module, name) for name in adapters)
    return AdaptedLinear(weight, bias, policy, reference)


def _matrix(base: Any, frozen: bool) -> tuple[Tensor, Tensor | None]:
    """Return weight (outputs, inputs) and bias; GPT-2 stores the weight transposed."""
    transposed = type(base).__name__ == "Conv1D" and type(base).__module__ == "transformers.pytorch_utils"
    if type(base) is not nn.Linear and not transposed:
        raise ModelRefused(f"a projection is a {type(base).__name__}")
    trains = frozen and any(p.requires_grad for p in base.parameters(recurse=False))
    if trains or not base.weight.is_floating_point():
        raise ModelRefused(f"a projection is a {type(base).__name__} that trains or is quantised")
    return (base.weight.t() if transposed else base.weight), base.bias


def _check_adapter(module: Any) -> None:
    if type(module).__name__ != "Linear" or not hasattr(module, "lora_A") or getattr(module, "merged_adapters", None):
        raise ModelRefused(f"an adapter is a {type(module).__module__}.{type(module).__name__}, or merged")
    if any(v is not None for v in getattr(module, "lora_variant", {}).values()):
        raise ModelRefused("an adapter is a variant of LoRA")
    if any(getattr(module, "lora_bias", {}).values()):
        raise ModelRefused("an adapter has a bias")
    if any(getattr(drop, "p", 0.0) for drop in module.lora_dropout.values()):
        raise ModelRefused("an adapter has dropout")


def _low_rank(module: Any, name: str) -> LowRank | None:
    if not name or name not in module.lora_A:
        return None
    return LowRank(module.lora_A[name].weight, module.lora_B[name].weight, float(module.scaling[name]))
