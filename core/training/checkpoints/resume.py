"""Where a run continues: the newest checkpoint that verifies and belongs to the same objective and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.training.checkpoints import save_load
from core.training.checkpoints.save_load import Checkpoint


def starting_point(
    run_dir: Path, config: RunConfig, inputs: Mapping[str, str], *, resume: bool
) -> tuple[Checkpoint | None, list[str]]:
    """Return the checkpoint to continue from, and what is wrong with newer ones.

    Raises:
        UsageError: when the folder has checkpoints but ``resume`` is off, or when the run has changed since.
    """
    if not resume:
        if save_load.listed(run_dir):
            raise UsageError(
                f"{run_dir} already holds checkpoints of a run; they were not changed.",
                "Resume that run, or choose another folder.",
            )
        return None, []
    checkpoint, problems = save_load.newest(run_dir)
    if checkpoint is None:
        return None, problems
    different = save_load.objective_differences(checkpoint.state.config, config)
    found = {"reference": None, **inputs}  # of a third model; only then is it among the inputs
    different += [f"{k}: another content" for k, v in found.items() if checkpoint.state.inputs.get(k) != v]
    if different:
        raise UsageError(
            f"This run cannot be resumed, because something changed: {'; '.join(different)}. Its checkpoints are safe.",
            "Restore these, or fork the run to continue with changed settings.",
        )
    return checkpoint, problems
