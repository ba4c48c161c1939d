"""Compare config.json with the tensors of the weight files, before a library builds the model that it describes.

A config may ask for a billion layers, or for a size of which there is no tensor. Building that model takes all memory
or does not end, so it is refused by name first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.domain.errors import ModelRefused

Shapes = Mapping[str, tuple[int, ...]]
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_SIZES = (
    "hidden_size", "n_embd", "d_model", "intermediate_size", "n_inner", "ffn_dim", "moe_intermediate_size",
    "shared_expert_intermediate_size", "vocab_size", "word_embed_proj_dim", "ffn_hidden_size",
)  # fmt: skip
_COUNTS = (
    "num_attention_heads", "n_head", "num_key_value_heads", "head_dim", "num_local_experts", "num_experts",
    "n_routed_experts", "num_experts_per_tok", "q_lora_rank", "kv_lora_rank", "conv_kernel", "state_size",
)  # fmt: skip
_POSITIVE = (*_LAYERS, *_SIZES, "num_attention_heads", "n_head")
_LENGTHS = ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len", "sliding_window")
_MAX_LENGTH = 1 << 24
_UNNAMED = 1000
"""Layers that a model may have whose tensors do not tell them by name."""
_LARGER = 8
"""How much larger than the largest dimension of a tensor a size may be: several matrices may lie in one tensor."""
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks|block|layer)\.(\d+)\.")
_EMBEDDINGS = re.compile(r"(?:^|\.)(?:embed_tokens|wte|word_embeddings|embed_in|tok_embeddings)\.weight$")


def check_config(path: Path, config: Mapping[str, Any], headers: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a config that does not describe the tensors.

    Args:
        path: the model folder, for the message.
        config: content of ``config.json``.
        headers: of every weight file, as :func:`core.model_files.safetensors_file.check_safetensors` returns them.

    Raises:
        ModelRefused: naming the entry that does not fit.
    """
    shapes = {
        name: tuple(entry["shape"]) for header in headers for name, entry in header.items() if name != "__metadata__"
    }
    for part in (config, *(config[key] for key in ("text_config", "llm_config") if isinstance(config.get(key), dict))):
        _require_numbers(path, part)
        _require_layers(path, part, shapes)
        _require_sizes(path, part, shapes)
    _require_vocabulary(path, config, shapes)


def _require_numbers(path: Path, config: Mapping[str, Any]) -> None:
    for key in (*_LAYERS, *_SIZES, *_COUNTS, *_LENGTHS):
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, list) and all(type(one) is int and 0 < one < _MAX_LENGTH for one in value):
            continue
        if type(value) is not int or value < (1 if key in _POSITIVE else 0):
            raise _refused(path, f"{key} is {_short(value)}, which is no size", key)
        if key in _LENGTHS and value > _MAX_LENGTH:
            raise _refused(path, f"{key} is {value:,}, more than any model has", key)


def _require_layers(path: Path, config: Mapping[str, Any], shapes: Shapes) -> None:
    found = 1 + max((int(match.group(1)) for name in shapes if (match := _LAYER.search(name))), default=-1)
    for key in _LAYERS:
        wanted = config.get(key)
        if wanted is None:
            continue
        extra = config.get("num_nextn_predict_layers")
        spare = extra if type(extra) is int and 0 <= extra < 16 else 0
        if not found <= wanted + spare or wanted > (found or _UNNAMED):
            raise _refused(path, f"{key} is {wanted:,}, and its weights have {found:,} layers", key)


def _require_sizes(path: Path, config: Mapping[str, Any], shapes: Shapes) -> None:
    largest = max((max(shape, default=0) for shape in shapes.values()), default=0)
    if not largest:
        return
    for key in (*_SIZES, *_COUNTS):
        for value in config[key] if isinstance(config.get(key), list) else [config.get(key) or 0]:
            if value > largest * _LARGER:
                raise _refused(path, f"{key} is {value:,}, and its largest tensor has {largest:,} rows or columns", key)
    heads, width = config.get("num_attention_heads") or config.get("n_head") or 0, config.get("head_dim") or 0
    if type(heads) is int and type(width) is int and heads * width > largest * _LARGER:
        raise _refused(path, f"{heads:,} heads of {width:,} do not fit into its tensors", "head_dim")


def _require_vocabulary(path: Path, config: Mapping[str, Any], shapes: Shapes) -> None:
    wanted = config.get("vocab_size")
    rows = sorted({shape[0] for name, shape in shapes.items() if _EMBEDDINGS.search(name) and len(shape) == 2})
    if type(wanted) is int and rows and wanted not in rows:
        raise _refused(path, f"vocab_size is {wanted:,}, and its embeddings have {rows[0]:,} rows", "vocab_size")


def _refused(path: Path, reason: str, key: str) -> ModelRefused:
    return ModelRefused(
        f"config.json of {path.name} does not describe its weights: {reason}.",
        f"Copy config.json from the model's origin; nothing was loaded. The entry is {key}.",
    )


def _short(value: Any) -> str:
    return repr(value)[:60]
