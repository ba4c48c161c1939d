"""Finished results in other forms: adapter and base as one model, or a copy that carries its contract."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from core.durable import MANIFEST, file_sha256, publish_folder
from core.model_files.folder_check import check_model
from core.model_files.offline import go_offline
from core.training.export.adapter import (
    PROBES,
    TOLERANCE,
    RunExport,
    all_logits,
    difference,
    load_exported,
    neutral_config,
    probe_ids,
)
from core.training.export.contract import write_contract
from core.training.policy.model import read_base, read_tokenizer
from core.training.policy.provenance import read_contract

Numbers = tuple[int, float, float]


def export_merged(
    model_dir: Path,
    adapter_dir: Path,
    target: Path,
    *,
    dtype: torch.dtype = torch.float32,
    facts: dict[str, Any] | None = None,
    probes: Sequence[str] = PROBES,
) -> RunExport:
    """Write base and adapter as one safetensors model, verified logit by logit against the adapter.

    The sum is computed in float32 (or wider) and rounded once, to ``dtype``.

    Raises:
        ModelRefused: when the adapter belongs to another base, or the merged model computes something else.
    """
    wide = torch.float64 if dtype is torch.float64 else torch.float32
    with_adapter = load_exported(model_dir, adapter_dir, wide)
    tokenizer = read_tokenizer(model_dir)
    texts = probe_ids(tokenizer, probes)
    expected = all_logits(with_adapter, texts)
    merged = with_adapter.merge_and_unload(safe_merge=True).to(dtype)
    numbers: list[Numbers] = []

    def fill(folder: Path) -> None:
        merged.config.use_cache = True
        merged.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _carry_contract(Path(adapter_dir), folder, {**(facts or {}), "merged": True})
        again = read_base(folder, dtype).eval()
        numbers.append(difference(expected, all_logits(again, texts), TOLERANCE[dtype], "The merged model"))

    weights = file_sha256(Path(adapter_dir) / "adapter_model.safetensors")
    digest = publish_folder(Path(target), fill, identity={"kind": "model", "merged": True, "adapter": weights})
    return RunExport(Path(target), digest, *numbers[0])


def copy_adapter(model_dir: Path, adapter_dir: Path, target: Path, *, facts: dict[str, Any] | None = None) -> RunExport:
    """Copy a finished adapter with its contract, and show that plain PEFT loads the copy onto the same base.

    Raises:
        ModelRefused: when the adapter belongs to another base.
    """
    model = load_exported(model_dir, adapter_dir)
    texts = probe_ids(read_tokenizer(model_dir))
    expected = all_logits(model, texts)
    numbers: list[Numbers] = []

    def fill(folder: Path) -> None:
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(Path(adapter_dir) / name, folder / name)
        neutral_config(folder, Path(model_dir).name)
        _carry_contract(Path(adapter_dir), folder, facts or {})
        again = load_exported(model_dir, folder)
        numbers.append(difference(expected, all_logits(again, texts), 0.0, "The copied adapter"))

    digest = publish_folder(Path(target), fill, identity={"kind": "adapter"})
    return RunExport(Path(target), digest, *numbers[0])


def copy_model(
    source: Path, target: Path, *, dtype: torch.dtype = torch.float32, facts: dict[str, Any] | None = None
) -> RunExport:
    """Copy a fully trained model, in another dtype where asked, compared logit by logit.

    Raises:
        ModelRefused: when the source is unsafe, or the copy computes something else.
    """
    go_offline()
    check_model(source)
    tokenizer = read_tokenizer(source)
    texts = probe_ids(tokenizer)
    model = read_base(source, torch.float32).eval()
    expected = all_logits(model, texts)
    numbers: list[Numbers] = []

    def fill(folder: Path) -> None:
        model.config.use_cache = True
        model.to(dtype).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _carry_contract(Path(source), folder, facts or {})
        again = read_base(folder, dtype).eval()
        numbers.append(difference(expected, all_logits(again, texts), TOLERANCE[dtype], "The copied model"))

    digest = publish_folder(Path(target), fill, identity={"kind": "model", "source": _manifest_sha256(Path(source))})
    return RunExport(Path(target), digest, *numbers[0])


def _manifest_sha256(folder: Path) -> str:
    return file_sha256(folder / MANIFEST) if (folder / MANIFEST).is_file() else ""


def _carry_contract(source: Path, folder: Path, facts: dict[str, Any]) -> None:
    write_contract(folder, {**(read_contract(source) or {}), **facts})


def gguf_command(model_dir: Path, target: Path, kind: str = "f16") -> list[str]:
    """Return the command that converts a merged folder with llama.cpp's own script.

    The script is not on the package index; it comes with a checkout of llama.cpp
    (``git clone https://github.com/ggml-org/llama.cpp``), from whose folder the command runs.
    """
    with suppress(OSError):
        target = Path(target).resolve()
    return [
        "python",
        "convert_hf_to_gguf.py",
        str(Path(model_dir).resolve()),
        "--outtype",
        kind,
        "--outfile",
        str(target),
    ]
