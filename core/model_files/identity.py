"""The identity of what a run is made of: hashes of weights, config, tokenizer, chat template, adapter and pairs.

They are computed once when a run is created (:func:`hash_model`, :func:`run_inputs`) and stored in ``run.json``, and
verified once when it starts (:func:`verify_model`, :func:`verify_adapter`), which reads every file. In between,
:mod:`core.model_files.file_hashes` remembers the hash of an unchanged file. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from core import durable
from core.domain.errors import BadInput, ModelRefused, NotFound
from core.domain.ids import sha256_json
from core.domain.loss_mix import accepts_ties
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.model_files.file_hashes import hash_files

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
"""Files that decide how text becomes tokens, the chat template included."""
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_MODEL_SUFFIXES = (".safetensors", ".json", ".jinja", ".model", ".txt")
_NOT_IDENTITY = ("_name_or_path", "_model_name_or_path", "transformers_version", "use_cache", "dtype", "torch_dtype")
"""Entries of config.json that say where a model comes from or how it is loaded, not what it computes."""


def model_sha256(model_dir: Path, quantised: str = "") -> str:
    """Return the hash of weights and architecture: of the weight files and of the config entries that matter.

    Args:
        model_dir: model folder, or a GGUF file.
        quantised: how the weights are held in fewer bits ("4bit"), "" when they are not.

    Raises:
        BadInput: when the folder holds no readable config.json.
    """
    path = Path(model_dir)
    if path.is_file():
        return sha256_json([hash_files([path])[path], quantised])
    config = durable.read_json(path / "config.json")
    architecture = {key: value for key, value in config.items() if key not in _NOT_IDENTITY}
    return sha256_json([_by_name(path.glob("*.safetensors")), architecture, quantised])


def tokenizer_sha256(model_dir: Path) -> str:
    """Return the hash of the tokenizer files and the chat template; a GGUF file has them inside and none beside it."""
    path = Path(model_dir)
    return sha256_json(_by_name(path / name for name in TOKENIZER_FILES))


def adapter_sha256(adapter_dir: str | Path, *, fresh: bool = False) -> str:
    """Return the hash of an adapter's config and weights; "" for no adapter (``adapter_dir`` is "").

    Args:
        adapter_dir: folder of a PEFT adapter, or "".
        fresh: read the files, also where their hashes are remembered.

    Raises:
        BadInput: when the folder holds no adapter.
    """
    if not adapter_dir:
        return ""
    folder = Path(adapter_dir)
    if not (folder / ADAPTER_FILES[0]).is_file():
        raise BadInput(f"There is no adapter at {folder}.", "Name a folder that holds adapter_config.json.")
    return sha256_json(_by_name((folder / name for name in ADAPTER_FILES), fresh=fresh))


def pairs_sha256(pairs: Sequence[TrainingPair]) -> str:
    """Return the hash of the pairs in their order, content and targets included."""
    return sha256_json([pair.to_plain() for pair in pairs])


def run_inputs(pairs: Sequence[TrainingPair], config: RunConfig, model_dir: Path) -> dict[str, str]:
    """Return the hashes of all that decides a run besides its settings.

    Args:
        pairs: the run's pairs; those that train are hashed (split "train", ties only for losses that accept them).
        config: its settings.
        model_dir: model folder, or a GGUF file.

    Returns:
        sha256 by "pairs", "model", "tokenizer" and "adapter" ("" without one), and "reference" of a third model.

    Raises:
        UserError: when model or adapter cannot be read.
    """
    takes_ties = accepts_ties(config)
    return {
        "pairs": pairs_sha256([p for p in pairs if p.split == "train" and (takes_ties or not p.is_tie)]),
        "model": model_sha256(model_dir, config.quantize if config.quantize != "none" else ""),
        "tokenizer": tokenizer_sha256(model_dir),
        "adapter": adapter_sha256(config.init_adapter),
        **({"reference": model_sha256(Path(config.reference_model))} if config.reference_model else {}),
    }


def hash_model(model_dir: Path, *, fresh: bool = False) -> dict[str, str]:
    """Return the sha256 by name of each file of a model folder (or of a GGUF file) that decides what it computes.

    Args:
        model_dir: model folder, or a GGUF file.
        fresh: read the files, also where their hashes are remembered.

    Raises:
        NotFound: when the folder holds no model.
    """
    path = Path(model_dir)
    if path.is_file() and path.suffix == ".gguf":
        return _by_name([path], fresh=fresh)
    if not (path / "config.json").is_file():
        raise NotFound(
            f"{path} holds no model (there is no config.json).", "Name a folder with config.json and safetensors."
        )
    files = (file for file in path.iterdir() if file.suffix in _MODEL_SUFFIXES and file.name != durable.MANIFEST)
    return _by_name(files, fresh=fresh)


def verify_model(model_dir: Path, expected: dict[str, str]) -> None:
    """Read every file of the model and compare it with the hashes that the run was created with.

    Args:
        model_dir: model folder, or a GGUF file.
        expected: what :func:`hash_model` returned at creation.

    Raises:
        ModelRefused: naming the file that is missing, new or altered.
        NotFound: when the folder holds no model.
    """
    found = hash_model(model_dir, fresh=True)
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            fate = "was altered" if name in expected and name in found else "is new" if name in found else "is missing"
            raise ModelRefused(
                f"{name} of the model in {model_dir} {fate} since this run was created; nothing was trained.",
                "Restore the model, or create a new run with the present one.",
            )


def verify_adapter(adapter_dir: str, expected: str) -> None:
    """Read the adapter that training starts from and compare it with the hash that the run was created with.

    Raises:
        ModelRefused: when it was altered.
        BadInput: when the folder holds no adapter.
    """
    if adapter_sha256(adapter_dir, fresh=True) != expected:
        raise ModelRefused(
            f"The adapter in {adapter_dir} was altered since this run was created; nothing was trained.",
            "Restore the adapter, or create a new run with the present one.",
        )


def verify_reference(model_dir: str, expected: str) -> None:
    """Read a third model that is the reference and compare it with the hash that the run was created with.

    Raises:
        ModelRefused: when it was altered.
        BadInput: when the folder holds no model.
    """
    if not model_dir:
        return
    hash_files(sorted(Path(model_dir).glob("*.safetensors")), fresh=True)
    if model_sha256(Path(model_dir)) != expected:
        raise ModelRefused(
            f"The reference model in {model_dir} was altered since this run was created; nothing was trained.",
            "Restore it, or create a new run with the present one.",
        )


def _by_name(files: Iterable[Path], *, fresh: bool = False) -> dict[str, str]:
    """Return the sha256 by name of those files that exist."""
    present = sorted((file for file in files if file.is_file()), key=lambda file: file.name)
    return {file.name: digest for file, digest in hash_files(present, fresh=fresh).items()}
