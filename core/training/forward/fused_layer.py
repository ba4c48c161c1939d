"""One Llama-shaped decoder layer, forward and backward by hand, as plain functions of tensors.

The backward pass keeps what is expensive to compute (queries, keys, values, the attention's output, gate and up
products) and recomputes the rest (norms, the activation). Frozen weights get no gradient; base and adapter of a linear
layer are one step. In the last layer only the rows that are used later pass beyond the attention.

Shapes: T tokens, K kept rows (K = T except in the last layer), H width, d head dimension, r rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from core.generation.fused_weights import FusedLayer
from core.generation.layer_parts import inverse_rms, rms_norm, rotate
from core.generation.lm_head import Linear
from core.generation.low_rank import AdaptedLinear, linear_forward
from core.training.forward.lora_linear import linear_backward
from core.training.forward.tiled_attention import AttentionPlan, attend, attend_backward


@dataclass(frozen=True, slots=True)
class LayerCall:
    """The arguments of a layer besides its weights.

    Attributes:
        plan: the attention's tiles.
        cos, sin: (T, 1, d / 2) of the rotary embedding. scaling: of the attention's scores. eps: of the norms.
        linear: the matrix kernel.
        policy: True for the policy's adapters, False for the reference's.
        keep: (K,) rows that pass beyond the attention; None keeps all.
    """

    plan: AttentionPlan
    cos: Tensor
    sin: Tensor
    scaling: float
    eps: float
    linear: Linear
    policy: bool
    keep: Tensor | None = None


@dataclass(slots=True)
class SavedTensors:
    """The tensors that the backward pass of a layer reads.

    Attributes:
        h: (T, H) input. q, k, v: (T, heads, d), rotated and q scaled. raw_q, raw_k: before the head norms, if any.
        o: (K, h d) output of the attention. mid: (K, H) between attention and feed-forward. gate, up: (K, F).
        low: x A^T of each adapted linear layer, in order.
    """

    h: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    raw_q: Tensor | None
    raw_k: Tensor | None
    o: Tensor
    mid: Tensor
    gate: Tensor
    up: Tensor
    low: tuple[Tensor | None, ...]

    def tensors(self) -> list[Tensor | None]:
        """Return all tensors in one list, for autograd to keep."""
        plain = [self.h, self.q, self.k, self.v, self.raw_q, self.raw_k, self.o, self.mid, self.gate, self.up]
        return [*plain, *self.low]

    @classmethod
    def of(cls, tensors: tuple[Tensor, ...]) -> SavedTensors:
        """Return the instance that :meth:`tensors` was called on."""
        return cls(*tensors[:10], low=tuple(tensors[10:]))


def forward_layer(h: Tensor, layer: FusedLayer, call: LayerCall) -> tuple[Tensor, SavedTensors]:
    """Return the layer's output (K, H) for its input (T, H), and the tensors that the backward pass needs."""
    x = rms_norm(h, layer.norm_in, call.eps)
    (q, low_q), (k, low_k), (v, low_v) = (_linear_forward(x, linear, call) for linear in (layer.q, layer.k, layer.v))
    q, k, v = (_by_head(t, call) for t in (q, k, v))
    raw_q, raw_k = (q, k) if layer.q_norm is not None else (None, None)
    q = rotate(_head_norm(q, layer.q_norm, call), call.cos * call.scaling, call.sin * call.scaling)
    k = rotate(_head_norm(k, layer.k_norm, call), call.cos, call.sin)
    o = attend(q, k, v, call.plan)
    o = o.view(len(o), -1)
    rest = h
    if call.keep is not None:
        o, rest = o.index_select(0, call.keep), h.index_select(0, call.keep)
    mid, low_o = _linear_forward(o, layer.o, call)
    mid.add_(rest)
    x = rms_norm(mid, layer.norm_mid, call.eps)
    (gate, low_gate), (up, low_up) = (_linear_forward(x, linear, call) for linear in (layer.gate, layer.up))
    out, low_down = _linear_forward(F.silu(gate).mul_(up), layer.down, call)
    out.add_(mid)
    low = (low_q, low_k, low_v, low_o, low_gate, low_up, low_down)
    return out, SavedTensors(h, q, k, v, raw_q, raw_k, o, mid, gate, up, low)


