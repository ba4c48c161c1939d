from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.errors import BadInput, ModelRefused, NotFound
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.model_files.identity import (
    adapter_sha256,
    hash_model,
    model_sha256,
    run_inputs,
    tokenizer_sha256,
    verify_adapter,
    verify_model,
)

PAIRS = "dc69eabedde5ecc7331522cf43a9e6bc3efa9021a1355c0e09de16ffa8bd737a"
PAIRS_WITH_TIES = "bf8ffcb7467988241211ba421872e2936708ad4bf3c5cc99999a1ac58d27f91e"
MODEL = "3c6a09851bbdbf982f45b35fd12ffbe6bbbd8e4e7ffec488064067ac32da77b8"
MODEL_4BIT = "2b04fb23dde697f793cef1548226b4252831149bbfb91bc1d15ce2ada4733861"
TOKENIZER = "b6465c4d9297cb95663c72357f132d00030a98b4e27fffbf80530784f0fba2ff"
ADAPTER = "18440635e2d41a5ce86e16a499d67b7cdb36632ebf3a947148e7667f12ca4e97"
GGUF = "3d002cc2b0fe2b98d548b53151b0210ce4700c099ae6288e91cd0ea1d7c00d4e"
NO_FILES = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def make_model(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama", "transformers_version": "5", "hidden_size": 8}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "MANIFEST.json").write_text("{}")
    (folder / "notes.md").write_text("x")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"x")
    return folder


def make_pairs() -> list[TrainingPair]:
    """Return four pairs that train, the third a tie, and one that is held out."""
    made = [
        TrainingPair(f"p{i}", Prompt.from_text(f"Question {i}?"), f"Good {i}.", f"Bad {i}.", "train") for i in range(5)
    ]
    return [*made[:2], replace(made[2], is_tie=True), made[3], replace(made[4], split="dev")]


def test_that_the_hashes_are_those_of_earlier_versions(model: Path, adapter: Path, tmp_path: Path) -> None:
    pairs = make_pairs()
    plain = {"pairs": PAIRS, "model": MODEL, "tokenizer": TOKENIZER, "adapter": ""}
    assert run_inputs(pairs, RunConfig(), model) == plain
    assert run_inputs(pairs, RunConfig(init_adapter=str(adapter)), model) == {**plain, "adapter": ADAPTER}
    assert run_inputs(pairs, RunConfig(quantize="4bit"), model) == {**plain, "model": MODEL_4BIT}
    assert run_inputs(pairs, RunConfig(loss="davidson"), model) == {**plain, "pairs": PAIRS_WITH_TIES}
    gguf = tmp_path / "m.gguf"
    gguf.write_bytes(b"GGUF")
    assert run_inputs(pairs, RunConfig(), gguf) == {**plain, "model": GGUF, "tokenizer": NO_FILES}


def test_that_only_what_decides_a_forward_pass_names_a_model(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "transformers_version": "99", "use_cache": False}))
    assert model_sha256(model) == MODEL
    (model / "config.json").write_text(json.dumps({**config, "rope_theta": 5.0}))
    assert model_sha256(model) != MODEL


def test_that_one_flipped_bit_changes_the_name(model: Path) -> None:
    (model / "model.safetensors").write_bytes(b"weightr")
    assert model_sha256(model) != MODEL


def test_that_the_chat_template_belongs_to_the_tokenizer(model: Path) -> None:
    (model / "chat_template.jinja").write_text("{{ other }}")
    assert tokenizer_sha256(model) != TOKENIZER
    assert model_sha256(model) == MODEL


def test_that_a_manifest_and_a_note_are_no_part_of_the_model(model: Path) -> None:
    assert set(hash_model(model)) == {"config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"}


def test_that_a_missing_model_or_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no model"):
        hash_model(tmp_path)
    with pytest.raises(BadInput):
        model_sha256(tmp_path)
    with pytest.raises(BadInput, match="no adapter at"):
        adapter_sha256(tmp_path)
    assert adapter_sha256("") == ""


def test_that_an_unchanged_model_verifies_wherever_it_lies(model: Path, tmp_path: Path) -> None:
    expected = hash_model(model)
    verify_model(shutil.copytree(model, tmp_path / "moved"), expected)


def test_that_a_change_that_keeps_size_and_time_is_found_at_the_start(model: Path, adapter: Path) -> None:
    weights, adapter_weights = model / "model.safetensors", adapter / "adapter_model.safetensors"
    for file in (weights, adapter_weights):
        os.utime(file, ns=(10**18, 10**18))
    files, sha256 = hash_model(model), adapter_sha256(adapter)
    weights.write_bytes(b"weightr")
    adapter_weights.write_bytes(b"y")
    for file in (weights, adapter_weights):
        os.utime(file, ns=(10**18, 10**18))
    with pytest.raises(ModelRefused, match=r"model.safetensors of the model .* was altered"):
        verify_model(model, files)
    with pytest.raises(ModelRefused, match=r"adapter .* was altered"):
        verify_adapter(str(adapter), sha256)


def test_that_identity_needs_no_torch() -> None:
    program = "import sys; import core.model_files.identity; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
