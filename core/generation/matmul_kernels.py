"""Choose the kernel for float32 matrix products on this CPU by a short measurement.

torch computes float32 products with MKL, which is slow on some AMD processors; oneDNN, which torch also contains, is
not (1.3 times faster on Zen 4, over 2 times on Zen 5, equal on Intel). It is called through a private operator, so it
is used only where the operator exists, agrees with MKL, and is clearly faster.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.generation.footprint import limit_primitive_caches
from core.generation.lm_head import Linear

TORCH, ONEDNN = "torch", "onednn"
CLEARLY_FASTER = 1.1
"""Ratio from which oneDNN is used; well above the noise of the measurement, so that runs choose alike."""
_SHAPE = (256, 1024, 1024)
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class LinearKernel:
    """A way to compute ``x @ weight.T``.

    Attributes:
        name: "torch" or "onednn"; part of a scorer's kernel id.
        linear: x (rows, in), weight (out, in) of any strides to (rows, out).
    """

    name: str
    linear: Linear


def choose_kernel(dtype: torch.dtype, *, wanted: str = "") -> LinearKernel:
    """Return the kernel for CPU products in ``dtype``.

    Args:
        dtype: of weights and activations.
        wanted: name of the kernel to use where it exists, to repeat the arithmetic of an earlier run; "" measures.
    """
    plain = LinearKernel(TORCH, F.linear)
    if dtype != torch.float32 or wanted == TORCH:
        return plain
    candidate = onednn_kernel()
    if candidate is None or not agrees(candidate):
        return plain
    if wanted == ONEDNN or is_clearly_faster():
        return candidate
    return plain


def kernel_in(kernel_id: str) -> str:
    """Return the name of the kernel in a scorer's kernel id, or "" where it has none."""
    return next((name for name in (ONEDNN, TORCH) if f"/{name}/" in kernel_id), "")


def onednn_kernel() -> LinearKernel | None:
    """Return oneDNN's kernel, or None where this build of torch has no such operator."""
    limit_primitive_caches()
    try:
        operator: Any = torch.ops.mkldnn._linear_pointwise  # noqa: SLF001 (torch has no public name for it)
        operator(torch.ones(2, 2), torch.ones(2, 2), None, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return None

    def linear(x: Tensor, weight: Tensor) -> Tensor:
        return operator(x, weight, None, "none", [], "")

    return LinearKernel(ONEDNN, linear)


@torch.no_grad()
def agrees(kernel: LinearKernel) -> bool:
    """Return whether a kernel agrees with float64 up to float32 rounding, for plain, transposed and sliced weights."""
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(n, 64, generator=generator) for n in (33, 48))
    cases = ((x, weight), (x, weight.t().contiguous().t()), (x[:, :32], weight[:, 16:48]), (x[:1], weight))
    for rows, matrix in cases:
        expected = rows.double() @ matrix.double().t()
        if not torch.allclose(kernel.linear(rows, matrix).double(), expected, rtol=1e-5, atol=1e-4):
            return False
    return True


@cache
def is_clearly_faster() -> bool:
    """Return whether oneDNN is clearly faster here; measured once a process, so that all its scorers compute alike."""
    kernel = onednn_kernel()
    return kernel is not None and speed_ratio(kernel) >= CLEARLY_FASTER


@torch.no_grad()
def speed_ratio(kernel: LinearKernel) -> float:
    """Return how many times faster than torch's own product a kernel is (about 100 ms).

    The two alternate and the best round of each counts, in CPU time, so that other work slows both alike.
    """
    rows, width, out = _SHAPE
    x, weight = torch.ones(rows, width), torch.ones(out, width)
    best = {TORCH: float("inf"), kernel.name: float("inf")}
    for _ in range(_ROUNDS):
        for name, linear in ((TORCH, F.linear), (kernel.name, kernel.linear)):
            start = time.thread_time_ns()
            linear(x, weight)
            best[name] = min(best[name], time.thread_time_ns() - start)
    return best[TORCH] / max(best[kernel.name], 1)
