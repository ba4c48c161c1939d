"""Check model folders and adapters with the standard library, before any other library reads them.

``trust_remote_code=False`` alone does not keep a folder from running code: a config can name kernels, attention
implementations, adapters of other base models, and pickled files. What is not known to be harmless is refused by name.
Weights must be safetensors, or one GGUF file; a pickle beside them is never opened.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import bounded
from core.domain.errors import BadInput, GateFailed, ModelRefused
from core.model_files.config_check import check_config
from core.model_files.gguf_file import check_gguf
from core.model_files.safetensors_file import check_safetensors
from core.model_files.tokenizer_files import check_tokenizer

MODEL_TYPES: frozenset[str] = frozenset({
    "apertus", "arcee", "bloom", "codegen", "cohere", "cohere2", "dbrx", "deepseek_v2", "deepseek_v3", "dots1",
    "ernie4_5", "ernie4_5_moe", "exaone4", "falcon", "falcon_h1", "falcon_mamba", "gemma", "gemma2",
    "gemma3_text", "glm", "glm4", "glm4_moe", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gpt_oss", "gptj",
    "granite", "granitemoe", "granitemoehybrid", "helium", "hunyuan_v1_dense", "hunyuan_v1_moe", "jamba",
    "jetmoe", "lfm2", "llama", "mamba", "mamba2", "minimax", "ministral", "mistral", "mixtral", "mpt", "nemotron",
    "olmo", "olmo2", "olmo3", "olmoe", "opt", "persimmon", "phi", "phi3", "phimoe", "qwen2", "qwen2_moe", "qwen3",
    "qwen3_moe", "qwen3_next", "recurrent_gemma", "rwkv", "seed_oss", "smollm3", "stablelm", "starcoder2",
    "vaultgemma", "xglm", "zamba", "zamba2",
    "bamba", "biogpt", "diffllama", "exaone_moe", "flex_olmo", "gemma3n_text", "gemma4_text", "glm4_moe_lite",
    "gpt_neox_japanese", "granite_swa", "granitemoeshared", "hyperclovax", "internlm3", "jais2", "lfm2_moe",
    "mimo_v2_flash", "minimax_m2", "ministral3", "nanochat", "olmo_hybrid", "openai-gpt", "qwen3_5_moe_text",
    "qwen3_5_text", "solar_open", "youtu",
})  # fmt: skip
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5", ".msgpack", ".ot")
CODE = (".py", ".pyc", ".pyd", ".so", ".dll", ".dylib")
_MAX_CONFIG = 4 * 1024 * 1024
_MAX_INDEX = 32 * 1024 * 1024
_MAX_TOKENIZER = 512 * 1024 * 1024
_MAX_TEMPLATE = 1024 * 1024
_LIMITS = {".json": _MAX_TOKENIZER, ".txt": _MAX_TOKENIZER, ".model": _MAX_TOKENIZER, ".jinja": _MAX_TEMPLATE}
"""Bytes of a file that a library reads whole, by suffix."""
_MAX_DEPTH = 24
_MAX_FILES = 5000
_IMPLEMENTATIONS = (None, "", "eager", "sdpa")
_LORA_FREE = {
    "r": int,
    "lora_alpha": (int, float),
    "lora_dropout": (int, float),
    "target_modules": (list, str),
    "exclude_modules": (list, str, type(None)),
    "rank_pattern": dict,
    "alpha_pattern": dict,
    "layers_to_transform": (list, int, type(None)),
    "layers_pattern": (list, str, type(None)),
    "use_rslora": bool,
    "use_dora": bool,
    "modules_to_save": (list, type(None)),
    "target_parameters": (list, type(None)),
    "fan_in_fan_out": bool,
    "inference_mode": bool,
    "init_lora_weights": (bool, str),
    "base_model_name_or_path": (str, type(None)),
    "revision": (str, type(None)),
    "peft_version": (str, type(None)),
    "task_type": (str, type(None)),
    "peft_type": str,
}
_LORA_FIXED: dict[str, tuple[Any, ...]] = {
    "bias": ("none",),
    "megatron_core": ("megatron.core", None),
    "qalora_group_size": (16,),
}
_BASE_CHANGING = ("pissa", "olora", "loftq", "corda", "eva", "lora_ga", "kasa", "mica")


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """The result of the check.

    Attributes:
        path: folder or GGUF file. model_type: architecture name ("gguf" for a file).
        weight_bytes: size of the weights. has_template: whether a chat template is there.
        ignored: files that are never opened (pickles beside safetensors).
    """

    path: Path
    model_type: str
    weight_bytes: int
    has_template: bool
    ignored: tuple[str, ...] = ()


def check_model(model_dir: Path) -> ModelCheck:
    """Check a model folder or GGUF file before anything loads it.

    Raises:
        BadInput: when it does not exist.
        ModelRefused: when it could run code, is not a causal language model, has no tokenizer, or is damaged.
    """
    path = Path(model_dir)
    if path.is_file():
        check_gguf(path)
        return ModelCheck(path, "gguf", path.stat().st_size, True)
    if not path.is_dir():
        raise BadInput(f"There is no model at {path}.", "Name a folder that holds config.json and weights.")
    if (path / "adapter_config.json").exists():
        raise ModelRefused(
            f"{path.name} holds an adapter, not a whole model.",
            "Choose the folder of the base model, and give this one as the initial adapter.",
        )
    if not (path / "config.json").is_file():
        raise BadInput(f"{path.name} holds no config.json.", "Name the folder that holds config.json and weights.")
    ignored = _check_files(path)
    for name in sorted(p.name for p in path.glob("*.json")):
        if name not in ("tokenizer.json", "vocab.json", "model.safetensors.index.json"):
            _check_config(name, read_object(path / name))
    config = read_object(path / "config.json")
    model_type = _check_architecture(path, config)
    weights, headers = _check_weights(path, ignored)
    check_config(path, config, headers)
    check_tokenizer(path)
    return ModelCheck(path, model_type, weights, _has_template(path), ignored)


def check_adapter(folder: Path) -> dict[str, Any]:
    """Check an adapter folder and return its config.

    Raises:
        BadInput: when there is no adapter.
        ModelRefused: when it is not a plain LoRA adapter in safetensors.
        GateFailed: when its initialisation changed the base weights, so that adapter off is not the base.
    """
    path = Path(folder)
    if not (path / "adapter_config.json").is_file():
        raise BadInput(f"There is no adapter at {path}.", "Name a folder that holds adapter_config.json.")
    ignored = _check_files(path)
    config = read_object(path / "adapter_config.json")
    _check_config("adapter_config.json", {k: v for k, v in config.items() if v is not None})
    _check_lora(path, config)
    weights = path / "adapter_model.safetensors"
    if not weights.is_file():
        found = f" It holds {ignored[0]}, a pickle, which can run code when opened." if ignored else ""
        raise ModelRefused(
            f"{path.name} has no adapter_model.safetensors.{found}",
            "Save the adapter again with PEFT; it writes safetensors by default.",
        )
    check_safetensors(weights)
    return config


def read_object(path: Path) -> dict[str, Any]:
    """Read a small JSON object.

    Raises:
        ModelRefused: when it is too large, not JSON, or not an object.
    """
    return _object(path, _MAX_CONFIG)


def _object(path: Path, limit: int) -> dict[str, Any]:
    try:
        return bounded.read_object(path, limit)
    except BadInput as error:
        raise ModelRefused(error.message, "Copy the model folder again.") from error


def _check_files(path: Path) -> tuple[str, ...]:
    """Refuse code; return the names of pickles, which are never opened."""
    ignored = []
    for count, file in enumerate(path.rglob("*")):
        if count > _MAX_FILES:
            raise ModelRefused(f"{path.name} holds more than {_MAX_FILES} files.", "Name the model's own folder.")
        suffix = file.suffix.lower()
        _require_plain(path, file)
        if suffix in CODE:
            raise ModelRefused(
                f"{path.name} holds code ({file.relative_to(path)}).",
                "Models that need their own code cannot be used. If they do not need it, remove that file.",
            )
        if suffix in PICKLES and file.is_file():
            ignored.append(file.relative_to(path).as_posix())
    return tuple(sorted(ignored))


def _require_plain(path: Path, file: Path) -> None:
    """Refuse pipes, devices and sockets, also behind a link, and files too large for what reads them."""
    name = file.relative_to(path).as_posix()
    try:
        info = file.stat()
    except OSError:
        return  # a link to nothing; what is needed of it is refused as missing
    if not stat.S_ISREG(info.st_mode) and not stat.S_ISDIR(info.st_mode):
        raise ModelRefused(f"{path.name} holds {name}, which is not a regular file.", "Remove it; nothing was read.")
    limit = _LIMITS.get(file.suffix.lower())
    if stat.S_ISREG(info.st_mode) and limit is not None and info.st_size > limit:
        raise ModelRefused(f"{name} is larger than {limit // 2**20} MiB.", "Use another copy of the model.")


def _walk(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every (key, value) of nested JSON."""
    if depth > _MAX_DEPTH:
        raise ModelRefused("A config file is nested too deeply.", "Use another copy of the model.")
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _walk(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, depth + 1)


