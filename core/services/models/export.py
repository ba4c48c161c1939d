"""Exporting the result of a run for other tools: an adapter, a merged model, or one GGUF file. Needs no workspace.

A child process loads the models, writes the export and compares its logits with the trained policy. The files are
checked again here, and only then moved to the target: a cancelled or failed export leaves nothing behind.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from core import durable
from core.domain.choices import choice_hint
from core.domain.errors import BadInput, NotFound, StorageFull, UsageError
from core.domain.run_record import RunRecord
from core.model_files.gguf_file import check_gguf
from core.model_files.safetensors_file import parameter_count
from core.private_files import make_folders
from core.runs.child_processes.request import Progress, run_in_subprocess
from core.runs.folder import RunFolder
from core.runs.hosting.hosts import worker_environment
from core.runs.status import read_status
from core.services.models.ollama import modelfile
from core.unfinished import temporary_folder

ExportForm = Literal["adapter", "merged", "gguf"]
FORMS: tuple[ExportForm, ...] = get_args(ExportForm)
DTYPES: dict[ExportForm, dict[str, int]] = {
    "adapter": {"": 0},
    "merged": {"float32": 4, "bfloat16": 2, "float16": 2},
    "gguf": {"f16": 2, "f32": 4, "bf16": 2},
}
"""Form -> the number formats it can be written in, the default first, with the bytes of one number."""
_GGUF_GROWTH = 8
"""Upper bound of the bytes of a model in float32 to the bytes of its GGUF file."""
_SMALL_FILES = 64 << 20
"""Room for tokenizer, configuration and contract."""


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """What an export wrote, and how close it is to the trained policy.

    Attributes:
        path: the folder, or the GGUF file.
        form: one of ``FORMS``. dtype: the number format; "" for an adapter.
        files: names of the written files, relative to the folder of ``path`` for a GGUF file, else to ``path``.
        bytes: size of all files together.
        sha256: of the manifest, which names every file; of the file itself for GGUF.
        logits: how many were compared; 0 where only the largest difference is known.
        max_difference: the largest difference of a logit between the export and the trained policy.
        same_top1: share of positions where both predict the same token; None where it is not measured.
        load_with: how another tool loads it.
        note: what the numbers do not say; "" where they say all.
    """

    path: Path
    form: ExportForm
    dtype: str
    files: tuple[str, ...]
    bytes: int
    sha256: str
    logits: int
    max_difference: float
    same_top1: float | None
    load_with: str
    note: str = ""

    @property
    def sentence(self) -> str:
        """Where the export is, how large it is, and how to load it."""
        size = f"{self.bytes / 2**20:,.1f} MiB"
        checked = f"largest difference of a logit to the trained policy {self.max_difference:.2g}"
        text = f"Exported to {self.path} ({size}; {checked}). Load it with: {self.load_with}"
        return f"{text}. {self.note}" if self.note else text


def export_run(
    run: RunFolder,
    target: Path,
    form: ExportForm = "adapter",
    *,
    dtype: str = "",
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ExportedRun:
    """Export the result of a run to ``target``, which must not exist.

    Args:
        run: the folder of a run that has ended with a result.
        target: a folder; for "gguf" a file that ends in .gguf.
        form: "adapter" (PEFT), "merged" (safetensors folder) or "gguf".
        dtype: one of ``DTYPES`` of the form; the first when "".
        on_progress: gets (done, total, text).
        cancelled: polled; True ends the export and leaves nothing behind.

    Raises:
        UsageError: for an unknown form or dtype, or a form that the run does not have.
        BadInput: when ``target`` exists or its name does not fit.
        NotFound: when the run has no result, or its base model is gone.
        StorageFull: when there is too little room; nothing was written.
        ModelRefused: when base and adapter do not belong together, or the export computes something else.
        Cancelled: when ``cancelled`` became true.
    """
    dtype = _checked_dtype(form, dtype)
    target = _checked_target(target, form)
    record, result = run.record(), _result(run, form)
    base = Path(record.model_dir)
    if not base.exists():
        raise NotFound(f"The base model {base} is gone; nothing was written.", "Put it back and export again.")
    _check_room(target, result, base, form, dtype)
    with ExitStack() as stack:
        with durable.clear_errors(target):
            make_folders(target.parent)
            folder = stack.enter_context(temporary_folder(target.parent))
        draft = folder / target.name
        numbers = run_in_subprocess(
            "core.services.models.export_worker",
            {
                "model_dir": str(base),
                "result": str(result),
                "has_adapter": result.name == "adapter",
                "target": str(draft),
                "form": form,
                "dtype": dtype,
                "facts": contract_facts(record),
            },
            environment=worker_environment(),
            on_progress=on_progress,
            cancelled=cancelled,
        )
        sha256 = _verify(draft)
        if form == "gguf":
            durable.write_text(_modelfile_of(draft), modelfile(record, draft))
        parts = sorted(folder.iterdir(), key=lambda path: path == draft)  # what was asked for comes last
        files, size = _listing(parts, draft)
        for part in parts:
            durable.move(part, target.with_name(part.name))
    loading, note = _load_with(target, form), _note(record, form)
    return ExportedRun(target, form, dtype, files, size, sha256, **numbers, load_with=loading, note=note)


def contract_facts(record: RunRecord) -> dict[str, object]:
    """Return what the run record adds to the contract: dataset, rubrics, inputs, fingerprint, charter."""
    return {
        "run": {"id": record.run_id, "name": record.name, "fingerprint": record.fingerprint, "inputs": record.inputs},
        "dataset": record.dataset,
        "charter": record.charter.to_plain(),
        "trained_with": record.versions,
    }


def _checked_dtype(form: ExportForm, dtype: str) -> str:
    if form not in FORMS:
        raise UsageError(f"A run cannot be exported as {form!r}.", choice_hint(form, FORMS))
    allowed = DTYPES[form]
    if dtype and dtype not in allowed:
        known = ", ".join(allowed)
        hint = f"Use one of: {known}." if known else "Leave it out: an adapter keeps the numbers that were trained."
        raise UsageError(f"The dtype of {form} cannot be {dtype!r}.", hint)
    return dtype or next(iter(allowed))


def _checked_target(target: Path, form: ExportForm) -> Path:
    target = Path(target).expanduser().resolve()
    if form == "gguf" and target.suffix != ".gguf":
        raise BadInput(f"{target.name} is no name of a GGUF file; nothing was written.", "Use a name such as out.gguf.")
    beside = [target.with_name(f"{target.stem}.contract.json"), _modelfile_of(target)] if form == "gguf" else []
    for path in (target, *beside):
        if path.exists():
            raise BadInput(f"{path} exists already; nothing was written.", "Choose another name.")
    return target


def _modelfile_of(weights: Path) -> Path:
    """Return where the Modelfile of a GGUF file is."""
    return weights.with_name(f"{weights.stem}.Modelfile")


def _result(run: RunFolder, form: ExportForm) -> Path:
    adapter, model = run.path / "adapter", run.path / "model"
    if adapter.is_dir():
        return adapter
    if not model.is_dir():
        run.record()
        state = read_status(run).state
        if state == "finished":
            hint = "The demo's own run comes without them. Train it again."
            raise NotFound("The folder of this run holds no trained weights, though the run has finished.", hint)
        raise NotFound(f"This run has no result yet; it is {state}.", "Export it once it has finished.")
    if form == "adapter":
        raise UsageError("This run trained every weight; it has no adapter.", "Export it as merged or gguf.")
    return model


def _check_room(target: Path, result: Path, base: Path, form: ExportForm, dtype: str) -> None:
    """Refuse before the first byte what would fill the disk on the way."""
    if form == "adapter":
        needed = sum(path.stat().st_size for path in result.iterdir())
    else:
        merges = result.name == "adapter"
        numbers = _numbers_of(base if merges else result)
        needed = numbers * (DTYPES[form][dtype] + (4 if form == "gguf" and merges else 0))  # GGUF: merged first
    needed += _SMALL_FILES
    place = next(folder for folder in target.parents if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise StorageFull(
            f"This export needs about {needed / 2**30:,.1f} GiB and {free / 2**30:,.1f} GiB are free; "
            "nothing was written.",
            "Free some space, or choose another place.",
        )


def _numbers_of(model: Path) -> int:
    """Return how many numbers a model has; an upper bound for a GGUF file."""
    return model.stat().st_size * _GGUF_GROWTH // 4 if model.is_file() else parameter_count(model)


def _verify(draft: Path) -> str:
    """Read the written files again and return the hash that names them."""
    if draft.is_file():
        check_gguf(draft)
        return durable.file_sha256(draft)
    durable.verify_folder(draft)
    return durable.file_sha256(draft / durable.MANIFEST)


def _listing(parts: list[Path], draft: Path) -> tuple[tuple[str, ...], int]:
    """Return names and total size of the written files."""

    def walk() -> Iterator[tuple[str, int]]:
        for part in parts:
            for path in sorted(part.rglob("*")) if part.is_dir() else (part,):
                if path.is_file():
                    yield path.relative_to(draft if part.is_dir() else part.parent).as_posix(), path.stat().st_size

    found = dict(walk())
    return tuple(found), sum(found.values())


def _load_with(target: Path, form: ExportForm) -> str:
    if form == "adapter":
        return f'peft.PeftModel.from_pretrained(base, "{target}")'
    if form == "merged":
        return f'transformers.AutoModelForCausalLM.from_pretrained("{target}")'
    return f'llama-cli -m "{target}", or ollama create NAME -f "{_modelfile_of(target)}"'


def _note(record: RunRecord, form: ExportForm) -> str:
    kind = record.config.quantize
    if kind == "none":
        return ""
    if form == "adapter":
        return f"The adapter was trained on a {kind} base; on the full weights it computes nearly the same"
    if importlib.util.find_spec("bitsandbytes") is not None:
        return f"Its weights are the values that the {kind} base had in training, with the adapter added"
    return (
        f"It was trained on a {kind} base; on the full weights, which are written here, it computes nearly the same. "
        "With the quant extra installed the values of the training are written"
    )
