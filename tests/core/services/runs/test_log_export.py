"""The numbers of a run for TensorBoard and trackio: complete, with their steps and times, and read back."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput, UserError
from core.runs.run_reader import RunReader
from core.services.runs import log_export
from core.services.runs.log_export import export_log
from core.services.runs.log_export_worker import write
from core.services.runs.log_points import log_points
from tests.fakes.compared_runs import MOVED_A, PROMPTS, made_run, pairs_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReader:
    return made_run(tmp_path_factory.mktemp("logged"), "my run", pairs_of(PROMPTS), MOVED_A, beta=0.1)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(_module: str, request: dict[str, Any], **_: Any) -> int:
        return write(request, lambda *_: None)

    monkeypatch.setattr(log_export, "run_in_subprocess", here)


def test_that_every_moment_has_its_numbers_with_their_intervals(run: RunReader) -> None:
    points = log_points(run)
    assert [(point.step, *sorted({name.split("/")[0] for name in point.values})) for point in points] == [
        (2, "held_out"), (2, "kl"), (4, "held_out"), (4, "kl")
    ]  # fmt: skip
    last = points[-2].values
    assert last["held_out/h"] == pytest.approx(sum(c - r for c, r in MOVED_A) / 5)
    assert last["held_out/h_low"] < last["held_out/h"] < last["held_out/h_high"]
    assert last["held_out/pairs"] == 5 and points[-1].values["kl/kl"] == 1.0
    assert all(point.at_s > 1e9 for point in points)


def test_that_a_missing_library_and_a_taken_name_are_told_before_anything_is_written(
    run: RunReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Callable[[str], object | None] = lambda name: None  # noqa: E731
    with monkeypatch.context() as patched:
        patched.setattr(importlib.util, "find_spec", found)
        with pytest.raises(UserError, match=r"TensorBoard is not installed; nothing was written\.") as told:
            export_log(run.folder, tmp_path / "out", "tensorboard")
        assert told.value.hint == "Install it with: pip install 'pairwright[tensorboard]'"
    monkeypatch.setattr(log_export, "require_library", lambda form: None)
    with pytest.raises(BadInput, match="exists already"):
        export_log(run.folder, tmp_path, "trackio")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("in_process")
def test_that_tensorboard_reads_back_what_was_written(run: RunReader, tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    made = export_log(run.folder, tmp_path / "events", "tensorboard")
    assert made.points == 4 and "tensorboard --logdir" in made.sentence
    read = reading.EventAccumulator(str(made.path / "my-run"))
    read.Reload()
    scalars = read.Scalars("held_out/h")
    points = [point for point in log_points(run) if "held_out/h" in point.values]
    assert [(one.step, one.wall_time) for one in scalars] == [(p.step, p.at_s) for p in points]
    assert [one.value for one in scalars] == pytest.approx([p.values["held_out/h"] for p in points])
    assert set(read.Tags()["scalars"]) == {name for point in log_points(run) for name in point.values}


@pytest.mark.skipif(importlib.util.find_spec("trackio") is None, reason="trackio is an optional extra")
def test_that_a_trackio_project_holds_what_was_written(run: RunReader, tmp_path: Path) -> None:
    made = export_log(
        run.folder, tmp_path / "trackio", "trackio", name="shown so"
    )  # in a child: trackio fixes its folder
    assert "trackio show --project pairwright" in made.sentence
    (database,) = made.path.glob("*.db")
    with sqlite3.connect(database) as db:
        rows = db.execute("SELECT run_name, step, metrics FROM metrics ORDER BY step, id").fetchall()
        configs = db.execute("SELECT config FROM configs").fetchall()
    assert [(name, step) for name, step, _ in rows] == [
        ("shown so", 2),
        ("shown so", 2),
        ("shown so", 4),
        ("shown so", 4),
    ]
    wanted = [point.values for point in log_points(run)]
    assert [json.loads(metrics) for _, _, metrics in rows] == wanted
    assert json.loads(configs[0][0])["beta"] == 0.1
