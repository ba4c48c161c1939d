from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli import sweep
from core.cli.app import main
from core.cli.sweep import read_over, run_folders
from core.domain.errors import UsageError
from core.domain.run_events import Failed, Finished
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


def test_that_a_sweep_ends_in_a_table(call: Call, pairs: Path, model: Path, tmp_path: Path) -> None:
    options = ["--pairs", pairs, "--model", model, "--out", tmp_path / "runs", "--set", "steps=3"]
    said = call("sweep", *options, "--over", "lr=1e-5,1e-4")
    assert said.code == 0
    header, first, second = said.out.splitlines()[-3:]
    assert header.startswith("lr    step  held-out accuracy")
    assert "in the first 48 tokens" in first and "±" in second
    assert (first.split()[0], second.split()[0]) == ("1e-5", "1e-4")
    assert call("sweep", *options, "--over", "lr=1e-5").code == 2  # the folder is taken


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


def test_that_the_table_of_what_finished_is_printed_when_a_later_run_fails(
    call: Call, pairs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--pairs", pairs, "--model", model, "--out", tmp_path / "runs", "--set", "steps=3"]
    work = sweep.work_on

    def fail_at_last(run_dir: Path, **how: Any) -> Finished | Failed:
        last = work(run_dir, **how)
        return Failed("nan", "Loss is NaN.", "Lower lr.") if run_dir.name == "lr-1e-3" else last

    monkeypatch.setattr(sweep, "work_on", fail_at_last)
    said = call("sweep", *options, "--over", "lr=1e-5,1e-4,1e-3")
    assert said.code == 1
    header, first, second = said.out.splitlines()[-3:]
    assert (header.split()[0], first.split()[0], second.split()[0]) == ("lr", "1e-5", "1e-4")


def test_that_every_run_folder_lies_in_the_folder_that_was_named() -> None:
    out = Path("runs")
    assert run_folders(out, "beta", ["0.1", "3e-1"]) == {"0.1": out / "beta-0.1", "3e-1": out / "beta-3e-1"}
    places = run_folders(out, "init_adapter", ["/a/b", "/a-b", "../c"])
    assert [place.name for place in places.values()] == ["init_adapter-a-b-1", "init_adapter-a-b-2", "init_adapter-c-3"]
    assert {place.parent for place in places.values()} == {out}


@pytest.mark.parametrize("text", ["", "beta", "beta=", "beta=0.1,0.1"])
def test_that_what_is_no_sweep_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_over(text)
    assert read_over("beta=0.1, 0.3") == ("beta", ["0.1", "0.3"])
