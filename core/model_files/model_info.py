"""Facts of a model from its files, without torch or transformers: identity, size, template, licence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import bounded
from core.domain.errors import BadInput, ModelRefused
from core.domain.ids import sha256_text
from core.model_files.folder_check import ModelCheck, check_model, read_object
from core.model_files.identity import model_sha256
from core.model_files.safetensors_file import parameter_count
from core.model_files.template_guard import guard_error

_SPECIALS = ("bos_token", "eos_token", "pad_token", "unk_token")
_MAX_TEMPLATE = 1024 * 1024
_CARD_HEAD = 4000


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Facts of a checked model.

    Attributes:
        sha256: names weights and architecture, as a run records it.
        parameters: numbers in the weight files; a tied head counts once. 0 for a GGUF file.
        context: longest sequence in tokens, 0 when unknown.
        template_sha256: of the chat template, "" without one.
    """

    check: ModelCheck
    sha256: str
    parameters: int = 0
    context: int = 0
    vocabulary: int = 0
    dtype: str = ""
    template_sha256: str = ""
    licence: str = ""


def describe(model_dir: Path) -> ModelFacts:
    """Check a folder or GGUF file and return its facts; hashes weight files whose hash is not remembered.

    Raises:
        BadInput: when it does not exist.
        ModelRefused: when it is unsafe, damaged or no causal language model.
    """
    path = Path(model_dir)
    check = check_model(path)
    if path.is_file():
        return ModelFacts(check, model_sha256(path))
    config = read_object(path / "config.json")
    template = chat_template(path)
    if template:
        _require_harmless(template, path)
    return ModelFacts(
        check,
        model_sha256(path),
        parameters=parameter_count(path),
        context=_number(config, "max_position_embeddings", "n_positions", "seq_length"),
        vocabulary=_number(config, "vocab_size"),
        dtype=str(config.get("dtype") or config.get("torch_dtype") or ""),
        template_sha256=sha256_text(template) if template else "",
        licence=_licence(path),
    )


def chat_template(path: Path) -> str:
    """Return the folder's chat template, "" without one."""
    file = path / "chat_template.jinja"
    if file.is_file():
        return _text_of(file, _MAX_TEMPLATE)
    config = path / "tokenizer_config.json"
    found = read_object(config).get("chat_template") if config.is_file() else ""
    if isinstance(found, list):  # several named templates; the one called default is used
        found = next((t.get("template") for t in found if isinstance(t, dict) and t.get("name") == "default"), "")
    return found if isinstance(found, str) else ""


def _require_harmless(template: str, path: Path) -> None:
    config = read_object(path / "tokenizer_config.json") if (path / "tokenizer_config.json").is_file() else {}
    specials = {name: _text(config.get(name)) for name in _SPECIALS}
    reason = guard_error(template, tuple(sorted((k, v) for k, v in specials.items() if v)))
    if "longer than" in reason or "more than" in reason or "still running" in reason or "unsafe" in reason:
        raise ModelRefused(
            f"The chat template of {path.name} cannot be used: {reason}.",
            "Use the model's original template, or set template to none.",
        )


def _text_of(file: Path, limit: int) -> str:
    try:
        return bounded.read_text(file, limit)
    except BadInput as error:
        raise ModelRefused(error.message, "Use another copy of the model.") from error


def _text(token: Any) -> str:
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")


def _number(config: dict[str, Any], *names: str) -> int:
    for name in names:
        if isinstance(config.get(name), int):
            return int(config[name])
    return 0


def _licence(path: Path) -> str:
    """Return the licence named in the model card's front matter, or in the manifest of a converted model."""
    card = path / "README.md"
    if card.is_file():
        head = bounded.read_head(card, _CARD_HEAD).decode("utf-8", "replace")
        found = re.search(r"^license:\s*([\w.+-]{1,60})\s*$", head, re.MULTILINE) if head.startswith("---") else None
        if found:
            return found.group(1)
    manifest = path / "MANIFEST.json"
    if manifest.is_file():
        return str(read_object(manifest).get("identity", {}).get("licence", ""))
    return ""
