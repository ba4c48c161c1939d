"""What a run learned, for other tools: an adapter, a merged model, or one GGUF file, each with its contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from core.domain.errors import BadInput, NotFound, UsageError
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import worker_environment

Form = Literal["adapter", "merged", "gguf"]
FORMS: tuple[str, ...] = get_args(Form)


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What was written, and how near it is to what was trained.

    Attributes:
        path: a folder, or the GGUF file. form: one of ``FORMS``.
        logits: how many were compared. max_difference: the largest between export and trained policy.
        same_top1: share of positions where both predict the same token.
    """

    path: Path
    form: str
    logits: int
    max_difference: float
    same_top1: float


def export_run(
    run_dir: Path,
    target: Path,
    form: Form = "adapter",
    *,
    dtype: str = "",
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExportedModel:
    """Export the result of the finished run at ``run_dir`` to ``target``, which must not exist.

    Args:
        run_dir: the run folder.
        target: a folder; for "gguf" a file.
        form: "adapter" (PEFT), "merged" (safetensors folder) or "gguf".
        dtype: "float32" or "bfloat16" for merged, "f32", "f16" or "bf16" for gguf; "" takes float32 and f16.
        on_progress: told (done, total, text).
        cancelled: polled; True ends the child at once.

    Raises:
        NotFound: when the run has no result yet.
        ModelRefused: when base and adapter do not belong together, or the export computes something else.
    """
    if form not in FORMS:
        raise UsageError(f"A model cannot be exported as {form!r}.", f"Use one of: {', '.join(FORMS)}.")
    target = Path(target).expanduser().resolve()
    if target.exists():
        raise BadInput(f"{target} exists already; nothing was written.", "Choose another name.")
    folder = RunFolder(Path(run_dir))
    question = {
        "model_dir": folder.record().model_dir,
        "result": str(_result(folder, form)),
        "target": str(target),
        "form": form,
        "dtype": dtype,
        "facts": contract_facts(folder),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    answer = run_in_subprocess(
        "core.services.models.export_worker",
        question,
        environment=worker_environment(),
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return ExportedModel(target, form, **answer)


def _result(folder: RunFolder, form: str) -> Path:
    adapter, model = folder.path / "adapter", folder.path / "model"
    if adapter.is_dir():
        return adapter
    if not model.is_dir():
        raise NotFound("This run has no result yet.", "Export it once it has finished.")
    if form == "adapter":
        raise UsageError("This run trained every weight; it has no adapter.", "Export it as merged or gguf.")
    return model


def contract_facts(folder: RunFolder) -> dict[str, Any]:
    """Return what the run record adds to the contract: dataset, rubrics, inputs, fingerprint, charter."""
    record = folder.record()
    return {
        "run": {"id": record.run_id, "name": record.name, "fingerprint": record.fingerprint, "inputs": record.inputs},
        "dataset": record.dataset,
        "charter": record.charter.to_plain(),
        "trained_with": record.versions,
    }
