"""What a run is made of, hashed: so that a run.json names its inputs and a changed one is found out."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from core import durable
from core.domain.errors import ModelRefused, NotFound
from core.domain.ids import sha256_json
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig

_MODEL_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".txt")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_CONFIG_ORIGIN = ("_name_or_path", "_model_name_or_path", "transformers_version", "use_cache", "dtype", "torch_dtype")
TIE_LOSSES = ("davidson", "rao_kupper")
"""Losses that learn from ties; for all others tie pairs are left out."""
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


def engine_inputs(
    pairs: Sequence[TrainingPair], config: RunConfig, model_dir: Path, model_files: dict[str, str]
) -> dict[str, str]:
    """Return the hashes that the engine itself forms of its inputs, so that ``run.json`` names the same fingerprint.

    The engine's own function cannot be called here, since it brings torch into whoever creates a run; a
    test holds the two equal.

    Args:
        pairs: the pairs of the run.
        config: its settings.
        model_dir: folder or GGUF file of the model.
        model_files: of :func:`hash_model`.
    """
    takes_ties = config.loss in TIE_LOSSES
    train = [pair.to_plain() for pair in pairs if pair.split == "train" and (takes_ties or not pair.is_tie)]
    tokenizer = {name: model_files[name] for name in _TOKENIZER_FILES if name in model_files}
    return {
        "pairs": sha256_json(train),
        "model": _model_hash(Path(model_dir), model_files, config.quantize if config.quantize != "none" else ""),
        "tokenizer": sha256_json(tokenizer),
        "adapter": hash_adapter(config.init_adapter),
    }


def _model_hash(path: Path, files: dict[str, str], quantised: str) -> str:
    """Name weights and architecture; what only says where a config comes from is left out of it."""
    if path.is_file():
        return sha256_json([files[path.name], quantised])
    config = durable.read_json(path / "config.json")
    for key in _CONFIG_ORIGIN:
        config.pop(key, None)
    weights = {name: digest for name, digest in files.items() if name.endswith(".safetensors")}
    return sha256_json([weights, config, quantised])


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
