"""Where the base model of a run lies: where it was, or in the workspace that run and model were copied with."""

from __future__ import annotations

from pathlib import Path


def base_model_place(run_dir: Path, model_dir: str) -> Path:
    """Return the folder of a run's base model; the caller verifies its files by their hashes.

    Args:
        run_dir: folder of the run, as ``WORKSPACE/runs/ID``.
        model_dir: as ``run.json`` names it.
    """
    known = Path(model_dir)
    beside = Path(run_dir).parent.parent / "models" / known.name
    return beside if beside.is_dir() and not known.is_dir() else known
