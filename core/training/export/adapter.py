"""Exports the adapter of a finished run as a folder, which plain PEFT loads back before it is published."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch

from core.durable import publish_folder, read_json, write_json
from core.model_files.folder_check import check_adapter, check_model
from core.model_files.identity import model_sha256
from core.model_files.offline import go_offline
from core.training.export.comparison import RunExport, all_logits, difference, probe_ids
from core.training.export.contract import carry_contract
from core.training.policy.provenance import read_contract, require_base
from core.training.policy.read_model import has_four_bit, read_base, read_dequantised, read_tokenizer


def copy_adapter(model_dir: Path, adapter_dir: Path, target: Path, *, facts: dict[str, Any] | None = None) -> RunExport:
    """Copy a finished adapter with its contract, and verify that plain PEFT loads the copy onto the same base.

    Raises:
        ModelRefused: when the adapter belongs to another base.
    """
    model = load_exported(model_dir, adapter_dir)
    texts = probe_ids(read_tokenizer(model_dir))
    expected = all_logits(model, texts)
    numbers: list[tuple[int, float, float]] = []

    def fill(folder: Path) -> None:
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(Path(adapter_dir) / name, folder / name)
        _neutral_config(folder, Path(model_dir).name)
        carry_contract(Path(adapter_dir), folder, facts or {})
        again = load_exported(model_dir, folder)
        numbers.append(difference(expected, all_logits(again, texts), 0.0, "The copied adapter"))

    digest = publish_folder(Path(target), fill, identity={"kind": "adapter"})
    return RunExport(Path(target), digest, *numbers[0])


def _neutral_config(folder: Path, base_name: str) -> None:
    """Replace the base's path by its name, and delete the empty model card that PEFT writes."""
    config = read_json(folder / "adapter_config.json")
    config["base_model_name_or_path"] = base_name
    write_json(folder / "adapter_config.json", config)
    (folder / "README.md").unlink(missing_ok=True)


def load_exported(
    model_dir: Path, adapter_dir: Path, dtype: torch.dtype = torch.float32, *, as_trained: bool = False
) -> Any:
    """Return the base with an exported adapter, after checking that they belong together.

    Args:
        model_dir: the base.
        adapter_dir: the adapter.
        dtype: of the base's weights.
        as_trained: whether an adapter of a 4-bit base gets the values that the base had in training, as full numbers;
            they are those of the files where the library of 4-bit layers is missing. Without it the adapter is loaded
            onto the weights of the files, where its results are close to, but not exactly, those of the trained policy.

    Raises:
        ModelRefused: when the adapter's contract names another base, or either folder is unsafe.
    """
    go_offline()
    check_model(model_dir)
    check_adapter(adapter_dir)
    contract = read_contract(adapter_dir) or {}
    four_bit = contract.get("config", {}).get("quantize", "none") != "none"
    require_base(adapter_dir, model_sha256(model_dir, quantised="4bit" if four_bit else ""), Path(model_dir).name)
    dequantised = four_bit and as_trained and has_four_bit()
    base = read_dequantised(model_dir, dtype) if dequantised else read_base(model_dir, dtype)
    return _load_peft(base, adapter_dir)


def _load_peft(base: Any, folder: Path) -> Any:
    """Return ``base`` with the adapter in ``folder``, through PEFT's own public loader, in evaluation mode."""
    # Imported here: peft imports transformers, which must not be imported before go_offline().
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(folder), local_files_only=True).eval()
