from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli import sweep, train
from core.cli.app import main
from core.domain.run_events import Failed, Finished
from core.runs.control_file import request
from core.runs.folder import RunFolder
from tests.core.cli.conftest import Said
from tests.core.training.golden_runs import GOLDEN

Call = Callable[..., Said]
BETAS = ["0.01", "0.05", "0.1", "0.3", "0.5"]


def test_that_a_sweep_over_five_betas_pays_for_one_reference_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(tmp_path / "home"))
    words = ["sweep", "--pairs", str(GOLDEN / "pairs.jsonl"), "--model", str(GOLDEN / "model"), "--json"]
    words += ["--over", f"beta={','.join(BETAS)}", "--out", str(tmp_path / "runs")]
    for setting in (
        "steps=2",
        "batch_size=12",
        "warmup=0",
        "template=none",
        "eval_every=0",
        "kl_every=0",
        "sample_every=0",
    ):
        words += ["--set", setting]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["sweep"] == "beta"
    runs = found["runs"]
    assert [run["value"] for run in runs] == BETAS
    assert [run["reference_computed"] for run in runs] == [23, 0, 0, 0, 0]  # two of the 24 pairs are the same tokens
    assert all(run["reference_from_cache"] > 0 for run in runs[1:])
    assert [RunFolder(Path(run["run"])).record().config.beta for run in runs] == [float(b) for b in BETAS]
    assert len({run["margin"] for run in runs}) == 5


def test_that_a_sweep_ends_in_a_table_and_the_same_command_goes_on(
    call: Call, pairs: Path, model: Path, tmp_path: Path
) -> None:
    options = ["--pairs", pairs, "--model", model, "--out", tmp_path / "runs", "--set", "steps=3"]
    said = call("sweep", *options, "--over", "lr=1e-5,1e-4")
    assert said.code == 0
    header, first, second = said.out.splitlines()[-3:]
    assert header.startswith("lr    step  held-out accuracy")
    assert (first.split()[0], second.split()[0]) == ("1e-5", "1e-4")
    again = call("sweep", *options, "--over", "lr=1e-5,1e-4,1e-3", "--json")
    assert again.code == 0
    assert again.err.count("finished before; it was not trained again") == 2
    lines = again.lines()
    assert sum(line.get("event") == "started" for line in lines) == 1, "only what is missing is trained"
    assert [run["settings"] for run in lines[-1]["runs"]] == [{"lr": "1e-5"}, {"lr": "1e-4"}, {"lr": "1e-3"}]
    other = call("sweep", *options, "--over", "lr=1e-5", "--name", "mine")
    assert other.code == 2
    assert "is no run of this sweep" in other.err


def test_that_a_grid_with_seeds_ends_in_its_frontier(call: Call, pairs: Path, model: Path, tmp_path: Path) -> None:
    rows = [
        {"prompt": f"Q{i}", "chosen": "yes", "rejected": "no", "split": "dev" if i > 5 else "train"} for i in range(8)
    ]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["sweep", "--pairs", pairs, "--model", model, "--out", tmp_path / "runs", "--set", "steps=4"]
    words += ["--set", "eval_every=2", "--over", "beta=0.1,0.3", "--seeds", "0,1", "--json"]
    found = call(*words).lines()[-1]
    assert found["sweep"] == "beta, seed"
    assert [run["value"] for run in found["runs"]] == ["0.1, seed 0", "0.1, seed 1", "0.3, seed 0", "0.3, seed 1"]
    frontier = found["frontier"]
    assert (frontier["number"], frontier["varied"], frontier["left_out"]) == ("held_out_accuracy", ["beta", "seed"], [])
    points = frontier["points"]
    assert len(points) == 4
    assert all(p["kl"]["value"] == 0.04 and p["kl"]["n"] == 4 and p["step"] == 4 for p in points)
    assert all(p["kl"]["hi"] == pytest.approx(0.04 + 1.959964 * 0.004) for p in points)
    assert all(p["quality"]["n"] == 2 and p["quality"]["lo"] < p["quality"]["hi"] for p in points)
    best = max(p["quality"]["value"] for p in points)
    assert set(frontier["frontier"]) == {p["run_id"] for p in points if p["quality"]["value"] == best}
    assert not any(p["other_objective"] for p in points), "beta and seed are what a sweep varies"


def test_that_an_interrupted_sweep_leaves_the_rest_and_goes_on_with_its_saved_run(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [
        "--pairs",
        pairs,
        "--model",
        model,
        "--out",
        tmp_path / "runs",
        "--set",
        "steps=4",
        "--over",
        "lr=1e-5,1e-4",
    ]

    def stop(line: str) -> None:
        if line.startswith("step 2"):
            request(tmp_path / "runs" / "lr-1e-5" / "control.json", "stop_and_save")

    with monkeypatch.context() as patch:
        patch.setattr(train, "say", stop)
        said = call("sweep", *options)
    assert said.code == 0
    assert "2 runs of 2 left; the same command goes on with them" in said.err
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["lr-1e-5"]
    again = call("sweep", *options, "--json")
    assert again.code == 0
    started = [line["resumed_from"] for line in again.lines() if line.get("event") == "started"]
    assert started == [2, 0], "the saved run goes on from its step, the other one begins"


def test_that_everything_is_checked_before_the_first_run(call: Call, pairs: Path, model: Path, tmp_path: Path) -> None:
    options = ["--pairs", pairs, "--model", model, "--out", tmp_path / "runs", "--set", "steps=3"]
    assert call("sweep", *options, "--over", "beta=0.1,-1").code == 2
    assert call("sweep", *options, "--over", "no_such=1,2").code == 2
    assert not (tmp_path / "runs").exists()
    (tmp_path / "runs" / "beta-0.3").mkdir(parents=True)
    (tmp_path / "runs" / "beta-0.3" / "mine").touch()
    said = call("sweep", *options, "--over", "beta=0.1,0.3")
    assert said.code == 2
    assert "no run was started" in said.err
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["beta-0.3"]


def test_that_a_sweep_goes_on_when_one_of_its_runs_fails(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--pairs", pairs, "--model", model, "--out", tmp_path / "runs", "--set", "steps=3"]
    work = sweep.work_on

    def fail_one(run_dir: Path, **how: Any) -> Finished | Failed:
        last = work(run_dir, **how)
        return Failed("nan", "Loss is NaN.", "Lower lr.") if run_dir.name == "lr-1e-3" else last

    monkeypatch.setattr(sweep, "work_on", fail_one)
    said = call("sweep", *options, "--over", "lr=1e-5,1e-3,1e-4")
    assert said.code == 1
    assert "1 run of 3 did not finish" in said.err
    header, *rows = said.out.splitlines()[-4:]
    assert [line.split()[0] for line in (header, *rows)] == ["lr", "1e-5", "1e-3", "1e-4"]
    assert "failed" in rows[1], "a run that fails does not end the sweep"
