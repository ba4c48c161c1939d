from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.domain.errors import BadInput, ModelRefused, NotFound, UsageError
from core.domain.run_config import RunConfig
from core.domain.run_record import RunRecord
from core.durable import read_json, verify_folder
from core.runs.folder import publish
from core.services.models import export
from core.services.models.export import export_run
from core.services.models.export_worker import export as run_export
from core.training.policy.model import load_model
from tests.saved_models import save_result
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig(lora_r=2, device="cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="module")
def finished(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Run folders whose result is an adapter, a whole model, or not there yet."""
    root = tmp_path_factory.mktemp("runs")

    def make(kind: str) -> Path:
        path = root / kind
        if path.exists():
            return path
        config = RunConfig(lora_r=0 if kind == "model" else 2, device="cpu")
        dataset = {"title": "demo v1", "sha256": "ab" * 32}
        record = RunRecord("r1", "Run", 1, config, str(base), "f" * 64, 4, 0, dataset=dataset)
        publish(path, record, tiny_pairs(4))
        model = load_model(base, config)
        with torch.no_grad():
            for parameter in model.trainable().values():
                parameter.add_(0.01)
        if kind == "adapter":
            save_result(model, path / "adapter")
        elif kind == "model":
            save_result(model, path / "model")
        return path

    return make


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(module: str, question: dict[str, Any], *, on_progress: Any = None, **_: Any) -> Any:
        return run_export(question, on_progress or (lambda *_: None))

    monkeypatch.setattr(export, "run_in_subprocess", here)


@pytest.mark.parametrize("form", ["adapter", "merged"])
@pytest.mark.usefixtures("in_process")
def test_that_a_folder_is_exported_with_a_contract_that_names_the_dataset(
    finished: Callable[[str], Path], tmp_path: Path, form: Any
) -> None:
    seen: list[str] = []
    made = export_run(finished("adapter"), tmp_path / "out", form, on_progress=lambda d, t, text: seen.append(text))
    verify_folder(made.path)
    contract = read_json(made.path / "contract.json")
    assert contract["dataset"]["title"] == "demo v1"
    assert contract["run"]["fingerprint"] == "f" * 64
    assert made.logits > 1000
    assert made.max_difference < 1e-4
    assert seen


@pytest.mark.usefixtures("in_process")
def test_that_a_gguf_file_is_exported_with_its_contract_beside_it(
    finished: Callable[[str], Path], tmp_path: Path
) -> None:
    made = export_run(finished("adapter"), tmp_path / "out.gguf", "gguf", dtype="f32")
    assert made.max_difference < 1e-4
    assert {p.name for p in tmp_path.iterdir()} == {"out.gguf", "out.contract.json"}
    assert read_json(tmp_path / "out.contract.json")["merged"] is True


@pytest.mark.usefixtures("in_process")
def test_that_a_fully_trained_run_exports_its_model(finished: Callable[[str], Path], tmp_path: Path) -> None:
    made = export_run(finished("model"), tmp_path / "out", "merged", dtype="bfloat16")
    assert 0 < made.max_difference < 1
    assert export_run(finished("model"), tmp_path / "out.gguf", "gguf").path.is_file()
    with pytest.raises(UsageError, match="has no adapter"):
        export_run(finished("model"), tmp_path / "x", "adapter")


@pytest.mark.usefixtures("in_process")
def test_that_wrong_calls_are_refused_before_anything_is_written(
    finished: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match="exists already"):
        export_run(finished("adapter"), tmp_path / "mine")
    with pytest.raises(UsageError, match="cannot be exported as"):
        export_run(finished("adapter"), tmp_path / "x", "onnx")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="dtype cannot be"):
        export_run(finished("adapter"), tmp_path / "x", "merged", dtype="int8")
    with pytest.raises(NotFound, match="no result yet"):
        export_run(finished("nothing"), tmp_path / "x")
    with pytest.raises(NotFound):
        export_run(tmp_path / "nowhere", tmp_path / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_that_the_child_process_refuses_a_base_that_is_not_the_adapters(
    base: Path, finished: Callable[[str], Path], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished("adapter"), tmp_path / "run"))
    contract = read_json(run / "adapter" / "contract.json")
    contract["base"]["weights_sha256"] = "0" * 64
    (run / "adapter" / "contract.json").write_text(json.dumps(contract))
    with pytest.raises(ModelRefused, match="was trained on"):
        export_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
