"""The child process of a model export: it loads models, so it is never the window's own."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from core.domain.errors import UsageError
from core.runs.child_processes.request import Progress, serve

_MERGED = ("float32", "bfloat16", "float16")
_GGUF = ("f32", "f16", "bf16")


def export(question: dict[str, Any], progress: Progress) -> dict[str, float]:
    """Do the export and return how near it is to what was trained."""
    form, dtype = question["form"], question["dtype"]
    base, result, target = (Path(question[key]) for key in ("model_dir", "result", "target"))
    facts, has_adapter = question["facts"], Path(question["result"]).name == "adapter"
    if form == "adapter":
        return _adapter(base, result, target, facts, progress)
    if form == "merged":
        _require(dtype or "float32", _MERGED)
        progress(0, 2, "Merging and comparing")
        return _merged(base, result, target, dtype or "float32", facts, has_adapter)
    kind = _require(dtype or "f16", _GGUF)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".tmp-") as scratch:
        source = result
        if has_adapter:
            progress(0, 2, "Merging")
            source = Path(scratch) / base.name
            _merged(base, result, source, "float32", facts, has_adapter)
        progress(1, 2, "Writing the GGUF file and comparing")
        return _gguf(source, target, kind)


def _require(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise UsageError(f"dtype cannot be {value!r} here.", f"Use one of: {', '.join(allowed)}.")
    return value


def _adapter(base: Path, adapter: Path, target: Path, facts: dict[str, Any], progress: Progress) -> dict[str, float]:
    from core.training.export.adapter import copy_adapter

    progress(0, 1, "Copying the adapter and comparing")
    return _numbers(copy_adapter(base, adapter, target, facts=facts))


def _merged(
    base: Path, result: Path, target: Path, dtype: str, facts: dict[str, Any], has_adapter: bool
) -> dict[str, float]:
    import torch

    from core.training.export.merged import copy_model, export_merged

    kind = getattr(torch, dtype)
    if has_adapter:
        return _numbers(export_merged(base, result, target, dtype=kind, facts=facts))
    return _numbers(copy_model(result, target, dtype=kind, facts=facts))


def _gguf(source: Path, target: Path, kind: str) -> dict[str, float]:
    from core.training.export.gguf import export_gguf

    gap = export_gguf(source, target, kind=kind)
    contract = source / "contract.json"
    if contract.is_file():
        shutil.copyfile(contract, target.with_name(f"{target.stem}.contract.json"))
    return {"logits": 0, "max_difference": gap, "same_top1": 1.0}


def _numbers(report: Any) -> dict[str, float]:
    return {"logits": report.logits, "max_difference": report.max_difference, "same_top1": report.same_top1}


if __name__ == "__main__":
    sys.exit(serve(export))
