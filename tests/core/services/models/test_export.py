from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.domain.errors import BadInput, ModelRefused, NotFound, StorageFull, UsageError, UserError
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.durable import MANIFEST, file_sha256, read_json, verify_folder
from core.runs.folder import RunFolder, publish
from core.services.models.export import ExportForm, export_run
from core.training.policy.model import load_model
from tests.fakes.exports import export_here
from tests.saved_models import save_result
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig(lora_r=2, device="cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="module")
def finished(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RunFolder]:
    """Run folders whose result is an adapter, a whole model, or not there yet."""
    root = tmp_path_factory.mktemp("runs")

    def make(kind: str) -> RunFolder:
        run = RunFolder(root / kind)
        if run.exists():
            return run
        config = RunConfig(lora_r=0 if kind == "model" else 2, device="cpu")
        dataset = {"title": "demo v1", "sha256": "ab" * 32}
        record = RunRecord("r1", "Run", 1, config, str(base), "f" * 64, 4, 0, dataset=dataset)
        publish(run.path, record, tiny_pairs(4))
        model = load_model(base, config)
        with torch.no_grad():
            for parameter in model.trainable().values():
                parameter.add_(0.01)
        if kind != "nothing":
            save_result(model, run.path / kind)
        return run

    return make


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    export_here(monkeypatch)


@pytest.mark.parametrize("form", ["adapter", "merged"])
@pytest.mark.usefixtures("in_process")
def test_that_a_folder_is_exported_with_a_contract_that_names_the_dataset(
    finished: Callable[[str], RunFolder], tmp_path: Path, form: Any
) -> None:
    seen: list[str] = []
    made = export_run(finished("adapter"), tmp_path / "out", form, on_progress=lambda *told: seen.append(told[2]))
    verify_folder(made.path)
    contract = read_json(made.path / "contract.json")
    assert contract["dataset"]["title"] == "demo v1"
    assert contract["run"]["fingerprint"] == "f" * 64
    assert made.logits > 1000
    assert made.max_difference < 1e-4
    assert seen


@pytest.mark.usefixtures("in_process")
def test_that_a_gguf_file_is_exported_with_its_contract_beside_it(
    finished: Callable[[str], RunFolder], tmp_path: Path
) -> None:
    made = export_run(finished("adapter"), tmp_path / "out.gguf", "gguf", dtype="f32")
    assert made.max_difference < 1e-4
    assert {p.name for p in tmp_path.iterdir()} == {"out.gguf", "out.contract.json", "out.Modelfile"}
    assert "\nFROM ./out.gguf\n" in (tmp_path / "out.Modelfile").read_text(encoding="utf-8")
    assert read_json(tmp_path / "out.contract.json")["merged"] is True


@pytest.mark.usefixtures("in_process")
def test_that_a_fully_trained_run_exports_its_model(finished: Callable[[str], RunFolder], tmp_path: Path) -> None:
    made = export_run(finished("model"), tmp_path / "out", "merged", dtype="bfloat16")
    assert 0 < made.max_difference < 1
    assert export_run(finished("model"), tmp_path / "out.gguf", "gguf").path.is_file()
    assert read_json(tmp_path / "out.contract.json")["run"]["id"] == "r1"
    with pytest.raises(UsageError, match="has no adapter"):
        export_run(finished("model"), tmp_path / "x", "adapter")


@pytest.mark.parametrize(("form", "name"), [("adapter", "out"), ("merged", "out"), ("gguf", "out.gguf")])
@pytest.mark.usefixtures("in_process")
def test_that_an_export_says_what_it_wrote_and_how_to_load_it(
    finished: Callable[[str], RunFolder], tmp_path: Path, form: Any, name: str
) -> None:
    made = export_run(finished("adapter"), tmp_path / name, form)
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(Path(file).name for file in made.files) == sorted(p.name for p in written)
    assert made.bytes == sum(p.stat().st_size for p in written)
    assert made.sha256 == file_sha256(made.path if form == "gguf" else made.path / MANIFEST)
    assert str(made.path) in made.sentence
    assert {"adapter": "PeftModel", "merged": "AutoModelForCausalLM", "gguf": "llama-cli"}[form] in made.sentence


@pytest.mark.usefixtures("in_process")
def test_that_an_export_from_a_quantised_base_says_so(
    finished: Callable[[str], RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished("adapter")
    record = run.record()
    config = dataclasses.replace(record.config, quantize="4bit")
    monkeypatch.setattr(RunFolder, "record", lambda _: dataclasses.replace(record, config=config))
    assert "4bit base" in export_run(run, tmp_path / "out").sentence


@pytest.mark.usefixtures("in_process")
def test_that_wrong_calls_are_refused_before_anything_is_written(
    finished: Callable[[str], RunFolder], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "x.contract.json").touch()
    run, target = finished("adapter"), tmp_path / "x"
    with pytest.raises(BadInput, match="exists already"):
        export_run(run, tmp_path / "mine")
    with pytest.raises(BadInput, match=r"x\.contract\.json exists already"):
        export_run(run, tmp_path / "x.gguf", "gguf")
    with pytest.raises(BadInput, match="no name of a GGUF file"):
        export_run(run, target, "gguf")
    with pytest.raises(UsageError, match="cannot be exported as"):
        export_run(run, target, "onnx")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="dtype of merged cannot be"):
        export_run(run, target, "merged", dtype="int8")
    with pytest.raises(UsageError, match="dtype of adapter cannot be"):
        export_run(run, target, dtype="float32")
    with pytest.raises(NotFound, match="no result yet; it is created"):
        export_run(finished("nothing"), target)
    with pytest.raises(NotFound, match="holds no run"):
        export_run(RunFolder(tmp_path / "nowhere"), target)
    assert {p.name for p in tmp_path.iterdir()} == {"mine", "x.contract.json"}


def test_that_a_full_disk_is_named_before_anything_is_written(
    finished: Callable[[str], RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    forms: tuple[tuple[ExportForm, str], ...] = (("adapter", "out"), ("merged", "out"), ("gguf", "out.gguf"))
    for form, name in forms:
        with pytest.raises(StorageFull, match="nothing was written"):
            export_run(finished("adapter"), tmp_path / "new" / name, form)
    assert list(tmp_path.iterdir()) == []


def test_that_a_cancelled_export_leaves_nothing(finished: Callable[[str], RunFolder], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cancelled"):
        export_run(finished("adapter"), tmp_path / "out", "merged", cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_that_a_missing_base_is_named(finished: Callable[[str], RunFolder], tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(finished("adapter").path, tmp_path / "run"))
    run.run_json.write_text(json.dumps({**read_json(run.run_json), "model_dir": str(tmp_path / "gone")}))
    with pytest.raises(NotFound, match=r"base model .* is gone"):
        export_run(run, tmp_path / "out")


def test_that_the_child_process_refuses_a_base_that_is_not_the_adapters(
    finished: Callable[[str], RunFolder], tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(finished("adapter").path, tmp_path / "run"))
    contract = read_json(run.path / "adapter" / "contract.json")
    contract["base"]["weights_sha256"] = "0" * 64
    (run.path / "adapter" / "contract.json").write_text(json.dumps(contract))
    with pytest.raises(ModelRefused, match="was trained on"):
        export_run(run, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
