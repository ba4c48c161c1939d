"""Reads the causal LM and the tokenizer of a model folder or GGUF file, from local files only."""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from core.domain.errors import ModelRefused, UserError
from core.model_files.gguf_file import unread_sizes
from core.model_files.offline import READ_ERRORS, without_progress_bars
from core.model_files.tokenizer_files import eos_ids
from core.training.text.chat_template import EOS_IDS


def read_base(model_dir: Path, dtype: torch.dtype) -> Any:
    """Read the causal LM of a folder or GGUF file onto the CPU, without cache, with fused attention where supported.

    Raises:
        ModelRefused: when transformers cannot read it.
    """
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"dtype": dtype, "output_loading_info": True, **_place(model_dir)}
    folder = options.pop("folder")
    from_gguf = "gguf_file" in options
    options |= unread_sizes(Path(model_dir)) if from_gguf else {"use_safetensors": True}
    try:
        with without_progress_bars() if from_gguf else nullcontext():
            try:
                loaded: Any = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa", **options)
            except ValueError as error:
                if "scaled_dot_product_attention" not in str(error):
                    raise
                loaded = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", **options)
    except READ_ERRORS as error:
        raise _unreadable(model_dir, error) from error
    model, found = loaded
    if not from_gguf:
        _require_all_read(model_dir, found)
    model.config.use_cache = False
    return model


def _require_all_read(model_dir: Path, found: Any) -> None:
    """Refuse a model some of whose weights no file holds; transformers would fill them with random numbers."""
    missing = sorted(str(name) for name in found.get("missing_keys") or ())
    other = sorted(str(entry[0]) for entry in found.get("mismatched_keys") or ())
    if missing or other:
        what = f"{len(missing)} are missing" if missing else f"{len(other)} have another shape"
        raise ModelRefused(
            f"config.json of {Path(model_dir).name} does not describe its weights: of those that it asks for, {what} "
            f"(the first is {[*missing, *other][0]}).",
            "Copy config.json and the weights from the model's origin; nothing was trained.",
        )


def read_architecture(model_dir: Path) -> Any:
    """Build the causal LM of a folder without its weights (on the meta device), to see which modules it has.

    Raises:
        ModelRefused: when transformers cannot read its config.
    """
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        config = AutoConfig.from_pretrained(str(model_dir), local_files_only=True)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config)
    except READ_ERRORS as error:
        raise _unreadable(model_dir, error) from error


def read_quantised(model_dir: Path, device: torch.device, dtype: torch.dtype) -> Any:
    """Read the causal LM with its linear layers in 4 bits (NF4, double quantisation; QLoRA, arXiv 2305.14314).

    Raises:
        UserError: on a device without 4-bit layers, without the ``quant`` extra, or for a GGUF file.
    """
    if device.type not in ("cuda", "cpu"):
        raise UserError(
            f"quantize=4bit needs a CUDA device or the CPU, and this run is on {device.type}.",
            "Set quantize=none (with dtype=bfloat16 where memory is short), or device=cpu.",
        )
    if Path(model_dir).is_file():
        raise UserError(
            f"{Path(model_dir).name} is a GGUF file, whose weights cannot be read into 4-bit layers.",
            "Give the model's Hugging Face folder, or set quantize=none.",
        )
    if not has_four_bit():
        raise UserError(
            "4-bit bases need bitsandbytes.", "Install it with: pip install 'pairwright[quant]', or set quantize=none."
        )
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    plan = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_quant_storage=torch.uint8 if device.type == "cpu" else dtype,
    )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            model_dir,
            dtype=dtype,
            quantization_config=plan,
            device_map={"": "cpu" if device.type == "cpu" else device.index or 0},
            use_safetensors=True,
            local_files_only=True,
            attn_implementation="sdpa",
        )
    except READ_ERRORS as error:
        raise _unreadable(model_dir, error) from error
    model.config.use_cache = False
    return model


def has_four_bit() -> bool:
    """Return whether the library of 4-bit layers (the ``quant`` extra) is installed."""
    return importlib.util.find_spec("bitsandbytes") is not None


def read_dequantised(model_dir: Path, dtype: torch.dtype) -> Any:
    """Read the causal LM with the values that its weights have in 4 bits, as full numbers on the CPU.

    It is the base that an adapter of a run with quantize=4bit was trained on.

    Raises:
        UserError: as :func:`read_quantised`.
    """
    model = read_quantised(model_dir, torch.device("cpu"), dtype).dequantize()
    return model.to(dtype)


def read_tokenizer(model_dir: Path) -> Any:
    """Read the tokenizer of a folder or GGUF file; it must return character offsets.

    Raises:
        ModelRefused: when there is no tokenizer, or only a slow one.
    """
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers import AutoTokenizer

    options = _place(model_dir)
    folder = options.pop("folder")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    except READ_ERRORS as error:
        raise ModelRefused(
            f"{Path(model_dir).name} has no tokenizer that can be read: {error}",
            "The folder needs a tokenizer.json beside the weights.",
        ) from error
    if not getattr(tokenizer, "is_fast", False) or not hasattr(tokenizer, "backend_tokenizer"):
        raise ModelRefused(
            f"The tokenizer of {Path(model_dir).name} returns no character offsets.",
            "Convert it to a tokenizer.json with transformers (use_fast=True) and save it in the folder.",
        )
    setattr(tokenizer, EOS_IDS, eos_ids(model_dir))
    return tokenizer


def _place(model_dir: Path) -> dict[str, Any]:
    path = Path(model_dir)
    if path.is_file():
        return {"folder": str(path.parent), "gguf_file": path.name, "local_files_only": True}
    return {"folder": str(path), "local_files_only": True}


def _unreadable(model_dir: Path, error: Exception) -> ModelRefused:
    return ModelRefused(
        f"{Path(model_dir).name} could not be loaded: {str(error).splitlines()[0] if str(error) else error!r}",
        "Check that the folder holds config.json, safetensors weights and tokenizer.json of one causal language model.",
    )
