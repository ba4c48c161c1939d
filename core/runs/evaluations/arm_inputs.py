"""The hashes of what answers: of a run's model, tokenizer, template and policy, or of a model folder. No torch."""

from __future__ import annotations

from pathlib import Path

from core.domain.ids import sha256_text
from core.model_files.identity import model_sha256, tokenizer_sha256
from core.model_files.policy_files import policy_sha256
from core.model_files.template_files import template_files
from core.runs.folder import RunFolder


def inputs_of_run(run_dir: Path, step: int) -> dict[str, str]:
    """Return sha256 by "model", "tokenizer", "template" and "policy" of a run's checkpoint; step 0 is its result.

    Raises:
        NotFound: when the run has no such weights.
    """
    run = RunFolder(run_dir).record()
    own = _of_text(Path(run.model_dir))
    return {"model": run.inputs.get("model", ""), **own, "policy": policy_sha256(run_dir, step)}


def inputs_of_model(model_dir: Path) -> dict[str, str]:
    """Return sha256 by "model", "tokenizer" and "template" of a model folder or GGUF file.

    Raises:
        BadInput: when it holds no readable model.
    """
    return {"model": model_sha256(model_dir), **_of_text(model_dir)}


def _of_text(model_dir: Path) -> dict[str, str]:
    files = template_files(model_dir)
    template = sha256_text(str(files.chat_template)) if files is not None else ""
    return {"tokenizer": tokenizer_sha256(model_dir), "template": template}
