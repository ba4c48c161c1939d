"""Weights of a Llama-shaped model in the form that decodes fastest; made for one call and released after it.

Layers that read the same rows (queries, keys and values; gate and up) become one product. On a CPU with oneDNN the
weights are copied once into the layout of its kernels, which makes products of few rows up to twice as fast. An adapter
is merged into the copy, or, where policy and reference decode together and for 16-bit weights, applied to its rows in
the same step: y = W x + b + s B A x. Where the copies would take too much memory, the model's own weights are used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from core.generation.fused_weights import FusedLayer, FusedModel
from core.generation.lm_head import Linear
from core.generation.low_rank import AdaptedLinear, LowRank
from core.generation.matmul_kernels import onednn_kernel

COPY_BYTES = 2 << 30
"""Most bytes of copied weights."""
COPY_SHARE = 0.5
"""Most of the memory that is free now which the copies may take."""
_MERGED = (torch.float32, torch.float64)
"""Types whose rounding a merged adapter survives."""


@dataclass(frozen=True, slots=True)
class Products:
    """How products with working weights are computed: ``linear`` takes what ``pack`` returns."""

    linear: Linear
    pack: Callable[[Tensor], Tensor]
    copies: bool

    @property
    def packs(self) -> bool:
        """Whether weights are copied into the layout of a faster kernel."""
        return self.copies and self.pack is not _as_it_is


@dataclass(frozen=True, slots=True)
class Projection:
    """Linear layers that read the same rows, as one step.

    Attributes:
        weights: as the kernel takes them; several only where they are the model's own.
        linear: the kernel.
        bias: (outputs,) or None.
        adapters: by group of rows, (A^T, s B^T) of shapes (inputs, rank) and (rank, outputs); None where there is none.
    """

    weights: tuple[Any, ...]
    linear: Linear
    bias: Tensor | None
    adapters: tuple[tuple[Tensor, Tensor] | None, ...]

    def __call__(self, x: Tensor, parts: Sequence[slice]) -> Tensor:
        """Return (rows, outputs) for ``x`` (rows, inputs), of which ``parts`` are those of each group."""
        found = [self.linear(x, weight) for weight in self.weights]
        y = found[0] if len(found) == 1 else torch.cat(found, dim=1)
        if self.bias is not None:
            y += self.bias
        for adapter, part in zip(self.adapters, parts, strict=False):
            if adapter is not None:
                y[part].addmm_(x[part] @ adapter[0], adapter[1])
        return y


@dataclass(frozen=True, slots=True)
class WorkingLayer:
    """A decoder layer as four products; ``q_norm`` and ``k_norm`` are None where heads are not normed."""

    norm_in: Tensor
    qkv: Projection
    q_norm: Tensor | None
    k_norm: Tensor | None
    o: Projection
    norm_mid: Tensor
    gate_up: Projection
    down: Projection


@dataclass(frozen=True, slots=True)
class WorkingModel:
    """A decoder ready for one call: layers, head, and the tensors and sizes of the model that it was made of."""

    read: FusedModel
    layers: tuple[WorkingLayer, ...]
    head: Projection


def working_model(read: FusedModel, head: Tensor, groups: int) -> WorkingModel:
    """Make the working weights.

    Args:
        read: the model; its policy is group 0, its reference group 1.
        head: (vocabulary, width) of the output head.
        groups: 1 for the policy alone, 2 for both.
    """
    products = products_for([*(linear.weight for layer in read.layers for linear in layer.linears), head])
    layers = tuple(_layer(layer, groups, products) for layer in read.layers)
    return WorkingModel(read, layers, fused([AdaptedLinear(head.detach(), None)], groups, products))


def _layer(layer: FusedLayer, groups: int, products: Products) -> WorkingLayer:
    return WorkingLayer(
        norm_in=layer.norm_in.detach(),
        qkv=fused([layer.q, layer.k, layer.v], groups, products),
        q_norm=layer.q_norm,
        k_norm=layer.k_norm,
        o=fused([layer.o], groups, products),
        norm_mid=layer.norm_mid.detach(),
        gate_up=fused([layer.gate, layer.up], groups, products),
        down=fused([layer.down], groups, products),
    )


@torch.no_grad()
def fused(linears: Sequence[AdaptedLinear], groups: int, products: Products) -> Projection:
    """Return layers that read the same rows as one step, for one group of rows or two."""
    dtype = linears[0].weight.dtype
    outputs = [len(linear.weight) for linear in linears]
    merge = groups == 1 and products.copies and dtype in _MERGED
    weights = [_merged(linear) if merge else linear.weight.detach() for linear in linears]
    if products.copies:
        weights = [products.pack(torch.cat(weights) if len(weights) > 1 else weights[0])]
    bias = None
    if any(linear.bias is not None for linear in linears):
        parts = [
            weight.new_zeros(n) if linear.bias is None else linear.bias.detach()
            for linear, n, weight in zip(linears, outputs, (linear.weight for linear in linears), strict=True)
        ]
        bias = torch.cat(parts)
    adapters = [
        _stacked([linear.adapter(group == 0) for linear in linears], outputs, dtype)
        for group in range(0 if merge else groups)
    ]
    return Projection(tuple(weights), products.linear, bias, tuple(adapters))


def _merged(linear: AdaptedLinear) -> Tensor:
    weight, low = linear.weight.detach(), linear.policy
    if low is None:
        return weight
    return torch.addmm(weight, low.b.to(weight.dtype), low.a.to(weight.dtype), alpha=low.scale)


def _stacked(
    lows: Sequence[LowRank | None], outputs: Sequence[int], dtype: torch.dtype
) -> tuple[Tensor, Tensor] | None:
    """Return the adapters of several layers as one: all A below each other, each B in its own columns."""
    present = [low for low in lows if low is not None]
    if not present:
        return None
    a = torch.cat([low.a.detach() for low in present]).to(dtype).t().contiguous()
    b = a.new_zeros(a.shape[1], sum(outputs))
    row = column = 0
    for low, count in zip(lows, outputs, strict=True):
        if low is not None:
            rank = len(low.a)
            b[row : row + rank, column : column + count] = (low.b.detach() * low.scale).t()
            row += rank
        column += count
    return a, b


def products_for(weights: Sequence[Tensor]) -> Products:
    """Choose kernel and layout for ``weights`` by their type and device and by the memory that is free."""
    if not weights:
        return Products(F.linear, _as_it_is, False)
    size = sum(weight.nbytes for weight in {weight.data_ptr(): weight for weight in weights}.values())
    copies = size <= min(COPY_BYTES, COPY_SHARE * psutil.virtual_memory().available)
    plain = all(weight.dtype == torch.float32 and weight.device.type == "cpu" for weight in weights)
    packed = packed_products() if plain else None
    if packed is None:
        return Products(F.linear, _as_it_is, copies)
    return packed if copies else Products(packed.linear, _as_it_is, False)


def _as_it_is(weight: Tensor) -> Tensor:
    return weight


@cache
def packed_products() -> Products | None:
    """Return oneDNN's products of weights in its own layout; None where this build of torch has none that agree."""
    kernel = onednn_kernel()
    if kernel is None:
        return None
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(n, 64, generator=generator) for n in (33, 48))
    try:
        reorder: Any = torch.ops.mkldnn._reorder_linear_weight  # noqa: SLF001 (torch has no public name for it)

        def pack(weight: Tensor) -> Tensor:
            return reorder(weight.detach().contiguous(), None)

        for rows in (33, 7, 1):
            expected = x[:rows].double() @ weight.double().t()
            if not torch.allclose(kernel.linear(x[:rows], pack(weight)).double(), expected, rtol=1e-5, atol=1e-4):
                return None
    except (AttributeError, RuntimeError, TypeError):
        return None
    return Products(kernel.linear, pack, True)
