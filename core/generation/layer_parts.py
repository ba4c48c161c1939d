"""The parts of a Llama-shaped decoder layer that hand-written passes in training and decoding share."""

from __future__ import annotations

import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return x / rms(x) * weight over the last axis, normalised in float32 or wider (arXiv 1910.07467)."""
    wide = x if x.dtype == torch.float64 else x.float()
    return (wide * inverse_rms(wide, eps)).to(x.dtype) * weight


def inverse_rms(x: Tensor, eps: float) -> Tensor:
    """Return 1 / rms(x) over the last axis, which is kept."""
    squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
    return squares.div_(x.shape[-1]).add_(eps).rsqrt_()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate each pair (x_i, x_{i + d/2}) of ``x`` (T, heads, d) by the token's angle (arXiv 2104.09864).

    With -sin it computes the backward pass.
    """
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    out = torch.empty_like(x)
    torch.mul(a, cos, out=out[..., :half]).addcmul_(b, sin, value=-1.0)
    torch.mul(b, cos, out=out[..., half:]).addcmul_(a, sin)
    return out
