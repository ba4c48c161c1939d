"""What a run is made of, hashed: so that a run.json names its inputs and a changed one is found out."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from core import durable
from core.domain.errors import ModelRefused, NotFound
from core.domain.ids import sha256_json, sha256_text

_MODEL_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".txt")
_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers", "accelerate", "numpy")
_NOT_WEIGHTS = (durable.MANIFEST,)


def hash_model(model_dir: Path) -> dict[str, str]:
    """Return the sha256 of each file of a model folder (or of a GGUF file) that decides what it computes.

    Raises:
        NotFound: when the folder holds no model.
    """
    folder = Path(model_dir)
    if folder.is_file() and folder.suffix == ".gguf":
        return _hash_files(folder.parent, [folder])
    if not (folder / "config.json").is_file():
        raise NotFound(
            f"{folder} holds no model (there is no config.json).", "Name a folder with config.json and safetensors."
        )
    return _hash_files(folder, (p for p in folder.iterdir() if p.suffix in _MODEL_SUFFIXES))


def hash_adapter(adapter_dir: str) -> str:
    """Return one hash over an adapter folder; "" for no adapter.

    Raises:
        NotFound: when the folder holds no adapter.
    """
    if not adapter_dir:
        return ""
    folder = Path(adapter_dir)
    if not (folder / "adapter_config.json").is_file():
        raise NotFound(f"{folder} holds no adapter (there is no adapter_config.json).", "Name a PEFT adapter folder.")
    return sha256_json(_hash_files(folder, (folder / n for n in ("adapter_config.json", "adapter_model.safetensors"))))


def hash_template(model_dir: Path) -> str:
    """Return the hash of the model's chat template; "" when it has none, or carries it inside a GGUF file."""
    folder = Path(model_dir)
    if folder.is_file():
        return ""
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        return sha256_text(jinja.read_text(encoding="utf-8"))
    config = folder / "tokenizer_config.json"
    template = json.loads(config.read_text(encoding="utf-8")).get("chat_template") if config.is_file() else None
    return sha256_json(template) if template else ""


def check_model(model_dir: Path, expected: dict[str, str]) -> None:
    """Check the model against the hashes that the run was created with.

    Raises:
        ModelRefused: naming the file that is missing, new or altered.
    """
    found = hash_model(model_dir)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            fate = "was altered" if name in expected and name in found else "is new" if name in found else "is missing"
            raise ModelRefused(
                f"{name} of the model in {model_dir} {fate} since this run was created; nothing was trained.",
                "Restore the model, or create a new run with the present one.",
            )


def versions() -> dict[str, str]:
    """Return the versions of Python, SQLite and each installed library that computes; imports none of them."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "platform": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _hash_files(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    names = sorted(p.name for p in paths if p.is_file() and p.name not in _NOT_WEIGHTS)
    return {name: durable.file_sha256(folder / name) for name in names}
