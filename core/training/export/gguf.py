"""Exports a merged model as one GGUF file for llama.cpp, with llama.cpp's own ``gguf`` library.

The library on the package index writes the format and maps the tensors' names; the converter script is not part of it.
This module converts the families whose layout is Llama's (Llama, SmolLM, Mistral, Qwen2, Qwen3) with a byte-level BPE
tokenizer of a known splitting rule; for all others its errors name the script. The file is read back through
transformers, and its logits are compared before it is published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor

from core.domain.errors import ModelRefused
from core.domain.ids import new_uid
from core.durable import TMP_PREFIX
from core.model_files.folder_check import check_model
from core.model_files.offline import go_offline
from core.training.export.comparison import all_logits, probe_ids
from core.training.policy.read_model import read_base, read_tokenizer
from core.training.text.template_inputs import template_source
from core.unfinished import noted

FAMILIES: dict[str, str] = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""model_type of transformers to the architecture name of llama.cpp."""
_INTERLEAVED = ("llama", "mistral")
"""Families whose rotary pairs are adjacent in llama.cpp, so that query and key rows are reordered."""
_LLAMA3_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
_QWEN2_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
_TOLERANCE = {"f32": 1e-3, "f16": 0.5, "bf16": 1.0}
_NORMAL, _CONTROL, _USER, _UNUSED = 1, 3, 4, 5


def export_gguf(model_dir: Path, target: Path, *, kind: str = "f16") -> float:
    """Write ``model_dir`` as the GGUF file ``target`` and return the largest difference of a logit.

    Args:
        model_dir: a merged safetensors folder.
        target: the file, must not exist.
        kind: how matrices are stored: "f32", "f16" or "bf16".

    Raises:
        ModelRefused: for a family, tokenizer or setting that is not supported, naming llama.cpp's script.
    """
    model_dir, target = Path(model_dir), Path(target)
    check_model(model_dir)
    go_offline()
    if target.exists():
        raise ModelRefused(f"{target.name} exists already.", "Choose another name.")
    model, tokenizer = read_base(model_dir, torch.float32).eval(), read_tokenizer(model_dir)
    config = model.config.to_dict()
    _require_covered(config)
    tmp = target.parent / f"{TMP_PREFIX}{new_uid()}.gguf"
    with noted(tmp), _removed_at_end(tmp):
        writer = gguf.GGUFWriter(tmp, FAMILIES[config["model_type"]])
        _write_settings(writer, config, model_dir.name, kind)
        _write_tokenizer(writer, tokenizer, config)
        _write_tensors(writer, model, config, kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        gap = _read_back(tmp, model, tokenizer, kind)
        with tmp.open("rb+") as handle:
            os.fsync(handle.fileno())
        tmp.replace(target)
    return gap


@contextmanager
def _removed_at_end(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _uncovered(what: str) -> ModelRefused:
    return ModelRefused(
        f"{what} is not covered by the built-in GGUF export.",
        "Use convert_hf_to_gguf.py of a llama.cpp checkout on the merged folder.",
    )


def _require_covered(config: dict[str, Any]) -> None:
    if config["model_type"] not in FAMILIES:
        raise _uncovered(f"The family {config['model_type']!r}")
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type", "default") != "default" or rope.get("partial_rotary_factor", 1) not in (None, 1, 1.0):
        raise _uncovered(f"Rotary scaling {rope.get('rope_type')!r}")
    if config.get("sliding_window") and config.get("use_sliding_window", True):
        raise _uncovered("A sliding attention window")


def _write_settings(writer: Any, config: dict[str, Any], name: str, kind: str) -> None:
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    file_types = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16"}
    writer.add_type("model")
    writer.add_name("model" if "mistral" in name.lower() else name)  # a reader would take "mistral" for the family
    writer.add_file_type(int(gguf.LlamaFileType[file_types[kind]]))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(float((config.get("rope_parameters") or {}).get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_vocab_size(config["vocab_size"])


def _write_tokenizer(writer: Any, tokenizer: Any, config: dict[str, Any]) -> None:
    plan = json.loads(tokenizer.backend_tokenizer.to_str())
    if plan["model"]["type"] != "BPE" or plan["model"].get("byte_fallback"):
        raise _uncovered(f"A tokenizer of type {plan['model']['type']}")
    words = {index: word for word, index in plan["model"]["vocab"].items()}
    kinds = {token["id"]: _CONTROL if token["special"] else _USER for token in plan["added_tokens"]}
    words.update({token["id"]: token["content"] for token in plan["added_tokens"]})
    size = config["vocab_size"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitting_rule(plan))
    writer.add_token_list([words.get(i, f"[PAD{i}]") for i in range(size)])
    writer.add_token_types([kinds.get(i, _NORMAL if i in words else _UNUSED) for i in range(size)])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in plan["model"]["merges"]])
    ids = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id}
    for key, value in {**ids, "unk": tokenizer.unk_token_id}.items():
        if value is not None and value < size:
            getattr(writer, f"add_{key}_token_id")(value)
    writer.add_add_bos_token(bool(ids["bos"] is not None and tokenizer("a")["input_ids"][:1] == [ids["bos"]]))
    writer.add_add_space_prefix(False)
    if template := template_source(tokenizer.chat_template):
        writer.add_chat_template(template)


def _splitting_rule(plan: dict[str, Any]) -> str:
    """Return llama.cpp's name of how the tokenizer splits text before merging."""
    parts = plan["pre_tokenizer"] or {}
    steps = parts.get("pretokenizers", [parts])
    kinds = [step.get("type") for step in steps]
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True) and not steps[0].get("add_prefix_space"):
        return "gpt-2"
    if kinds == ["Split", "ByteLevel"]:
        pattern = str(steps[0]["pattern"].get("Regex", ""))
        for name, start in (("llama-bpe", _LLAMA3_SPLIT), ("qwen2", _QWEN2_SPLIT)):
            if pattern.startswith(start):
                return name
    raise _uncovered("This tokenizer's splitting rule")


