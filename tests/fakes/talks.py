"""A run whose result was never trained: a tiny model, and a policy that differs from it by noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core.domain.run_config import RunConfig
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.training.export.run_result import publish_result
from core.training.policy.model import load_model
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig().with_values({
    "steps": 2, "batch_size": 2, "lora_r": 4, "max_length": 128, "device": "cpu", "threads": 1, "eval_every": 0,
    "kl_every": 0, "sample_every": 0,
})  # fmt: skip


def untrained_run(place: Path, model: Path | None = None, *, name: str = "r", **changes: Any) -> RunFolder:
    """Return a run with a result whose policy differs from its reference by noise.

    Args:
        place: folder for model and run.
        model: of an earlier one; a tiny model is saved when None.
        name: of the run; one letter.
        changes: of its settings.
    """
    model = model or save_tiny(place / "model")
    config = CONFIG.with_values(changes)
    folder = create_run(
        place / "runs" / name, NewRun(config, model, tiny_pairs(4), name=f"run {name}"), run_id=name * 32
    )
    loaded = load_model(model, config)
    with torch.no_grad():
        torch.manual_seed(len(name) + ord(name))
        for parameter in loaded.trainable().values():
            parameter += 0.2 * torch.randn_like(parameter)
    publish_result(folder.path, loaded, {"step": 2})
    return folder
