"""How far the attention of a model looks back: by position where a mask can say it, by place in the row elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.domain.errors import ModelRefused
from core.generation.context import base_of, frequency_limit, mask_window, stored_masks

_KINDS = ("full_attention", "sliding_attention")
"""Layer kinds whose mask the prefix-shared pass can build."""
_BUILT = ("sliding_window", "max_window")
"""Parts of the names of entries that :func:`attention_windows` reads, or that count layers."""
_POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "original_max_position_embeddings")


def attention_windows(config: Any) -> dict[str, int]:
    """Return the attention window (0 is unlimited) of each kind of layer that the model has.

    Raises:
        ModelRefused: for encoders and for layers with a state or with attention in chunks.
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    kind = getattr(text, "model_type", "this model")
    if getattr(config, "is_encoder_decoder", False):
        raise ModelRefused(f"{kind} has an encoder; only decoders share a prompt.")
    window = getattr(text, "sliding_window", None) or 0
    kinds = getattr(text, "layer_types", None) or getattr(text, "layers_block_type", None)
    if kinds is None:
        window = window if getattr(text, "use_sliding_window", True) else 0
        return {"full_attention": window}
    if unknown := sorted(set(kinds) - set(_KINDS)):
        raise ModelRefused(f"{kind} has layers of kind {', '.join(unknown)}, which cannot run on prefix-shared rows.")
    return {k: window if k == "sliding_attention" else 0 for k in sorted(set(kinds))}


def row_windows(model: Any) -> dict[str, int]:
    """Return the windows that the model counts by place in the row, or that no mask of this package builds, by name.

    A prefix-shared row that is longer than such a window is not computed as its two sequences would be.
    """
    base = base_of(model)
    found = {name: size for name, size in _numbers(base.config.to_dict()) if _is_window(name)}
    stored = {w for w in map(mask_window, stored_masks(base)) if w}
    return {**found, **({"its stored mask": min(stored)} if stored else {})}


def length_limits(model: Any) -> list[int]:
    """Return every length, in tokens, beyond which the model may compute otherwise: windows and positions."""
    base = base_of(model)
    config = base.config.to_dict()
    sizes = [size for name, size in _numbers(config) if _is_window(name) or name in ("sliding_window", *_POSITIONS)]
    return sorted({size for size in (*sizes, *row_windows(model).values(), frequency_limit(model)) if size > 0})


def _is_window(name: str) -> bool:
    return ("window" in name or "attention_chunk" in name) and not any(part in name for part in _BUILT)


def _numbers(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield every positive whole number of a config with its name, nested ones too."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _numbers(value)
        elif type(value) is int and value > 0:
            yield name, value
