"""Read a Llama-shaped model, base and adapters, into plain tensors, for hand-written passes in training and decoding.

Nothing is copied: weights are the model's own storage and adapters its own parameters, so that training, checkpoints,
export, sampling and the padded rows all use the same numbers. A model that differs in any detail (another activation,
an adapter variant) is refused with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.errors import ModelRefused
from core.generation.context import base_of
from core.generation.lm_head import HeadSpec
from core.generation.low_rank import AdaptedLinear, read_linear
from core.generation.windows import attention_windows

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
_ROPE = ("default", "linear", "llama3", "yarn")
"""Rotary scalings whose frequencies do not depend on the length of the row."""


@dataclass(frozen=True, slots=True)
class FusedLayer:
    """The tensors of one decoder layer; ``q_norm`` and ``k_norm`` are None where heads are not normed."""

    norm_in: Tensor
    q: AdaptedLinear
    k: AdaptedLinear
    v: AdaptedLinear
    o: AdaptedLinear
    norm_mid: Tensor
    gate: AdaptedLinear
    up: AdaptedLinear
    down: AdaptedLinear
    q_norm: Tensor | None
    k_norm: Tensor | None

    @property
    def linears(self) -> tuple[AdaptedLinear, ...]:
        """The linear layers in the order of the gradients."""
        return self.q, self.k, self.v, self.o, self.gate, self.up, self.down

    def parameters(self) -> list[nn.Parameter]:
        """Return the policy's trainable tensors: A and B of each adapted linear layer in order."""
        return [tensor for linear in self.linears if linear.policy for tensor in (linear.policy.a, linear.policy.b)]


@dataclass(frozen=True, slots=True)
class FusedModel:
    """A Llama-shaped decoder.

    Attributes:
        embedding: (vocabulary, width). norm: (width,) of the last norm.
        eps: of every norm. heads, kv_heads, head_dim: shape of the attention. scaling: factor on its scores.
        rotary: the model's own module that computes cosines and sines from positions.
        window: attention window in positions, 0 unlimited.
    """

    embedding: Tensor
    layers: tuple[FusedLayer, ...]
    norm: Tensor
    eps: float
    heads: int
    kv_heads: int
    head_dim: int
    scaling: float
    rotary: Any
    window: int


def read_decoder(model: Any, adapters: tuple[str, str], *, frozen: bool = True) -> FusedModel:
    """Read a transformers or PEFT causal LM.

    Args:
        model: the model.
        adapters: names of the policy's adapter and of the reference's, "" for none.
        frozen: refuse weights that train.

    Raises:
        ModelRefused: naming what a hand-written pass does not support.
    """
    base = base_of(model)
    _check_family(base, frozen)
    config, decoder = base.config, base.get_decoder()
    if type(decoder.embed_tokens) is not nn.Embedding:
        raise ModelRefused("the embedding is adapted")
    attention = decoder.layers[0].self_attn
    return FusedModel(
        embedding=decoder.embed_tokens.weight,
        layers=tuple(_read_layer(layer, adapters, frozen) for layer in decoder.layers),
        norm=decoder.norm.weight,
        eps=float(config.rms_norm_eps),
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_dim=attention.head_dim,
        scaling=float(attention.scaling),
        rotary=decoder.rotary_emb,
        window=max(attention_windows(config).values()),
    )


def _check_family(base: Any, frozen: bool) -> None:
    config = base.config
    if config.model_type not in FAMILIES:
        raise ModelRefused(f"{config.model_type} is not one of {', '.join(FAMILIES)}")
    if config.hidden_act not in ("silu", "swish"):
        raise ModelRefused(f"the activation is {config.hidden_act}")
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    if rope not in _ROPE:
        raise ModelRefused(f"rotary scaling is {rope}")
    weight = base.get_input_embeddings().weight
    if weight.device.type != "cpu":
        raise ModelRefused("it is written for the CPU")
    head = HeadSpec.from_model(base)
    if head.module is not None or head.bias is not None or head.softcap or head.scale != 1.0:
        raise ModelRefused("the output head is not a plain matrix")
    if frozen and head.trainable:
        raise ModelRefused("the output head trains")


def _read_layer(layer: nn.Module, adapters: tuple[str, str], frozen: bool) -> FusedLayer:
    attention: Any = layer.self_attn
    mlp: Any = layer.mlp
    rest: Any = layer

    def linear(module: nn.Module) -> AdaptedLinear:
        return read_linear(module, adapters, frozen=frozen)

    return FusedLayer(
        norm_in=rest.input_layernorm.weight,
        q=linear(attention.q_proj),
        k=linear(attention.k_proj),
        v=linear(attention.v_proj),
        o=linear(attention.o_proj),
        norm_mid=rest.post_attention_layernorm.weight,
        gate=linear(mlp.gate_proj),
        up=linear(mlp.up_proj),
        down=linear(mlp.down_proj),
        q_norm=getattr(getattr(attention, "q_norm", None), "weight", None),
        k_norm=getattr(getattr(attention, "k_norm", None), "weight", None),
    )


def model_dtype(fused: FusedModel) -> torch.dtype:
    """Return the dtype of weights and activations."""
    return fused.embedding.dtype
