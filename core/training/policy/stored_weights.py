"""Compares weights in memory with the files they were loaded from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from core.model_files.safetensors_file import check_safetensors
from core.training.policy.model import LoadedModel

_SAMPLE = 16


def differing_base_weights(model: LoadedModel, sample: int = _SAMPLE) -> list[str]:
    """Return the names of base matrices under the adapter that differ from the folder's files.

    At most ``sample`` of them are compared, spread over the depth of the model. Weights with another name in the file
    (fused or renamed on loading), GGUF files and quantised bases are skipped.
    """
    if model.quantised or not model.model_dir.is_dir():
        return []
    places = _places(model.model_dir)
    found = [(name, tensor) for name, tensor in _adapted(model.base) if name in places]
    step = max(len(found) // sample, 1)
    different = []
    for name, tensor in found[::step][:sample]:
        stored = _read(places[name], name).to(tensor.dtype)
        if stored.shape != tensor.shape or not torch.equal(stored, tensor.detach().cpu()):
            different.append(name)
    return different


def _adapted(base: Any) -> list[tuple[str, torch.Tensor]]:
    return [
        (name.replace(".base_layer.weight", ".weight"), parameter)
        for name, parameter in base.named_parameters()
        if name.endswith(".base_layer.weight")
    ]


def _places(folder: Path) -> dict[str, Path]:
    """Return the file that holds each tensor; GPT-2 and NeoX files may leave out the outermost name."""
    names: dict[str, Path] = {}
    for path in sorted(folder.glob("*.safetensors")):
        for name in check_safetensors(path):
            if name != "__metadata__":
                names[name] = path
    return names


def _read(path: Path, name: str) -> torch.Tensor:
    with safe_open(path, framework="pt") as handle:
        return handle.get_tensor(name)
