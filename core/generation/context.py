"""How long a row a causal LM can read, read from what its modules hold and not from what its config promises.

Two things bind the length of a row. A model with a table of positions (learned embeddings, precomputed angles, a stored
causal mask) cannot read a row beyond the table. A model with a length-dependent rope (``dynamic``, ``longrope``) reads
it, but turns the positions of a whole call by frequencies that follow from the longest row of the call, and ``dynamic``
also from the calls before; such rows are computed one by one, after :func:`forget_lengths`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

_TABLES = ("wpe", "positions_embed", "embed_positions", "position_embeddings", "position_embedding", "pos_embed")
"""Names of modules and buffers that hold one row for every position."""
_BY_CONFIG = {"mpt": ("max_seq_len",)}
"""Families that build a table of this size in every call and keep none."""
_LENGTH_DEPENDENT = ("dynamic", "longrope")


def base_of(model: Any) -> Any:
    """Return the transformers model inside a PEFT model, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def position_limit(model: Any) -> int:
    """Return the most tokens of a row that the model can read; 0 where it has no table of positions."""
    base = base_of(model)
    sizes = [*_table_sizes(base), *(min(mask.shape[-2:]) for mask in stored_masks(base))]
    config = _text_config(base)
    sizes += [getattr(config, name) for name in _BY_CONFIG.get(getattr(config, "model_type", ""), ())]
    return min(sizes, default=0)


def _table_sizes(base: Any) -> Iterator[int]:
    for name, module in base.named_modules():
        if name.rsplit(".", 1)[-1] in _TABLES and isinstance(module, nn.Embedding):
            yield module.num_embeddings - int(getattr(module, "offset", 0))  # OPT's first rows stand for no position
    for name, buffer in base.named_buffers():
        if name.rsplit(".", 1)[-1] in _TABLES and buffer.ndim == 2:
            yield buffer.shape[0]


def stored_masks(model: Any) -> list[Tensor]:
    """Return the attention masks that the model keeps as buffers, (..., positions, positions), True where it looks."""
    return [
        buffer
        for buffer in base_of(model).buffers()
        if buffer.dtype in (torch.bool, torch.uint8) and buffer.ndim >= 2 and 1 < buffer.shape[-1] == buffer.shape[-2]
    ]


def mask_window(mask: Tensor) -> int:
    """Return how many tokens back the last row of a stored mask looks, itself included; 0 when it looks at all."""
    last = mask.reshape(-1, *mask.shape[-2:])[0, -1].bool()
    seen = int(last.sum())
    return 0 if seen == len(last) else seen


def frequency_limit(model: Any) -> int:
    """Return the length beyond which the model's rope depends on the length of a row; 0 where it never does."""
    return min((limit for rope in _ropes(model) for limit in _limits(rope)), default=0)


def forget_lengths(model: Any) -> None:
    """Put the frequencies of a ``dynamic`` rope back to those of a model that has read nothing."""
    for rope in _ropes(model):
        for prefix in _prefixes(rope):
            original = getattr(rope, f"{prefix}original_inv_freq", None)
            current = getattr(rope, f"{prefix}inv_freq", None)
            if original is not None and current is not None:
                rope.register_buffer(f"{prefix}inv_freq", original.to(current.device).clone(), persistent=False)
            if hasattr(rope, f"{prefix}max_seq_len_cached"):
                setattr(rope, f"{prefix}max_seq_len_cached", rope.original_max_seq_len)


def _ropes(model: Any) -> Iterator[Any]:
    """Yield the rotary modules whose frequencies depend on the length of a row."""
    for module in base_of(model).modules():
        kinds = getattr(module, "rope_type", None)
        named: Iterable[Any] = kinds.values() if isinstance(kinds, dict) else [kinds]
        if any(word in str(kind) for kind in named for word in _LENGTH_DEPENDENT):
            yield module


def _prefixes(rope: Any) -> list[str]:
    return [f"{kind}_" for kind in rope.rope_type] if isinstance(rope.rope_type, dict) else [""]


def _limits(rope: Any) -> Iterator[int]:
    parameters = getattr(rope.config, "rope_parameters", None) or {}
    kinds = rope.rope_type if isinstance(rope.rope_type, dict) else {"": rope.rope_type}
    for layer, kind in kinds.items():
        of_layer = parameters.get(layer, parameters) if layer else parameters
        if kind == "longrope":
            yield int(of_layer["original_max_position_embeddings"])
        elif "dynamic" in str(kind):
            yield int(rope.original_max_seq_len)


def layer_kinds(model: Any) -> frozenset[str]:
    """Return the kinds of layers that the config names, such as "full_attention"; none where it names none."""
    config = _text_config(base_of(model))
    return frozenset(getattr(config, "layer_types", None) or getattr(config, "layers_block_type", None) or ())


def _text_config(base: Any) -> Any:
    config = base.config
    return config.get_text_config() if hasattr(config, "get_text_config") else config
