"""Damaged weights, tied heads and missing tensors are refused by name before a pair is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.domain.errors import GateFailed, ModelRefused, UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, Finished
from core.training.gate.model_checks import check_head, check_readable, check_weights
from core.training.policy.model import LoadedModel, load_model
from tests.core.training.forward.scorer_twin import random_pairs
from tests.core.training.tiny_runs import run
from tests.tiny_families import save_family
from tests.tiny_models import save_tiny

CONFIG = RunConfig(lora_r=2, device="cpu")


def cause_of(check: Any, *arguments: Any) -> str:
    with pytest.raises(GateFailed) as caught:
        check(*arguments)
    assert caught.value.hint
    return caught.value.cause


def weight(model: LoadedModel, part: str) -> torch.Tensor:
    return next(p for n, p in model.base.named_parameters() if part in n).data


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_that_a_weight_that_is_not_finite_is_refused(tiny_llama_dir: Path, value: float) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    assert check_weights(model).startswith("finite")
    weight(model, "down_proj.base_layer")[0, 0] = value
    assert cause_of(check_weights, model) == "broken_weights"


@pytest.mark.parametrize("part", ["embed_tokens", "lm_head"])
def test_that_an_embedding_or_head_of_zeros_is_refused(tiny_llama_dir: Path, part: str) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    weight(model, part).zero_()
    assert cause_of(check_weights, model) == "broken_weights"


def test_that_a_block_that_starts_at_zero_is_fine_and_a_model_of_zeros_is_not(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, CONFIG)
    weight(model, "layers.1.mlp.down_proj.base_layer").zero_()
    weight(model, "layers.1.self_attn.o_proj.base_layer").zero_()
    assert "2 of 16 matrices are all zero" in check_weights(model)
    for name, parameter in model.base.named_parameters():
        if "layers" in name:
            parameter.data.zero_()
    assert cause_of(check_weights, model) == "broken_weights"


@pytest.mark.parametrize("targets", ["lm_head", "embed_tokens", "q_proj,lm_head"])
def test_that_an_adapter_on_a_tied_head_is_refused_at_launch(tmp_path: Path, targets: str) -> None:
    folder = save_tiny(tmp_path / "tied", "smollm")
    last = run(folder, tmp_path / "run", lora_targets=targets)[-1]
    assert isinstance(last, Failed)
    assert last.kind == "gate:tied_head"
    assert cause_of(check_head, load_model(folder, CONFIG.with_values({"lora_targets": targets}))) == "tied_head"
    assert check_head(load_model(folder, CONFIG)).endswith("no adapter changes")


@pytest.mark.parametrize("targets", ["embed_tokens", "embed_tokens,lm_head,q_proj"])
def test_that_an_adapter_on_an_embedding_of_its_own_trains_and_starts_the_next_run(
    tiny_llama_dir: Path, tmp_path: Path, targets: str
) -> None:
    first = run(tiny_llama_dir, tmp_path / "first", lora_targets=targets, steps=2, forward="auto")
    assert isinstance(first[-1], Finished), first[-1]
    stored = load_file(Path(first[-1].adapter_path) / "adapter_model.safetensors")
    assert all(tensor.any() for name, tensor in stored.items() if "lora_embedding" in name)
    again = run(tiny_llama_dir, tmp_path / "second", lora_targets=targets, init_adapter=first[-1].adapter_path, steps=1)
    assert isinstance(again[-1], Finished), again[-1]


def test_that_a_token_or_a_position_beyond_the_model_is_refused(tmp_path: Path) -> None:
    model = load_model(save_tiny(tmp_path / "gpt2", "gpt2", n_positions=32), CONFIG)
    fine = random_pairs(3, longest=8)
    assert check_readable(model, fine)["too_long"].endswith("of 32 positions")
    assert cause_of(check_readable, model, random_pairs(9, longest=40)) == "too_long"
    assert cause_of(check_readable, model, random_pairs(3, longest=8, vocabulary=9000)) == "unknown_tokens"


def test_that_weights_that_no_file_holds_are_not_filled_with_random_numbers(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelRefused, match=r"1 are missing \(the first is lm_head.weight\)"):
        load_model(folder, CONFIG)


def test_that_the_hint_for_a_state_space_names_layers_that_an_adapter_can_take(tmp_path: Path) -> None:
    folder = save_family(tmp_path / "mamba", "mamba")
    with pytest.raises(UsageError) as error:
        load_model(folder, CONFIG)
    assert error.value.hint == "Set lora_targets to in_proj,x_proj."
    load_model(folder, CONFIG.with_values({"lora_targets": "in_proj,x_proj"}))