def _write_tensors(writer: Any, model: Any, config: dict[str, Any], kind: str) -> None:
    arch = {name: key for key, name in gguf.MODEL_ARCH_NAMES.items()}[FAMILIES[config["model_type"]]]
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    for name, tensor in _tensors(model, config):
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if stored is None:
            raise _uncovered(f"The weight {name}")
        data = _reordered(name, tensor, config).contiguous()
        narrow = kind if data.ndim >= 2 else "f32"
        if narrow == "bf16":
            writer.add_tensor(
                stored,
                gguf.quantize(data.numpy(), gguf.GGMLQuantizationType.BF16),
                raw_dtype=gguf.GGMLQuantizationType.BF16,
            )
        else:
            writer.add_tensor(stored, data.numpy().astype(np.float16 if narrow == "f16" else np.float32))


def _tensors(model: Any, config: dict[str, Any]) -> Iterable[tuple[str, Tensor]]:
    """Yield the named weights once; a tied head is left out, as in llama.cpp."""
    for name, parameter in model.named_parameters():
        if not (config.get("tie_word_embeddings") and name == "lm_head.weight"):
            yield name, parameter.detach()


def _reordered(name: str, tensor: Tensor, config: dict[str, Any]) -> Tensor:
    """Return query and key rows with the two halves of each head's rotary pairs interleaved."""
    if config["model_type"] not in _INTERLEAVED:
        return tensor
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config.get("num_key_value_heads")}
    part = name.rsplit(".", 2)[-2]
    if part not in heads:
        return tensor
    count = heads[part] or config["num_attention_heads"]
    return (
        tensor.reshape(count, 2, tensor.shape[0] // count // 2, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)
    )


def _read_back(path: Path, model: Any, tokenizer: Any, kind: str) -> float:
    texts = probe_ids(tokenizer)
    expected, found = all_logits(model, texts), all_logits(read_base(path, torch.float32).eval(), texts)
    gap = max(float((a - b).abs().max()) for a, b in zip(expected, found, strict=True))
    if not gap <= _TOLERANCE[kind]:
        raise ModelRefused(
            f"The GGUF file differs from the model by up to {gap:.3g} in a logit; it was not kept.",
            "Use convert_hf_to_gguf.py of a llama.cpp checkout on the merged folder.",
        )
    return gap
