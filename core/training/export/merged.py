"""Exports the result of a run as one model: adapter and base merged, or a copy of a fully trained model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from core.durable import MANIFEST, file_sha256, publish_folder
from core.model_files.folder_check import check_model
from core.model_files.offline import go_offline
from core.training.export.adapter import load_exported
from core.training.export.comparison import PROBES, TOLERANCE, RunExport, all_logits, difference, probe_ids
from core.training.export.contract import carry_contract
from core.training.policy.read_model import read_base, read_tokenizer

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

    The merged weights are computed in float32 (or wider) and rounded once, to ``dtype``. An adapter of a 4-bit base is
    merged into the values that this base had, see :func:`core.training.export.adapter.load_exported`.

    Raises:
        ModelRefused: when the adapter belongs to another base, or the merged model gives other logits.
    """
    wide = torch.float64 if dtype is torch.float64 else torch.float32
    with_adapter = load_exported(model_dir, adapter_dir, wide, as_trained=True)
    tokenizer = read_tokenizer(model_dir)
    texts = probe_ids(tokenizer, probes)
    expected = all_logits(with_adapter, texts)
    merged = with_adapter.merge_and_unload(safe_merge=True).to(dtype)
    numbers: list[Numbers] = []

    def fill(folder: Path) -> None:
        merged.config.use_cache = True
        merged.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        carry_contract(Path(adapter_dir), folder, {**(facts or {}), "merged": True})
        again = read_base(folder, dtype).eval()
        numbers.append(difference(expected, all_logits(again, texts), TOLERANCE[dtype], "The merged model"))

    weights = file_sha256(Path(adapter_dir) / "adapter_model.safetensors")
    digest = publish_folder(Path(target), fill, identity={"kind": "model", "merged": True, "adapter": weights})
    return RunExport(Path(target), digest, *numbers[0])


def copy_model(
    source: Path, target: Path, *, dtype: torch.dtype = torch.float32, facts: dict[str, Any] | None = None
) -> RunExport:
    """Copy a fully trained model, in ``dtype``, verified logit by logit.

    Raises:
        ModelRefused: when the source is unsafe, or the copy gives other logits.
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
        carry_contract(Path(source), folder, facts or {})
        again = read_base(folder, dtype).eval()
        numbers.append(difference(expected, all_logits(again, texts), TOLERANCE[dtype], "The copied model"))

    digest = publish_folder(Path(target), fill, identity={"kind": "model", "source": _manifest_sha256(Path(source))})
    return RunExport(Path(target), digest, *numbers[0])


def _manifest_sha256(folder: Path) -> str:
    return file_sha256(folder / MANIFEST) if (folder / MANIFEST).is_file() else ""
