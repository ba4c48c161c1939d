"""The child process of an export. It loads models: only :mod:`core.services.models.export` starts it, by its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.durable import write_json
from core.runs.child_processes.request import Progress, serve
from core.training.export.adapter import copy_adapter
from core.training.export.comparison import TOLERANCE
from core.training.export.gguf import export_gguf
from core.training.export.merged import copy_model, export_merged
from core.training.policy.provenance import read_contract
from core.unfinished import temporary_folder

_DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in TOLERANCE}


def export(request: dict[str, Any], progress: Progress) -> dict[str, float | None]:
    """Do the export of the request and return how close it is to the trained policy."""
    base, result, target = (Path(request[key]) for key in ("model_dir", "result", "target"))
    facts, merges, dtype = request["facts"], request["has_adapter"], request["dtype"]
    match request["form"]:
        case "adapter":
            progress(0, 1, "Copying the adapter and comparing")
            report = copy_adapter(base, result, target, facts=facts)
        case "merged" if merges:
            progress(0, 1, "Merging and comparing")
            report = export_merged(base, result, target, dtype=_DTYPES[dtype], facts=facts)
        case "merged":
            progress(0, 1, "Copying the model and comparing")
            report = copy_model(result, target, dtype=_DTYPES[dtype], facts=facts)
        case _:
            return _gguf(base, result, target, dtype, facts, merges, progress)
    return {"logits": report.logits, "max_difference": report.max_difference, "same_top1": report.same_top1}


def _gguf(
    base: Path, result: Path, target: Path, kind: str, facts: dict[str, Any], merges: bool, progress: Progress
) -> dict[str, float | None]:
    """Write the GGUF file and its contract beside it; an adapter is merged first, in float32."""
    with temporary_folder(target.parent) as scratch:
        source = result
        if merges:
            progress(0, 2, "Merging and comparing")
            source = export_merged(base, result, scratch / base.name, facts=facts).path
        progress(1, 2, "Writing the GGUF file and comparing")
        gap = export_gguf(source, target, kind=kind)
        contract = {**(read_contract(source) or {}), **facts}
        write_json(target.with_name(f"{target.stem}.contract.json"), contract)
    return {"logits": 0, "max_difference": gap, "same_top1": None}


if __name__ == "__main__":
    sys.exit(serve(export))
