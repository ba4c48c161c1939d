from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.run_config import RunConfig
from core.runs.creation import NewRun, create_run
from core.training.policy.model import load_model
from tests.core.cli.conftest import Said
from tests.core.runs.conftest import make_pairs
from tests.fakes.exports import export_here
from tests.saved_models import save_result
from tests.tiny_models import save_tiny

Call = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a trained adapter, whose export works in this process."""
    export_here(monkeypatch)
    model, config = save_tiny(tmp_path / "model"), RunConfig(lora_r=2, device="cpu")
    made = create_run(tmp_path / "ws" / "runs" / "one", NewRun(config, model, make_pairs(), name="one"))
    save_result(load_model(model, config), made.path / "adapter")
    return made.path


@pytest.mark.usefixtures("run")
def test_that_a_run_is_exported_with_progress_and_a_sentence(call: Call, tmp_path: Path) -> None:
    said = call("runs", "export", "one", tmp_path / "out.gguf", "--form", "gguf", "--in", tmp_path / "ws")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[:2] == ["[1/2] Merging and comparing", "[2/2] Writing the GGUF file and comparing"]
    assert "Load it with: llama-cli" in lines[-1]
    assert (tmp_path / "out.gguf").is_file()


def test_that_an_export_answers_machines_with_one_value(call: Call, run: Path, tmp_path: Path) -> None:
    told = call("runs", "export", run, tmp_path / "out", "--json").json()
    assert (told["form"], told["dtype"], told["path"]) == ("adapter", "", str(tmp_path / "out"))
    assert "adapter_model.safetensors" in told["files"]
    assert len(told["sha256"]) == 64


def test_that_refusals_have_their_exit_codes(call: Call, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("runs", "export", run, out, "--form", "onnx").code == 2
    assert call("runs", "export", run, out, "--form", "merged", "--dtype", "int8").code == 2
    assert call("runs", "export", tmp_path / "none", out).code == 1
    out.mkdir()
    said = call("runs", "export", run, out, "--json")
    assert said.code == 1
    assert "exists already; nothing was written" in said.error()["error"]
