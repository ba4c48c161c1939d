from __future__ import annotations

import json
import pickle
import random
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput, GateFailed, ModelRefused, UserError
from core.domain.run_config import RunConfig
from core.model_files import tokenizer_files
from core.model_files.folder_check import MODEL_TYPES, check_adapter, check_model
from core.model_files.safetensors_file import check_safetensors
from core.training.policy.model import load_model
from tests.saved_models import save_result
from tests.tiny_models import FAMILIES, tiny_config

CONFIG = RunConfig(lora_r=2, device="cpu")


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "opened"))


@pytest.fixture
def folder(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny Llama that a test may change."""
    return Path(shutil.copytree(tiny_llama_dir, tmp_path / "model"))


@pytest.fixture(scope="module")
def good_adapter(tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("adapters") / "good"
    save_result(load_model(tiny_llama_dir, CONFIG), target)
    return target


@pytest.fixture
def adapter(good_adapter: Path, tmp_path: Path) -> Path:
    """A copy of a plain adapter that a test may change."""
    return Path(shutil.copytree(good_adapter, tmp_path / "adapter"))


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_that_a_good_folder_passes_with_its_facts(folder: Path) -> None:
    check = check_model(folder)
    assert (check.model_type, check.has_template, check.ignored) == ("llama", True, ())
    assert check.weight_bytes == (folder / "model.safetensors").stat().st_size


def test_that_every_known_type_is_a_causal_model_of_the_library() -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as known

    assert set(known) >= MODEL_TYPES
    assert {tiny_config(family).model_type for family in FAMILIES} <= MODEL_TYPES


HOSTILE_CONFIGS: list[tuple[str, dict[str, Any], str]] = [
    ("config.json", {"auto_map": {"AutoModelForCausalLM": "evil--modeling.Evil"}}, "names code"),
    ("config.json", {"_attn_implementation": "someone/kernel"}, "implementation"),
    ("config.json", {"_attn_implementation_internal": "someone/kernel"}, "implementation"),
    ("config.json", {"experts_implementation": "evil/kernel"}, "implementation"),
    ("config.json", {"attn_implementation": "flash_attention_2"}, "implementation"),
    ("config.json", {"vision_config": {"deep": [{"trust_remote_code": True}]}}, "remote code"),
    ("config.json", {"model_type": "evil_model"}, "not a known causal"),
    ("config.json", {"model_type": None}, "not a known causal"),
    ("config.json", {"model_type": "t5"}, "not a known causal"),
    ("config.json", {"is_encoder_decoder": True}, "encoder-decoder"),
    ("config.json", {"quantization_config": {"quant_method": "gptq"}}, "stored quantised"),
    ("config.json", {"use_kernels": True}, "code from elsewhere"),
    ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Tok", None]}}, "names code"),
    ("generation_config.json", {"custom_generate": "someone/decoder"}, "code from elsewhere"),
]


@pytest.mark.parametrize(("name", "change", "reason"), HOSTILE_CONFIGS)
def test_that_a_config_that_could_run_code_or_is_no_decoder_is_refused(
    folder: Path, name: str, change: dict[str, Any], reason: str
) -> None:
    edit(folder / name, **change)
    with pytest.raises(ModelRefused, match=reason) as caught:
        load_model(folder, CONFIG)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["modeling_evil.py", "sub/tokenization.py", "native.so", "cache.pyc"])
def test_that_code_in_the_folder_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("print('hello')")
    with pytest.raises(ModelRefused, match="holds code"):
        check_model(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl", "consolidated.00.pth"])
def test_that_weights_only_in_a_pickle_are_refused_and_never_opened(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    with pytest.raises(ModelRefused, match="pickle"):
        load_model(folder, CONFIG)
    assert not (tmp_path / "canary").exists()


def test_that_a_pickle_beside_safetensors_is_named_and_never_opened(folder: Path, tmp_path: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    assert check_model(folder).ignored == ("pytorch_model.bin",)
    load_model(folder, CONFIG)
    assert not (tmp_path / "canary").exists()


def test_that_an_adapter_is_not_taken_for_a_model(adapter: Path) -> None:
    with pytest.raises(ModelRefused, match="adapter, not a whole model"):
        check_model(adapter)


def test_that_missing_things_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no model at"):
        check_model(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="no adapter at"):
        check_adapter(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelRefused, match=r"no model\.safetensors"):
        check_model(folder)
    (folder / "config.json").unlink()
    with pytest.raises(BadInput, match=r"no config\.json"):
        check_model(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": ' * 5000, "\x00\xff", "[" * 100_000])
def test_that_a_config_that_is_no_json_object_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelRefused):
        check_model(folder)


def test_that_a_deeply_nested_or_huge_config_is_refused(folder: Path) -> None:
    value: Any = 1
    for _ in range(60):
        value = {"x": value}
    edit(folder / "config.json", deep=value)
    with pytest.raises(ModelRefused, match="nested too deeply"):
        check_model(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "pad": "x" * 5_000_000}))
    with pytest.raises(ModelRefused, match="larger than"):
        check_model(folder)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "sub/model.safetensors", "model.bin", 3])
def test_that_a_weights_index_cannot_point_elsewhere(folder: Path, name: Any) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelRefused, match="index points to"):
        check_model(folder)


def test_that_a_missing_shard_is_named(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelRefused, match=r"lacks model-00002\.safetensors"):
        check_model(folder)


def test_that_every_truncation_of_the_weights_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    rng = random.Random(0)
    for size in sorted({0, 1, 7, 8, 9, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(120))}):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelRefused, match="damaged"):
            check_model(folder)


def header(text: str, body: bytes = b"1234") -> bytes:
    return struct.pack("<Q", len(text)) + text.encode() + body


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<Q", 2**63) + b'{"a": 1}',
        header("[]"),
        header("{"),
        header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,-4]}}'),
        header('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}'),
        header('{"a":{"dtype":"EVIL","shape":[1],"data_offsets":[0,4]}}'),
        header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', b"12345678"),
        header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', b"1234more"),
        header('{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}'),
    ],
)
def test_that_a_header_that_lies_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(ModelRefused, match="damaged"):
        check_safetensors(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"peft_type": "IA3"}, "of type 'IA3'"),
        ({"auto_mapping": {"base_model_class": "Evil", "parent_library": "evil"}}, "names code"),
        ({"corda_config": {"cache_file": "/tmp/x.pt"}}, "changes the base"),
        ({"eva_config": {"rho": 2}}, "changes the base"),
        ({"lora_ga_config": {"x": 1}}, "changes the base"),
        ({"arrow_config": {"top_k": 1}}, "uses arrow_config"),
        ({"init_lora_weights": "pissa"}, "changes the base"),
        ({"init_lora_weights": "pissa_niter_4"}, "changes the base"),
        ({"init_lora_weights": "olora"}, "changes the base"),
        ({"init_lora_weights": "loftq"}, "changes the base"),
        ({"use_qalora": True}, "uses use_qalora"),
        ({"trainable_token_indices": [3]}, "uses trainable_token_indices"),
        ({"modules_to_save": "lm_head"}, "modules_to_save cannot be"),
        ({"layer_replication": [[0, 4]]}, "uses layer_replication"),
        ({"bias": "all"}, "uses bias"),
        ({"megatron_core": "evil.module"}, "uses megatron_core"),
        ({"a_key_of_tomorrow": 3}, "uses a_key_of_tomorrow"),
        ({"task_type": "SEQ_CLS"}, "not an adapter of a language model"),
        ({"r": "sixteen"}, "r cannot be"),
    ],
)
def test_that_an_adapter_that_is_no_plain_lora_is_refused(adapter: Path, change: dict[str, Any], reason: str) -> None:
    edit(adapter / "adapter_config.json", **change)
    with pytest.raises(UserError, match=reason) as caught:
        check_adapter(adapter)
    assert isinstance(caught.value, GateFailed if reason == "changes the base" else ModelRefused)
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"modules_to_save": ["lm_head"]},
        {"target_parameters": ["experts.down_proj"]},
        {"rank_pattern": {"q_proj": 4}},
    ],
)
def test_that_every_plain_layout_of_lora_is_read(adapter: Path, change: dict[str, Any]) -> None:
    edit(adapter / "adapter_config.json", **change)
    name = next(iter(change))
    assert check_adapter(adapter)[name] == change[name]


def test_that_an_adapter_in_a_pickle_is_refused_and_never_opened(adapter: Path, tmp_path: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    with pytest.raises(ModelRefused, match="pickle"):
        check_adapter(adapter)
    assert not (tmp_path / "canary").exists()


def test_that_a_cut_adapter_is_refused(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelRefused, match="damaged"):
        check_adapter(adapter)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged or cut short: it is empty"),
        (b"GGUF", "damaged or cut short: it has only 4 bytes"),
        (b"GGML" + bytes(40), "damaged or cut short: it does not start"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 1), "damaged or cut short: its header says"),
        (b"GGUF" + struct.pack("<IQQ", 99, 1, 1), "version 99"),
    ],
)
def test_that_a_damaged_gguf_file_is_called_damaged_and_not_mistaken_for_another_kind(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    (tmp_path / "model.gguf").write_bytes(data)
    with pytest.raises(ModelRefused, match=reason) as caught:
        check_model(tmp_path / "model.gguf")
    assert "ends in .gguf" not in caught.value.hint


def test_that_another_kind_of_file_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a text that is no model at all")
    with pytest.raises(ModelRefused, match="not a GGUF file") as caught:
        check_model(tmp_path / "notes.txt")
    assert "ends in .gguf" in caught.value.hint


def test_that_a_folder_without_a_tokenizer_is_refused_by_the_name_of_what_it_lacks(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelRefused, match=r"lacks tokenizer\.json") as caught:
        check_model(folder)
    assert "tokenizer.json" in caught.value.hint
    (folder / "vocab.json").write_text("{}")
    with pytest.raises(ModelRefused, match=r"lacks merges\.txt"):
        check_model(folder)
    (folder / "merges.txt").write_text("#version: 0.2\n")
    assert check_model(folder).model_type == "llama"


def test_that_a_sentencepiece_file_counts_only_where_it_can_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")
    for installed in (True, False):
        monkeypatch.setattr(tokenizer_files, "_reads_sentencepiece", lambda there=installed: there)
        if installed:
            check_model(folder)
            continue
        with pytest.raises(ModelRefused, match=r"lacks tokenizer\.json; its tokenizer\.model"):
            check_model(folder)


def test_that_a_cut_tokenizer_is_refused(folder: Path) -> None:
    data = (folder / "tokenizer.json").read_bytes()
    for part in (b"", data[: len(data) // 2]):
        (folder / "tokenizer.json").write_bytes(part)
        with pytest.raises(ModelRefused, match="damaged or cut short"):
            check_model(folder)