def backward_layer(
    grad: Tensor, saved: SavedTensors, layer: FusedLayer, call: LayerCall, *, input_grad: bool = True
) -> tuple[Tensor | None, list[Tensor]]:
    """Return the gradient by the layer's input (None without ``input_grad``) and by its adapters.

    The adapters' gradients are in the order of :meth:`FusedLayer.parameters`.
    """
    low = saved.low
    s = F.silu(saved.gate)
    d_act, g_down = _linear_backward(grad, s * saved.up, low[6], layer.down, call)
    d_up = s.mul_(d_act)
    d_gate = torch.ops.aten.silu_backward(d_act.mul_(saved.up), saved.gate)
    x = rms_norm(saved.mid, layer.norm_mid, call.eps)
    dx, g_gate = _linear_backward(d_gate, x, low[4], layer.gate, call)
    other, g_up = _linear_backward(d_up, x, low[5], layer.up, call)
    d_mid = rms_norm_backward(dx.add_(other), saved.mid, layer.norm_mid, call.eps).add_(grad)

    d_o, g_o = _linear_backward(d_mid, saved.o, low[3], layer.o, call)
    d_rest = d_mid
    if call.keep is not None:
        d_o, d_rest = (_spread(t, call.keep, len(saved.h)) for t in (d_o, d_mid))
    dq, dk, dv = attend_backward(d_o.view_as(saved.q), saved.q, saved.k, saved.v, call.plan)
    dq = rotate(dq, call.cos * call.scaling, -call.sin * call.scaling)
    dk = rotate(dk, call.cos, -call.sin)
    dq = _head_norm_backward(dq, saved.raw_q, layer.q_norm, call)
    dk = _head_norm_backward(dk, saved.raw_k, layer.k_norm, call)
    x = rms_norm(saved.h, layer.norm_in, call.eps)
    parts, g_qkv = [], []
    for d, linear, u in zip((dq, dk, dv), (layer.q, layer.k, layer.v), low, strict=False):
        part, grads = _linear_backward(d.view(len(d), -1), x, u, linear, call, input_grad=input_grad)
        parts.append(part)
        g_qkv += grads
    grads = [*g_qkv, *g_o, *g_gate, *g_up, *g_down]
    if not input_grad:
        return None, grads
    dx = parts[0].add_(parts[1]).add_(parts[2])
    return rms_norm_backward(dx, saved.h, layer.norm_in, call.eps).add_(d_rest), grads


def rms_norm_backward(grad: Tensor, x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return the gradient by the norm's input: r g - x r^3 mean(g x) with g = grad * weight and r = 1 / rms."""
    wide = x if x.dtype == torch.float64 else x.float()
    r = inverse_rms(wide, eps)
    g = (grad * weight).to(wide.dtype)
    mean = (g * wide).mean(-1, keepdim=True)
    return g.mul_(r).addcmul_(wide, mean.mul_(r * r * r), value=-1.0).to(x.dtype)


def _by_head(x: Tensor, call: LayerCall) -> Tensor:
    return x.view(len(x), -1, 2 * call.cos.shape[-1])


def _head_norm(x: Tensor, weight: Tensor | None, call: LayerCall) -> Tensor:
    return x if weight is None else rms_norm(x, weight, call.eps)


def _head_norm_backward(grad: Tensor, x: Tensor | None, weight: Tensor | None, call: LayerCall) -> Tensor:
    return grad if x is None or weight is None else rms_norm_backward(grad, x, weight, call.eps)


def _spread(x: Tensor, rows: Tensor, total: int) -> Tensor:
    """Return ``total`` rows with the rows of ``x`` added at ``rows``; a row that was read twice gets both gradients."""
    return x.new_zeros(total, x.shape[1]).index_add_(0, rows, x)


def _linear_forward(x: Tensor, layer: AdaptedLinear, call: LayerCall) -> tuple[Tensor, Tensor | None]:
    return linear_forward(x, layer.weight, layer.bias, layer.adapter(call.policy), call.linear)


def _linear_backward(
    grad: Tensor, x: Tensor, u: Tensor | None, layer: AdaptedLinear, call: LayerCall, *, input_grad: bool = True
) -> tuple[Any, list[Tensor]]:
    adapter = layer.adapter(call.policy)
    return linear_backward(grad, x, u, layer.weight, adapter, call.linear, input_grad=input_grad)
