"""Forks made with the real engine: a fork with nothing changed ends like its parent, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file

from core.domain.errors import NotFound, UsageError
from core.domain.run_events import Finished
from core.durable import MANIFEST
from core.runs import forking
from core.runs.child_processes.fork import fork as copy_checkpoint
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.forking import fork_run, saved_steps
from core.runs.hosting.driver import HostOptions, drive
from core.runs.run_reader import RunReader
from tests.core.training.golden_runs import GOLDEN, golden_config, golden_pairs

QUIET = {"eval_every": 0, "kl_every": 0, "sample_every": 0}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    config = golden_config("sigmoid", **QUIET, steps=4, checkpoint_every=2)
    folder = create_run(
        tmp_path_factory.mktemp("runs") / "parent", NewRun(config, GOLDEN / "model", golden_pairs(), name="mother")
    )
    assert isinstance(drive(folder.path, HostOptions(host="thread")), Finished)
    return folder


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the checkpoint here: a child process would import torch first."""

    def copy(source: Path, run_dir: Path) -> None:
        copy_checkpoint({"source": str(source), "run_dir": str(run_dir)}, lambda *_: None)

    monkeypatch.setattr(forking, "fork_in_child", copy)


def steps(folder: RunFolder) -> list[tuple[int, float, float, float]]:
    return [(s.step, s.loss, s.h, s.grad_norm) for s in RunReader(folder.path).steps()]


def test_that_a_fork_with_nothing_changed_continues_bit_for_bit(parent: RunFolder) -> None:
    child = fork_run(parent, 2, {})
    assert isinstance(drive(child.path, HostOptions(host="thread")), Finished)
    assert steps(child) == steps(parent)[2:]
    mine, hers = (load_file(f.path / "adapter/adapter_model.safetensors") for f in (child, parent))
    assert all(mine[name].equal(tensor) for name, tensor in hers.items())


@pytest.mark.usefixtures("in_this_process")
def test_that_a_child_records_its_parent_and_what_it_changed(parent: RunFolder) -> None:
    before = sorted(str(p) for p in parent.path.rglob("*"))
    child = fork_run(parent, 2, {"lr": "1e-4", "beta": 0.3}, name="daughter")
    record = child.record()
    assert (record.parent_run, record.parent_step, record.name) == (parent.record().run_id, 2, "daughter")
    assert (record.config.lr, record.config.beta) == (1e-4, 0.3)
    assert record.command_line.endswith("--step 2 --set lr=1e-4 --set beta=0.3")
    last = drive(child.path, HostOptions(host="thread"))
    assert isinstance(last, Finished)
    assert [c.split(":")[0] for c in last.summary["fork_from"]["changed"]] == ["beta", "lr"]
    assert steps(child)[0][2] == steps(parent)[2][2]  # h of the first step is still the parent's
    assert sorted(str(p) for p in parent.path.rglob("*")) == before


@pytest.mark.usefixtures("in_this_process")
def test_that_a_fork_that_cannot_be_leaves_nothing(parent: RunFolder) -> None:
    assert saved_steps(parent) == [4, 2]
    before = sorted(p.name for p in parent.path.parent.iterdir())
    with pytest.raises(NotFound) as caught:
        fork_run(parent, 3, {})
    assert "4, 2" in caught.value.hint
    with pytest.raises(UsageError, match="batch_size"):
        fork_run(parent, 2, {"batch_size": 8})
    with pytest.raises(UsageError, match="no_such"):
        fork_run(parent, 2, {"no_such": 1})
    assert sorted(p.name for p in parent.path.parent.iterdir()) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_that_a_fork_that_is_broken_off_leaves_nothing(
    parent: RunFolder, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def broken_off(*_: object) -> None:
        raise error

    monkeypatch.setattr(forking, "fork_in_child", broken_off)
    before = sorted(p.name for p in parent.path.parent.iterdir())
    with pytest.raises(error):
        fork_run(parent, 2, {})
    assert sorted(p.name for p in parent.path.parent.iterdir()) == before


def test_that_a_checkpoint_without_its_manifest_is_none_to_fork_from(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert saved_steps(run) == []
    for name in ("step-2", "step-10", "step-12", "other-3", "step-x"):
        (run.checkpoints / name).mkdir(parents=True)
        if name != "step-12":
            (run.checkpoints / name / MANIFEST).touch()
    assert saved_steps(run) == [10, 2]
