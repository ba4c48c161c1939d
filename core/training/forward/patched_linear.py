"""Replaces the ``forward`` of a decoder's linear layers by a faster one while a scorer computes.

A layer under a plain LoRA computes base and adapter as one autograd step (:mod:`core.training.forward.lora_linear`); a
frozen layer without adapter computes its product alone. Both use the CPU's faster matrix kernel. Layers of any other
kind keep their ``forward``. It is replaced only within a context; PEFT still decides which adapter is active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from core.domain.errors import ModelRefused
from core.generation.lm_head import Linear
from core.generation.low_rank import LowRank, linear_forward, read_linear
from core.training.forward.lora_linear import linear_backward


class PatchedLayers:
    """The layers of a decoder whose ``forward`` can be replaced.

    Args:
        decoder: without the output head.
        linear: the matrix kernel.
    """

    def __init__(self, decoder: nn.Module, linear: Linear) -> None:
        self._forwards: list[tuple[nn.Module, Callable[..., Tensor]]] = []
        self._on = False
        inner: set[int] = set()
        for module in decoder.modules():  # a layer under LoRA comes before the base layer inside it
            if id(module) in inner:
                continue
            forward = _patched_forward(module, linear)
            if forward is not None:
                self._forwards.append((module, forward))
                inner.update(id(child) for child in module.modules())

    def __len__(self) -> int:
        return len(self._forwards)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Replace the layers' ``forward`` within the context."""
        if self._on:
            yield
            return
        self._on = True
        try:
            for module, forward in self._forwards:
                module.forward = forward
            yield
        finally:
            for module, _ in self._forwards:
                module.__dict__.pop("forward", None)
            self._on = False


def _patched_forward(module: Any, linear: Linear) -> Callable[..., Tensor] | None:
    """Return the faster forward of a layer, or None where its kind is not supported."""
    if not hasattr(module, "base_layer") and type(module).__name__ not in ("Linear", "Conv1D"):
        return None
    if "forward" in module.__dict__ or module._forward_hooks or module._forward_pre_hooks:  # noqa: SLF001 (no public list)
        return None
    try:
        names = list(getattr(module, "lora_A", {}))
        read = {name: read_linear(module, (name, "")) for name in names} or {"": read_linear(module, ("", ""))}
    except ModelRefused:
        return None
    plain = next(iter(read.values()))
    adapters = {name: layer.policy for name, layer in read.items() if layer.policy is not None}

    def forward(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        active = [] if not adapters or module.disable_adapters else [n for n in module.active_adapters if n in adapters]
        if args or kwargs or len(active) > 1 or getattr(module, "merged", False):
            return type(module).forward(module, x, *args, **kwargs)
        adapter = adapters[active[0]] if active else None
        tensors = (adapter.a, adapter.b) if adapter else ()
        return _Step.apply(x, plain.weight, plain.bias, adapter, linear, *tensors)

    return forward


class _Step(Function):
    """One layer under autograd; the adapter's tensors are inputs so that they receive their gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        adapter: LowRank | None,
        linear: Linear,
        *_adapter: Tensor,
    ) -> Tensor:
        """Return the layer's output for ``x`` (..., inputs)."""
        y, u = linear_forward(x.reshape(-1, x.shape[-1]), weight, bias, adapter, linear)
        if adapter is not None:
            ctx.save_for_backward(x, u)
        ctx.weight, ctx.adapter, ctx.linear = weight, adapter, linear
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] (the decorator hides the names)
        """Return gradients by the input and the adapter."""
        (grad,) = grad_outputs
        rows = grad.reshape(-1, grad.shape[-1])
        x, u = ctx.saved_tensors if ctx.adapter is not None else (None, None)
        flat = rows if x is None else x.reshape(-1, x.shape[-1])
        dx, grads = linear_backward(
            rows, flat, u, ctx.weight, ctx.adapter, ctx.linear, input_grad=ctx.needs_input_grad[0]
        )
        shaped = None if dx is None else dx.view(*grad.shape[:-1], -1)
        return shaped, None, None, None, None, *grads
