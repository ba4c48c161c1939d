"""Forks: a run that continues another run's checkpoint under changed settings."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from core import durable
from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.private_files import make_folders
from core.training.checkpoints import save_load
from core.training.checkpoints.save_load import Checkpoint
from core.training.text.fixed_settings import with_open_values

FIXED: tuple[str, ...] = (
    "batch_size",
    "shuffle",
    "seed",
    "dtype",
    "lora_r",
    "lora_alpha",
    "lora_targets",
    "lora_rslora",
    "lora_dora",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "lora_experts",
    "reference",
    "reference_model",
    "ref_refresh_every",
    "quantize",
    "optimizer",
    "template",
    "template_args",
    "template_date",
    "rewritten_answers",
    "row_rules",
    "max_length",
    "min_response",
)
"""Settings a fork must keep: weights, tokens, reference and the position in the data order depend on them."""


def fork_checkpoint(source: Path, run_dir: Path, config: RunConfig, *, parent_run: str = "") -> Checkpoint:
    """Copy the checkpoint at ``source`` into the fork's run folder, so that resuming the fork continues it.

    The copy's manifest names the checkpoint it was forked from and the settings that changed. Without changes the fork
    continues bit for bit like its parent.

    Args:
        source: a checkpoint folder of the parent, ``.../checkpoints/step-N``.
        run_dir: the fork's run folder.
        config: the fork's settings.
        parent_run: id of the parent run.

    Raises:
        BadInput: when the parent's checkpoint is damaged.
        UsageError: when a setting changed that a fork must keep.
    """
    parent = save_load.read(Path(source))
    changed = save_load.objective_differences(parent.state.config, config)
    if config.reference_model != parent.state.config.get("reference_model", ""):
        changed.insert(0, "reference_model: another model")
    if fixed := [change for change in changed if change.split(":")[0] in FIXED]:
        raise UsageError(
            f"A fork cannot change {fixed[0]}: the checkpoint was trained with it.", "Start a new run instead."
        )
    config = with_open_values(config, parent.state.config)
    origin = {
        "run": parent_run,
        "step": parent.state.step,
        "checkpoint_sha256": parent.sha256,
        "changed": changed,
        **({"parent": parent.state.fork_from} if parent.state.fork_from else {}),
    }
    state = replace(
        parent.state,
        config=config.to_plain(),
        fingerprint=config.fingerprint(**parent.state.inputs),
        attempt=0,
        fork_from=origin,
    )
    target = save_load.step_folder(run_dir, state.step)
    make_folders(target.parent)

    def fill(folder: Path) -> None:
        for path in parent.path.iterdir():
            if path.name in (durable.MANIFEST, "state.json"):
                continue
            if path.is_dir():
                shutil.copytree(path, folder / path.name)
            else:
                shutil.copyfile(path, folder / path.name)
        durable.write_json(folder / "state.json", state.to_plain())

    identity = {
        "kind": "checkpoint",
        "step": state.step,
        "fingerprint": state.fingerprint,
        "fork_from": origin,
    }
    sha256 = durable.publish_folder(target, fill, identity=identity)
    return Checkpoint(target, state, sha256)
