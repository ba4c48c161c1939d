"""The scorer ``lean``: a Llama-shaped decoder on prefix-shared rows, with hand-written gradients of its adapters.

It gives the results of the general path at a lower cost on a CPU: frozen weights get no gradient, base and adapter are
one step, norms and activations are recomputed instead of kept, the attention skips masked keys, and float32 products
use the faster of the available kernels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from core.domain.errors import ModelRefused
from core.generation.fused_weights import FusedLayer, FusedModel, model_dtype, read_decoder
from core.generation.layer_parts import rms_norm
from core.generation.lm import PolicyAndReference
from core.generation.lm_head import HeadSpec
from core.generation.matmul_kernels import choose_kernel
from core.training.forward.fused_layer import (
    LayerCall,
    SavedTensors,
    backward_layer,
    forward_layer,
    rms_norm_backward,
)
from core.training.forward.prefix_layout import ForwardModel, PrefixRow, RowScorer, groups, pack
from core.training.forward.tiled_attention import plan_attention
from core.training.policy.adapters import POLICY, REFERENCE


class FusedLlamaScorer(RowScorer):
    """Scores pairs through hand-written Llama-shaped layers on the CPU.

    Args:
        model: policy and reference; LoRA on a frozen base.
        tile: rows of a logit tile; 0 chooses.
        checkpointing: keep only each layer's input and recompute the layer in the backward pass.
        longest: tokens of the longest pair, which must fit into the attention window.
        kernel: name of the matrix kernel to use where it exists; "" measures.

    Raises:
        ModelRefused: when the model is not of this shape in every detail.
    """

    name = "lean"

    def __init__(
        self,
        model: PolicyAndReference,
        *,
        tile: int = 0,
        checkpointing: bool = False,
        longest: int = 0,
        kernel: str = "",
    ) -> None:
        self._fused = read_model(model)
        if self._fused.window and longest >= self._fused.window:
            raise ModelRefused(f"pairs of {longest} tokens exceed its attention window of {self._fused.window}")
        self.tile = tile
        self.checkpointing = checkpointing
        dtype = model_dtype(self._fused)
        chosen = choose_kernel(dtype, wanted=kernel)
        self._linear = chosen.linear
        self._head = HeadSpec.from_model(model.model).with_linear(chosen.linear)
        self.kernel_id = f"lean-2/{dtype}/{chosen.name}/torch-{torch.__version__}"

    @contextmanager
    def forward_model(self, *, policy: bool) -> Iterator[ForwardModel]:
        """Yield the policy or the reference; the model itself is not switched."""
        yield ForwardModel(partial(self._hidden, policy=policy), self._head)

    def _hidden(self, rows: Sequence[PrefixRow], *, policy: bool) -> Tensor:
        again = policy and self.recomputes(rows)
        states = [self._run(group, policy, again) for group in groups([row for row in rows if row.targets], 0)]
        return torch.cat(states) if states else self._fused.norm.new_zeros(0, self._fused.norm.shape[0])

    def _run(self, rows: Sequence[PrefixRow], policy: bool, again: bool) -> Tensor:
        """Return the final states of the rows' targets."""
        fused = self._fused
        packed = pack(rows)
        call = self._call(fused, rows, packed.positions, policy)
        # autograd records one node a layer and nothing inside it
        wants_grad = policy and torch.is_grad_enabled()
        h = fused.embedding.detach()[packed.ids]
        for number, layer in enumerate(fused.layers):
            last = number == len(fused.layers) - 1
            this = replace(call, keep=packed.gather) if last else call
            if wants_grad:
                h = _Layer.apply(h, layer, this, again, *layer.parameters())
            else:
                h = forward_layer(h, layer, this)[0]
        return _Norm.apply(h, fused.norm, fused.eps)

    def _call(self, fused: FusedModel, rows: Sequence[PrefixRow], positions: Tensor, policy: bool) -> LayerCall:
        cos, sin = fused.rotary(fused.embedding, positions[None])
        half = fused.head_dim // 2
        return LayerCall(
            plan=plan_attention(rows, model_dtype(fused)),
            cos=cos[0, :, None, :half],
            sin=sin[0, :, None, :half],
            scaling=fused.scaling,
            eps=fused.eps,
            linear=self._linear,
            policy=policy,
        )


def read_model(model: PolicyAndReference) -> FusedModel:
    """Read policy and reference.

    Raises:
        ModelRefused: naming what this forward pass does not support.
    """
    kind = getattr(model, "reference_kind", "adapter_off")
    if kind == "frozen_copy" or not hasattr(model.model, "peft_config"):
        raise ModelRefused("every weight trains, and only adapters have hand-written gradients")
    fused = read_decoder(model.model, (POLICY, REFERENCE if kind == "reference_adapter" else ""))
    _check_trainable(model.model, fused)
    return fused


def _check_trainable(model: nn.Module, fused: FusedModel) -> None:
    """Refuse a model with a trainable tensor that gets no gradient in the hand-written backward pass."""
    known = {id(p) for layer in fused.layers for p in layer.parameters()}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and id(parameter) not in known:
            raise ModelRefused(f"{name} trains")


class _Layer(torch.autograd.Function):
    """One decoder layer under autograd; its adapters are inputs so that they receive their gradients."""

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, layer: FusedLayer, call: LayerCall, checkpointing: bool, *_adapters: Tensor
    ) -> Tensor:
        """Run the layer and keep the tensors of the backward pass, or only the input when checkpointing."""
        out, saved = forward_layer(h, layer, call)
        ctx.save_for_backward(*([h] if checkpointing else saved.tensors()))
        ctx.layer, ctx.call, ctx.checkpointing = layer, call, checkpointing
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] (the decorator hides the names)
        """Return gradients by the input and the adapters."""
        (grad,) = grad_outputs
        kept = ctx.saved_tensors
        saved = forward_layer(kept[0], ctx.layer, ctx.call)[1] if ctx.checkpointing else SavedTensors.of(kept)
        dh, grads = backward_layer(grad, saved, ctx.layer, ctx.call, input_grad=ctx.needs_input_grad[0])
        return dh, None, None, None, *grads


class _Norm(torch.autograd.Function):
    """The last norm; its weight is frozen."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, weight: Tensor, eps: float) -> Tensor:
        """Return the normed rows."""
        ctx.save_for_backward(h, weight)
        ctx.eps = eps
        return rms_norm(h, weight, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] (the decorator hides the names)
        """Return the gradient by the rows."""
        (grad,) = grad_outputs
        h, weight = ctx.saved_tensors
        return rms_norm_backward(grad, h, weight, ctx.eps), None, None
