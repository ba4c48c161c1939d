from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.app import main
from core.cli.sweep import read_over
from core.domain.errors import UsageError
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
    assert header.split()[:4] == ["lr", "step", "loss", "margin"]
    assert (first.split()[0], second.split()[0]) == ("1e-5", "1e-4")
    assert call("sweep", *options, "--over", "lr=1e-5").code == 2  # the folder is taken


@pytest.mark.parametrize("text", ["", "beta", "beta=", "beta=0.1,0.1"])
def test_that_what_is_no_sweep_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_over(text)
    assert read_over("beta=0.1, 0.3") == ("beta", ["0.1", "0.3"])
