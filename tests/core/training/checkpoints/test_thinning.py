"""Old checkpoints are removed only when enough newer ones verify."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import durable
from core.domain.run_config import RunConfig
from core.training.checkpoints import save_load
from core.training.checkpoints.save_load import RunState


def publish(run_dir: Path, step: int) -> Path:
    """Publish a checkpoint with a state and some weights."""
    state = RunState(step, 20, RunConfig().to_plain(), {}, "fingerprint")

    def fill(folder: Path) -> None:
        durable.write_json(folder / "state.json", state.to_plain())
        (folder / "weights.safetensors").write_bytes(bytes(64))

    target = save_load.step_folder(run_dir, step)
    target.parent.mkdir(parents=True, exist_ok=True)
    durable.publish_folder(target, fill)
    return target


def damage(path: Path, how: str) -> None:
    """Make a checkpoint unusable."""
    if how == "flipped":
        (path / "weights.safetensors").write_bytes(bytes(63) + b"x")
    elif how == "no manifest":
        (path / durable.MANIFEST).unlink()
    elif how == "a list":
        (path / durable.MANIFEST).write_text("[1]")
    else:
        (path / "weights.safetensors").unlink()


@pytest.mark.parametrize("how", ["flipped", "no manifest", "a list", "cut"])
@pytest.mark.parametrize("keep", [1, 2])
def test_that_a_damaged_newest_checkpoint_never_costs_the_last_sound_one(tmp_path: Path, keep: int, how: str) -> None:
    for step in (2, 4, 6):
        publish(tmp_path, step)
    damage(publish(tmp_path, 12), how)
    save_load.delete_older(tmp_path, keep)
    found, problems = save_load.newest(tmp_path)
    assert found is not None
    assert found.state.step == 6
    assert len(problems) == 1
    sound = [path for path in save_load.listed(tmp_path) if path.name != "step-12"]
    assert len(sound) == keep


def test_that_the_checkpoint_just_saved_counts_as_sound_and_the_damaged_ones_go_in_time(tmp_path: Path) -> None:
    publish(tmp_path, 2)
    damage(publish(tmp_path, 4), "flipped")
    newest = publish(tmp_path, 6)
    assert [path.name for path in save_load.delete_older(tmp_path, 1, newest)] == ["step-4", "step-2"]
    assert [path.name for path in save_load.listed(tmp_path)] == ["step-6"]


def test_that_nothing_is_removed_when_all_are_kept_or_none_verifies(tmp_path: Path) -> None:
    for step in (2, 4):
        damage(publish(tmp_path, step), "cut")
    assert save_load.delete_older(tmp_path, 0) == []
    assert save_load.delete_older(tmp_path, 1) == []
    assert len(save_load.listed(tmp_path)) == 2
