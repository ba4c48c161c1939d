"""Trained models in folders, as a finished run leaves them."""

from __future__ import annotations

from pathlib import Path

from core.training.export.run_result import publish_result
from core.training.policy.model import LoadedModel


def save_result(model: LoadedModel, target: Path) -> Path:
    """Write the policy as a run's result at ``target``: a PEFT folder with an adapter, else the whole model."""
    folder, _ = publish_result(target.parent / f"{target.name}-run", model, {"step": 1})
    return folder.rename(target)