def _check_config(name: str, config: dict[str, Any]) -> None:
    for key, value in _walk(config):
        low = key.lower()
        if low in ("auto_map", "auto_mapping", "custom_pipelines") and value:
            raise ModelRefused(f"{name} names code to run ({key}).", "Models that need their own code cannot be used.")
        if "trust_remote_code" in low and value:
            raise ModelRefused(
                f"{name} asks for remote code ({key}).", "Models that need their own code cannot be used."
            )
        if "implementation" in low and value not in _IMPLEMENTATIONS and not isinstance(value, dict):
            raise ModelRefused(
                f"{name} asks for the implementation {value!r} ({key}), which could fetch code.",
                "Only eager and sdpa are used. Remove that entry.",
            )
        if low in ("use_kernels", "kernel_config", "hub_kernels", "custom_generate") and value:
            raise ModelRefused(f"{name} asks for code from elsewhere ({key}).", "Remove that entry.")


def _check_architecture(path: Path, config: dict[str, Any]) -> str:
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in MODEL_TYPES:
        raise ModelRefused(
            f"{path.name} is of type {model_type!r}, which is not a known causal language model.",
            "Text decoders such as Llama, Qwen, Mistral, Gemma, Phi, SmolLM, GPT-2 and NeoX can be trained.",
        )
    if config.get("is_encoder_decoder"):
        raise ModelRefused(f"{path.name} is an encoder-decoder.", "Choose a decoder-only language model.")
    if config.get("quantization_config"):
        raise ModelRefused(
            f"{path.name} is stored quantised; its weights cannot be trained exactly.",
            "Choose the full-precision model; set quantize to 4bit to save memory on a GPU.",
        )
    return model_type


