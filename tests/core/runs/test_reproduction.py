"""A run that is trained again: equal bit for bit, and what differs where it is not the same run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from core.domain.errors import BadInput
from core.domain.run_events import Finished
from core.runs.child_processes.reproduce_program import again
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.priority import VARIABLE
from core.runs.reproduction import Reproduction, _compared, reproduce
from tests.core.training.golden_runs import GOLDEN, golden_config, golden_pairs

QUIET = {"eval_every": 0, "kl_every": 0, "sample_every": 0, "checkpoint_every": 0}


def made(place: Path) -> RunFolder:
    config = golden_config("sigmoid", **QUIET, steps=3)
    return create_run(place / "run", NewRun(config, GOLDEN / "model", golden_pairs(), name="first"))


def test_that_a_run_trained_again_gives_the_same_pairs_and_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    folder = made(tmp_path)
    with pytest.raises(BadInput, match="no step yet"):
        reproduce(folder.path)
    assert isinstance(drive(folder.path, HostOptions(host="thread")), Finished)
    before = {path: path.read_bytes() for path in folder.path.rglob("*.json")}
    found = reproduce(folder.path)
    assert (found.steps, found.same_order, found.max_loss, found.max_margin) == (3, True, 0.0, 0.0)
    assert found.visits >= 3 and "all numbers equal (max |delta| 0)" in found.sentence()
    assert {path: path.read_bytes() for path in folder.path.rglob("*.json")} == before
    told: list[tuple[int, int, str]] = []
    part = Reproduction.from_plain(
        again({"folder": str(folder.path), "steps": 2, "total": 2}, lambda *row: told.append(row))
    )
    assert part.steps == 2 and part.largest == 0
    assert told[0] == (0, 2, "Reading the run") and told[-1][:2] == (2, 2), "what the program of the window tells"


def test_that_other_numbers_and_other_pairs_are_told_apart() -> None:
    known = {1: (0.7, {"a": 0.0, "b": 0.5}), 2: (0.6, {"c": 1.0})}
    moved = _compared("r", known, {1: (0.7, {"a": 0.25, "b": 0.5}), 2: (0.5, {"c": 1.0})})
    assert moved.same_order and moved.max_loss == pytest.approx(0.1) and moved.max_margin == 0.25
    assert moved.largest == 0.25 and "max |delta| 0.1 of loss and 0.25 of margin" in moved.sentence()
    other = _compared("r", known, {1: (0.7, {"a": 0.0, "c": 0.5}), 2: (0.6, {"b": 1.0})})
    assert Reproduction.from_plain(other.to_plain()) == other
    assert not other.same_order and other.largest == math.inf and other.to_plain()["max_margin"] is None
    lost = _compared("r", {1: (math.nan, {"a": math.nan})}, {1: (0.5, {"a": math.nan})})
    assert (lost.max_loss, lost.max_margin) == (math.inf, 0.0)
    assert not _compared("r", known, {}).same_order
