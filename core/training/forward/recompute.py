"""Recompute decoder layers in the backward pass instead of keeping their activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint


def recomputable_layers(decoder: nn.Module) -> list[Any]:
    """Return the layers of ``decoder`` that can be recomputed; none where the family does not provide for it."""
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers.modeling_layers import GradientCheckpointingLayer

    return [module for module in decoder.modules() if isinstance(module, GradientCheckpointingLayer)]


@contextmanager
def layer_checkpointing(
    decoder: nn.Module, active: bool, within: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Iterator[None]:
    """Recompute each decoder layer in the backward pass, within the context.

    The layer is recomputed inside ``within()``. transformers checkpoints a layer only while its ``training`` flag
    is set. The flag is set on the layer object alone; its children, dropout included, stay in evaluation mode.
    """
    if not active:
        yield
        return
    layers = recomputable_layers(decoder)
    before = [(layer.training, layer.gradient_checkpointing) for layer in layers]
    again = partial(
        checkpoint, use_reentrant=False, preserve_rng_state=False, context_fn=lambda: (nullcontext(), within())
    )
    try:
        for layer in layers:
            layer.training, layer.gradient_checkpointing = True, True
            layer._gradient_checkpointing_func = again  # noqa: SLF001 (the only place that takes context_fn)
        yield
    finally:
        for layer, (training, checkpointing) in zip(layers, before, strict=True):
            layer.training, layer.gradient_checkpointing = training, checkpointing