def _check_weights(path: Path, ignored: tuple[str, ...]) -> tuple[int, list[dict[str, Any]]]:
    """Return the bytes of the weight files, and their headers."""
    names = _shards(path) if (path / "model.safetensors.index.json").is_file() else ["model.safetensors"]
    if not any((path / name).is_file() for name in names):
        pickles = [name for name in ignored if "/" not in name]
        if pickles:
            raise ModelRefused(
                f"{path.name} has its weights only as {pickles[0]}, a pickle, which can run code when opened.",
                "Choose a copy of the model in safetensors.",
            )
        raise ModelRefused(f"{path.name} holds no model.safetensors.", "Choose a copy of the model in safetensors.")
    for name in names:
        if not (path / name).is_file():
            raise ModelRefused(f"{path.name} lacks {name}, which its index names.", "Copy the model folder again.")
    headers = [check_safetensors(path / name) for name in names]
    return sum((path / name).stat().st_size for name in names), headers


def _shards(path: Path) -> list[str]:
    index = read_large_object(path / "model.safetensors.index.json").get("weight_map")
    if not isinstance(index, dict) or not index:
        raise ModelRefused("model.safetensors.index.json names no weights.", "Copy the model folder again.")
    names = sorted(set(index.values()), key=str)
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise ModelRefused(
                f"The weights index points to {name!r}.", "Only safetensors files of the same folder count."
            )
    return names


def read_large_object(path: Path) -> dict[str, Any]:
    """Read a JSON object that may have an entry for every tensor."""
    return _object(path, _MAX_INDEX)


def _has_template(path: Path) -> bool:
    if (path / "chat_template.jinja").is_file():
        return True
    tokenizer = path / "tokenizer_config.json"
    return tokenizer.is_file() and bool(read_object(tokenizer).get("chat_template"))


def _check_lora(path: Path, config: dict[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise ModelRefused(
            f"{path.name} is an adapter of type {config.get('peft_type')!r}.", "Only LoRA adapters can be used."
        )
    _refuse_base_changing(path, config)
    for key, value in config.items():
        if key in _LORA_FREE:
            kinds = _LORA_FREE[key]
            if not isinstance(value, kinds if isinstance(kinds, tuple) else (kinds,)):
                raise ModelRefused(f"{path.name}: {key} cannot be {value!r}.", "The adapter's config is damaged.")
        elif key in _LORA_FIXED:
            if value not in _LORA_FIXED[key]:
                raise ModelRefused(f"{path.name} uses {key} = {value!r}.", "Only plain LoRA adapters can be used.")
        elif value not in (None, False, {}, [], ""):
            raise ModelRefused(f"{path.name} uses {key} = {value!r}.", "Only plain LoRA adapters can be used.")
    if config.get("task_type") not in ("CAUSAL_LM", None):
        raise ModelRefused(f"{path.name} is not an adapter of a language model.", "Choose one made for CAUSAL_LM.")


def _refuse_base_changing(path: Path, config: dict[str, Any]) -> None:
    init = str(config.get("init_lora_weights", "")).lower()
    for name in _BASE_CHANGING:
        if init.startswith(name) or config.get(f"{name}_config"):
            raise GateFailed(
                f"The adapter {path.name} was initialised by {name}, which changes the base weights: "
                "with the adapter off, the model would not be the reference.",
                "Convert it to plain LoRA when saving (PEFT: path_initial_model_for_weight_conversion), or merge it.",
                cause="adapter_changes_base",
            )
