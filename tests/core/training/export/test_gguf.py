from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.domain.errors import BadInput, ModelRefused
from core.domain.run_config import RunConfig
from core.durable import verify_folder
from core.model_files import gguf_import
from core.model_files.gguf_import import convert_gguf
from core.training.export import gguf as gguf_export_module
from core.training.export.comparison import all_logits, probe_ids
from core.training.export.gguf import export_gguf
from core.training.policy.model import load_model
from core.training.policy.read_model import read_base, read_tokenizer
from tests.tiny_models import CORPUS, save_tiny

CONFIG = RunConfig(lora_r=2, device="cpu")
FAMILIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("llama", {}),
    ("smollm", {}),
    ("mistral", {}),
    ("qwen2", {}),
    ("qwen3", {"head_dim": 128}),  # the size that transformers takes for granted
    ("qwen3", {}),
)


@pytest.fixture(scope="module")
def gguf_file(tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    export_gguf(tiny_llama_dir, path, kind="f32")
    return path


def all_texts(model: Any, tokenizer: Any) -> torch.Tensor:
    return torch.cat(all_logits(model, probe_ids(tokenizer)))


@pytest.mark.parametrize(("family", "changes"), FAMILIES)
def test_that_a_file_written_in_full_precision_computes_the_same(
    family: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    folder = save_tiny(tmp_path / family, family, **changes)
    assert export_gguf(folder, tmp_path / "out.gguf", kind="f32") < 1e-5
    assert {p.name for p in tmp_path.iterdir()} == {family, "out.gguf"}


@pytest.mark.parametrize(("kind", "allowed"), [("f16", 0.05), ("bf16", 0.4)])
def test_that_narrow_files_differ_by_rounding_alone(
    tiny_llama_dir: Path, tmp_path: Path, kind: str, allowed: float
) -> None:
    assert 0 < export_gguf(tiny_llama_dir, tmp_path / "out.gguf", kind=kind) < allowed
    assert (tmp_path / "out.gguf").stat().st_size < (tiny_llama_dir / "model.safetensors").stat().st_size


def test_that_what_cannot_be_proved_equal_is_not_kept(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_export_module, "_reordered", lambda name, tensor, config: tensor)
    with pytest.raises(ModelRefused, match="was not kept"):
        export_gguf(tiny_llama_dir, tmp_path / "out.gguf")
    assert list(tmp_path.iterdir()) == []


def test_that_an_uncovered_family_names_the_script_that_covers_it(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "gpt2", "gpt2")
    with pytest.raises(ModelRefused, match="not covered") as caught:
        export_gguf(folder, tmp_path / "out.gguf")
    assert "convert_hf_to_gguf.py" in caught.value.hint


def test_that_an_existing_file_is_left_alone(tiny_llama_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "out.gguf").write_text("mine")
    with pytest.raises(ModelRefused, match="exists already"):
        export_gguf(tiny_llama_dir, tmp_path / "out.gguf")
    assert (tmp_path / "out.gguf").read_text() == "mine"


def test_that_a_converted_file_is_a_model_folder_with_its_origin(
    gguf_file: Path, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    folder = convert_gguf(gguf_file, tmp_path / "model", on_progress=lambda d, t, _: seen.append((d, t)))
    identity = verify_folder(folder)
    assert (identity["gguf"], len(identity["gguf_sha256"])) == ("tiny.gguf", 64)
    assert seen[0] == (0, 4)
    assert seen[-1] == (4, 4)
    text = (folder / "config.json").read_text()
    assert "quantization_config" not in text
    tokenizer = read_tokenizer(folder)
    original = read_tokenizer(tiny_llama_dir)
    assert all(tokenizer(t)["input_ids"] == original(t)["input_ids"] for t in CORPUS)
    one, other = read_base(folder, torch.float32), read_base(tiny_llama_dir, torch.float32)
    torch.testing.assert_close(all_texts(one, tokenizer), all_texts(other, tokenizer), atol=1e-5, rtol=0)


def test_that_a_head_size_that_transformers_does_not_read_is_taken_from_the_file(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "qwen3", "qwen3", head_dim=24)
    export_gguf(folder, tmp_path / "q.gguf", kind="f32")
    back = convert_gguf(tmp_path / "q.gguf", tmp_path / "back")
    tokenizer = read_tokenizer(folder)
    one, other = (all_texts(read_base(place, torch.float32), tokenizer) for place in (folder, back))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_that_a_gguf_file_can_be_loaded_without_converting(gguf_file: Path, tiny_llama_dir: Path) -> None:
    model, original = load_model(gguf_file, CONFIG), load_model(tiny_llama_dir, CONFIG)
    assert model.stop_ids == original.stop_ids
    assert model.weights_sha256 != original.weights_sha256
    texts = probe_ids(original.tokenizer)
    for a, b in zip(all_logits(model.model, texts), all_logits(original.model, texts), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_that_digits_are_split_where_the_file_says_so(tiny_llama_dir: Path, tmp_path: Path) -> None:
    import shutil

    from tokenizers import pre_tokenizers

    folder = Path(shutil.copytree(tiny_llama_dir, tmp_path / "digits"))
    tokenizer = read_tokenizer(folder)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.save_pretrained(folder)
    export_gguf(folder, tmp_path / "digits.gguf", kind="f32")
    again = read_tokenizer(convert_gguf(tmp_path / "digits.gguf", tmp_path / "back"))
    text = "a  12 and\n\n3 4567"
    assert again(text)["input_ids"] == read_tokenizer(folder)(text)["input_ids"]


def test_that_a_cut_file_is_refused_and_leaves_nothing(gguf_file: Path, tmp_path: Path) -> None:
    data = gguf_file.read_bytes()
    for size in (len(data) - 1000, len(data) // 2, 2000, 60):
        (tmp_path / "cut.gguf").write_bytes(data[:size])
        with pytest.raises(ModelRefused, match=r"cut\.gguf is damaged or cut short") as caught:
            convert_gguf(tmp_path / "cut.gguf", tmp_path / "model")
        assert "Nothing was added" in caught.value.hint
        assert [p.name for p in tmp_path.iterdir()] == ["cut.gguf"]


def test_that_a_copy_that_differs_is_refused(gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "equal", lambda a, b: False)
    with pytest.raises(ModelRefused, match="differs from the original"):
        convert_gguf(gguf_file, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_that_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        gguf_import.check_gguf(tmp_path / "none.gguf")
