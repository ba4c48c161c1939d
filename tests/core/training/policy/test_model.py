from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.domain.errors import ModelRefused, UsageError, UserError
from core.domain.run_config import RunConfig
from core.model_files.identity import model_sha256
from core.training.policy import read_model
from core.training.policy.adapters import POLICY, REFERENCE, adapter_tensors, is_zero
from core.training.policy.model import LoadedModel, load_model
from tests.saved_models import save_result
from tests.tiny_models import FAMILIES, save_tiny

CONFIG = RunConfig(lora_r=4, lora_alpha=8, device="cpu")
TOKENS = torch.randint(3, 260, (2, 12), generator=torch.Generator().manual_seed(0))


def change(model: LoadedModel, amount: float = 0.05) -> None:
    """Move every trainable tensor, as steps would."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.trainable().values():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * amount)


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(TOKENS).logits


@pytest.fixture
def adapter_dir(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    """An adapter that changes the tiny Llama."""
    model = load_model(tiny_llama_dir, CONFIG)
    change(model)
    save_result(model, tmp_path / "adapter")
    return tmp_path / "adapter"


@pytest.mark.parametrize("family", FAMILIES)
def test_that_every_family_loads_with_an_adapter_that_changes_nothing_yet(family: str, tmp_path: Path) -> None:
    model = load_model(save_tiny(tmp_path / family, family), CONFIG)
    with model.reference() as reference:
        expected = logits(reference)
    assert torch.equal(logits(model.model), expected)
    change(model)
    assert not torch.equal(logits(model.model), expected)
    with model.reference() as reference:
        assert torch.equal(logits(reference), expected)


@pytest.mark.parametrize(("name", "dtype"), [("float64", torch.float64), ("bfloat16", torch.bfloat16)])
def test_that_the_base_has_the_dtype_of_the_run_and_adapters_at_least_float32(
    tiny_llama_dir: Path, name: str, dtype: torch.dtype
) -> None:
    model = load_model(tiny_llama_dir, replace(CONFIG, dtype=name))
    assert model.dtype is dtype
    assert model.base.lm_head.base_layer.weight.dtype is dtype if hasattr(model.base.lm_head, "base_layer") else True
    assert model.base.get_input_embeddings().weight.dtype is dtype
    wanted = torch.float64 if dtype is torch.float64 else torch.float32
    assert {p.dtype for p in model.trainable().values()} == {wanted}


def test_that_the_fresh_adapter_depends_on_the_seed_alone(tiny_llama_dir: Path) -> None:
    torch.manual_seed(1)
    first = load_model(tiny_llama_dir, CONFIG).adapter_sha256()
    torch.manual_seed(2)
    assert load_model(tiny_llama_dir, CONFIG).adapter_sha256() == first
    assert load_model(tiny_llama_dir, replace(CONFIG, seed=1)).adapter_sha256() != first


def test_that_a_layers_initial_weights_do_not_depend_on_which_others_are_adapted(tiny_llama_dir: Path) -> None:
    everything = adapter_tensors(load_model(tiny_llama_dir, CONFIG).model)
    few = adapter_tensors(load_model(tiny_llama_dir, replace(CONFIG, lora_targets="q_proj, v_proj")).model)
    assert 0 < len(few) < len(everything)
    assert all(torch.equal(tensor, everything[name]) for name, tensor in few.items())


def test_that_the_initial_weights_fill_the_same_range_as_pefts_default(tiny_llama_dir: Path) -> None:
    tensors = [t for n, t in adapter_tensors(load_model(tiny_llama_dir, CONFIG).model).items() if "lora_A" in n]
    for tensor in tensors:
        bound = 1 / tensor.shape[1] ** 0.5
        assert 0.8 * bound < float(tensor.detach().abs().max()) <= bound


def test_that_target_names_no_module_bears_are_a_usage_error(tiny_llama_dir: Path) -> None:
    with pytest.raises(UsageError, match="No adapter could be attached"):
        load_model(tiny_llama_dir, replace(CONFIG, lora_targets="nothing_like_it"))


def test_that_only_adapter_tensors_train_with_lora(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    assert model.trainable()
    assert all(".lora_" in name for name in model.trainable())
    assert not set(model.trainable()) & set(model.frozen())


def test_that_the_model_stays_in_evaluation_mode_and_still_has_gradients(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    assert not any(module.training for module in model.model.modules())
    model.model(TOKENS).logits.float().sum().backward()
    assert all(p.grad is not None for p in model.trainable().values())


def test_that_the_adapter_trains_again_after_the_reference_was_used(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    names = set(model.trainable())
    with model.reference():
        pass
    assert set(model.trainable()) == names


def test_that_the_reference_is_left_even_when_its_use_fails(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    change(model)
    policy = logits(model.model)
    with pytest.raises(RuntimeError), model.reference():
        raise RuntimeError
    assert torch.equal(logits(model.model), policy)


def test_that_dropout_in_the_models_config_is_switched_off_for_good(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "noisy", "gpt2", resid_pdrop=0.5, attn_pdrop=0.5, embd_pdrop=0.5)
    model = load_model(folder, CONFIG)
    model.model.train()
    assert torch.equal(logits(model.model), logits(model.model))


def test_that_a_changing_start_adapter_becomes_the_frozen_reference(tiny_llama_dir: Path, adapter_dir: Path) -> None:
    model = load_model(tiny_llama_dir, replace(CONFIG, init_adapter=str(adapter_dir)))
    start = logits(model.model)
    assert model.reference_kind == "reference_adapter"
    with model.reference() as reference:
        assert torch.equal(logits(reference), start)
    change(model)
    with model.reference() as reference:
        assert torch.equal(logits(reference), start)
    assert not torch.equal(logits(model.model), start)
    assert all(f".{POLICY}." in name for name in model.trainable())
    assert model.changed_base_tensors() == []


def test_that_base_as_reference_can_be_asked_for(tiny_llama_dir: Path, adapter_dir: Path) -> None:
    base = load_model(tiny_llama_dir, CONFIG)
    model = load_model(tiny_llama_dir, replace(CONFIG, init_adapter=str(adapter_dir), reference="base"))
    assert model.reference_kind == "adapter_off"
    assert model.starts_from_adapter
    with model.reference() as reference:
        assert torch.equal(logits(reference), logits(base.model))


def test_that_a_start_adapter_that_changes_nothing_needs_no_copy(tiny_llama_dir: Path, tmp_path: Path) -> None:
    fresh = load_model(tiny_llama_dir, CONFIG)
    save_result(fresh, tmp_path / "zero")
    model = load_model(tiny_llama_dir, replace(CONFIG, init_adapter=str(tmp_path / "zero"), reference="init"))
    assert model.reference_kind == "adapter_off"
    assert is_zero(model.model)
    assert model.adapter_sha256() == fresh.adapter_sha256()
    assert not adapter_tensors(model.model, REFERENCE)


def test_that_the_reference_is_named_by_base_and_start_adapter(tiny_llama_dir: Path, adapter_dir: Path) -> None:
    fresh = load_model(tiny_llama_dir, CONFIG)
    other_seed = load_model(tiny_llama_dir, replace(CONFIG, seed=9, lora_r=2))
    started = load_model(tiny_llama_dir, replace(CONFIG, init_adapter=str(adapter_dir)))
    assert fresh.reference_sha256 == other_seed.reference_sha256
    assert started.reference_sha256 != fresh.reference_sha256
    assert started.weights_sha256 == fresh.weights_sha256


def test_that_an_adapter_of_another_base_is_refused(adapter_dir: Path, tmp_path: Path) -> None:
    other = save_tiny(tmp_path / "other", seed=5)
    with pytest.raises(ModelRefused, match="was trained on"):
        load_model(other, replace(CONFIG, init_adapter=str(adapter_dir)))


def test_that_an_adapter_whose_tensors_do_not_fit_is_refused_without_a_contract(
    adapter_dir: Path, tmp_path: Path
) -> None:
    (adapter_dir / "contract.json").unlink()
    other = save_tiny(tmp_path / "wide", hidden_size=64)
    with pytest.raises(UserError, match="does not fit") as caught:
        load_model(other, replace(CONFIG, init_adapter=str(adapter_dir)))
    assert re.search(
        r"is \d+ × 32 in the adapter and \d+ × 64 in the model, and \d+ more tensors differ\.", str(caught.value)
    )


def test_that_an_adapter_made_after_tokens_were_added_names_both_sizes(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "base")
    model = load_model(folder, replace(CONFIG, modules_to_save="embed_tokens"))
    rows = model.model.get_input_embeddings().weight.shape[0]
    save_result(model, tmp_path / "adapter")
    (tmp_path / "adapter" / "contract.json").unlink(missing_ok=True)
    path = tmp_path / "adapter" / "adapter_model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if "embed_tokens" in name)
    save_file({**weights, name: torch.cat([weights[name], weights[name][:3]])}, path, metadata={"format": "pt"})
    with pytest.raises(
        UserError, match=rf"embed_tokens\S* is {rows + 3} × 32 in the adapter and {rows} × 32 in"
    ) as caught:
        load_model(folder, replace(CONFIG, init_adapter=str(tmp_path / "adapter")))
    assert "adding tokens" in caught.value.hint


def test_that_full_fine_tuning_keeps_the_folders_weights_as_reference(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, replace(CONFIG, lora_r=0))
    start = logits(model.model)
    assert len(model.trainable()) == len(list(model.model.parameters()))
    change(model)
    with model.reference() as reference:
        assert torch.equal(logits(reference), start)
        assert not any(p.requires_grad for p in reference.parameters())
    model.release_reference()
    with model.reference() as reference:
        assert torch.equal(logits(reference), start)


def test_that_full_fine_tuning_cannot_start_from_an_adapter(tiny_llama_dir: Path, adapter_dir: Path) -> None:
    with pytest.raises(UsageError, match="cannot start from an adapter"):
        load_model(tiny_llama_dir, replace(CONFIG, lora_r=0, init_adapter=str(adapter_dir)))


def test_that_a_four_bit_base_needs_its_library(tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_model, "has_four_bit", lambda: False)
    with pytest.raises(UserError, match="4-bit bases need bitsandbytes"):
        load_model(tiny_llama_dir, replace(CONFIG, quantize="4bit"))


def test_that_weights_are_named_by_content_and_architecture(tiny_llama_dir: Path, tmp_path: Path) -> None:
    same, other = save_tiny(tmp_path / "same"), save_tiny(tmp_path / "other", seed=1)
    stretched = save_tiny(tmp_path / "stretched", rms_norm_eps=1e-3)
    base = model_sha256(tiny_llama_dir)
    assert model_sha256(same) == base
    assert len({base, model_sha256(other), model_sha256(stretched)}) == 3
    assert model_sha256(tiny_llama_dir, quantised="4bit") != base


def test_that_stop_tokens_come_from_template_tokenizer_and_generation_config(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "stops", eos_token_id=[0, 7])
    assert load_model(folder, CONFIG).stop_ids == (0, 7)


def test_that_a_changed_frozen_tensor_is_named(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    change(model)
    assert model.changed_base_tensors() == []
    name, tensor = next((n, t) for n, t in model.frozen().items() if n.endswith("embed_tokens.weight"))
    with torch.no_grad():
        tensor[3, 4] += 1e-6
    assert model.changed_base_tensors() == [name]


def test_that_loading_opens_no_socket(tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load_model(tiny_llama_dir, CONFIG)


def test_that_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "mute")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ModelRefused, match="tokenizer"):
        load_model(folder, CONFIG)
