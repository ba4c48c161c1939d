"""A release measured again from a copy of its workspace in another folder, where the first one is gone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound, UserError
from core.domain.run_config import RunConfig
from core.evaluation.openings import read_notes
from core.evaluation.sealed_test import write_sealed
from core.runs.creation import NewRun, create_run
from core.runs.evaluations.creation import NewEvaluation, SealedSuite, create_evaluation
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.hosting.driver import HostOptions, drive
from core.services.application import Application
from core.services.releases.verifying import verify_contract
from core.services.releases.views import ReleaseRequest
from tests.core.runs.evaluations.conftest import SMALL, open_suite, preference_suite
from tests.fakes.exports import export_here
from tests.fakes.fresh import fresh
from tests.tiny_models import save_tiny, tiny_pairs

RUN, EVALUATION, ROOT = "a" * 32, "b" * 32, "c" * 64
CONFIG = RunConfig().with_values({
    "steps": 1, "batch_size": 2, "lora_r": 2, "max_length": 128, "device": "cpu", "threads": 1, "eval_every": 0,
    "kl_every": 0, "sample_every": 0, "checkpoint_every": 0, "warmup": 0,
})  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """A release, and the copy of its workspace that is left."""

    release: Path
    workspace: Path

    @property
    def sealed(self) -> Path:
        return self.workspace / "sealed" / f"{ROOT}.sealed"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    place = tmp_path_factory.mktemp("moved")
    first, second, out = place / "first" / "ws", place / "second" / "ws", place / "release"
    with fresh(first) as app, pytest.MonkeyPatch.context() as patch:
        export_here(patch)
        _evaluate(first, place / "keys")
        app.releases.make(ReleaseRequest(EVALUATION, out, "ben", despite="A test of the contract."))
    shutil.copytree(first, second)
    first.parent.rename(place / "gone")
    return Moved(out, second)


def _evaluate(workspace: Path, keys: Path) -> None:
    model = save_tiny(workspace / "models" / "tiny")
    pairs = [replace(pair, split="train") for pair in tiny_pairs(4)]
    run = create_run(workspace / "runs" / RUN, NewRun(CONFIG, model, pairs), run_id=RUN)
    assert drive(run.path, HostOptions(host="terminal")).event == "finished"
    path = workspace / "sealed" / f"{ROOT}.sealed"
    header = write_sealed(path, keys, preference_suite(), ROOT)
    sealed = SealedSuite("sealed:kind v1", path, keys, header.contents_sha256, header.rows, "ann", "Release candidate")
    new = NewEvaluation(run.path, (open_suite(2),), sealed=(sealed,), config=SMALL)
    folder = create_evaluation(workspace / "evaluations" / EVALUATION, new, evaluation_id=EVALUATION)
    assert evaluate(folder.path, EvaluationHost(host="terminal")).event == "finished"


@pytest.mark.slow
def test_that_a_copy_of_the_workspace_in_another_folder_gives_the_same_numbers(moved: Moved) -> None:
    looks = len(read_notes(moved.sealed))
    found = verify_contract(moved.release, workspace=moved.workspace)
    assert len(found.deltas) > 20 and {delta.suite for delta in found.deltas} == {"asks v2", "sealed:kind v1"}
    assert found.largest == 0, found.deltas[:3]
    assert len(read_notes(moved.sealed)) == looks + 1
    assert "verified" in read_notes(moved.sealed)[-1].reason


def test_that_the_gate_finds_the_run_of_a_workspace_that_was_moved(moved: Moved) -> None:
    with Application.open(moved.workspace, read_only=True) as app:
        states = {check.key: check.state for check in app.releases.gate(EVALUATION).checks}
    assert states["files"] == "passed"


def test_that_what_lies_elsewhere_is_asked_for(moved: Moved, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="--workspace"):
        verify_contract(moved.release)
    shutil.copytree(moved.workspace / "runs", tmp_path / "runs")
    with pytest.raises(NotFound, match=r"sealed test .* is not in"):
        verify_contract(moved.release, workspace=tmp_path)


def test_that_a_sealed_test_that_was_tampered_with_is_refused(moved: Moved, tmp_path: Path) -> None:
    whole = moved.sealed.read_bytes()
    try:
        broken = bytearray(whole)
        broken[-20] ^= 1
        moved.sealed.write_bytes(bytes(broken))
        with pytest.raises(UserError, match=r"could not be measured again: .*altered"):
            verify_contract(moved.release, workspace=moved.workspace)
        moved.sealed.unlink()
        write_sealed(moved.sealed, tmp_path / "keys", preference_suite(5), ROOT)
        with pytest.raises(UserError, match=r"could not be measured again: .*other items"):
            verify_contract(moved.release, workspace=moved.workspace)
    finally:
        moved.sealed.write_bytes(whole)


def test_that_weights_that_are_not_the_released_ones_are_refused(moved: Moved) -> None:
    weights = next((moved.workspace / "runs" / RUN).glob("*/adapter_model.safetensors"))
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-4] + b"\0\0\x80\x3f")
        with pytest.raises(BadInput, match="not the one that was released"):
            verify_contract(moved.release, workspace=moved.workspace)
    finally:
        weights.write_bytes(whole)
