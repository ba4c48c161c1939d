"""Loads the policy of a run, its result or a checkpoint, together with the reference it was trained against."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from core import durable
from core.domain.run_config import RunConfig
from core.model_files.policy_files import policy_folder
from core.training.checkpoints.save_load import load_weights
from core.training.policy.model import LoadedModel, load_model


def load_trained(
    model_dir: Path, config: RunConfig, run_dir: Path, step: int = 0, *, device: torch.device | None = None
) -> LoadedModel:
    """Load the policy of a run and its reference for measuring; the weights are verified against their manifest.

    A reference that followed the policy in training is the frozen start here, so that the KL is to a fixed model.

    Args:
        model_dir: base model of the run.
        config: settings of the run.
        run_dir: its folder.
        step: of the checkpoint; 0 is the run's result.
        device: None takes that of the settings.

    Raises:
        NotFound: when there are no such weights.
        BadInput: when they are damaged, or do not fit the model.
    """
    config = replace(config, ref_refresh_every=0)
    folder = policy_folder(run_dir, step)
    durable.verify_folder(folder)
    if folder.name == "model":
        # The policy is a whole model; its reference is the base that the run began with.
        config = replace(config, reference_model=config.reference_model or str(model_dir), reference="auto")
        return load_model(folder, config, device)
    inside = folder if step else folder.parent
    model = load_model(model_dir, config, device, layout_of=inside / "adapter" if config.method == "lora" else None)
    load_weights(model, inside)
    return model
