"""Fresh adapters of every kind: scales, ranks and trained numbers as PEFT has them, and the same after a round trip."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.model_files.adapter_config import require_none_ignored
from core.training.export.adapter import copy_adapter
from core.training.export.comparison import all_logits, probe_ids
from core.training.export.merged import export_merged
from core.training.memory_plan import ModelShape, adapter_numbers, plan_memory
from core.training.policy.adapters import POLICY
from core.training.policy.model import LoadedModel, load_model
from core.training.policy.provenance import read_contract
from tests.core.training.tiny_runs import run, run_until, steps_of
from tests.saved_models import save_result
from tests.tiny_models import save_tiny

CONFIG = RunConfig(lora_r=4, lora_alpha=8, device="cpu")
KINDS: dict[str, dict[str, Any]] = {
    "rslora": {"lora_rslora": True},
    "dora": {"lora_dora": True},
    "patterns": {"rank_pattern": "q_proj=8, down_proj=2", "alpha_pattern": "q_proj=4"},
    "saved": {"modules_to_save": "lm_head"},
    "norms": {"modules_to_save": "input_layernorm"},
    "all": {"lora_rslora": True, "lora_dora": True, "rank_pattern": "v_proj=1", "modules_to_save": "lm_head"},
    "embedding": {"lora_targets": "embed_tokens,q_proj"},
}

FAST_AND_SLOW = [pytest.param(kind, marks=() if kind in ("all", "embedding") else pytest.mark.slow) for kind in KINDS]


def move(model: LoadedModel) -> LoadedModel:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.trainable().values():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * 0.05)
    return model


def logits(model: object, loaded: LoadedModel) -> torch.Tensor:
    return torch.cat(all_logits(model, probe_ids(loaded.tokenizer)))


@pytest.mark.parametrize("kind", KINDS)
def test_that_an_adapter_of_each_kind_starts_at_the_reference_and_survives_every_export(
    kind: str, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    model = load_model(tiny_llama_dir, replace(CONFIG, **KINDS[kind]))
    start = logits(model.model, model)
    with model.reference() as reference:
        torch.testing.assert_close(logits(reference, model), start, rtol=0, atol=1e-4)
        base = logits(reference, model)
    expected = logits(move(model).model, model)
    assert not torch.allclose(expected, start)
    with model.reference() as reference:
        assert torch.equal(logits(reference, model), base)
    assert model.changed_base_tensors() == []
    save_result(model, tmp_path / "adapter")
    assert copy_adapter(tiny_llama_dir, tmp_path / "adapter", tmp_path / "copy").max_difference == 0.0
    assert export_merged(tiny_llama_dir, tmp_path / "adapter", tmp_path / "merged").max_difference < 1e-4
    again = load_model(tiny_llama_dir, RunConfig(device="cpu", init_adapter=str(tmp_path / "copy")))
    assert torch.equal(logits(again.model, again), expected)
    with again.reference() as reference:
        assert torch.equal(logits(reference, again), expected)


@pytest.mark.parametrize("kind", FAST_AND_SLOW)
def test_that_a_run_with_each_kind_passes_the_gate_and_resumes_bit_for_bit(
    kind: str, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    options = {**KINDS[kind], "forward": "auto", "steps": 3, "checkpoint_every": 1, "batch_size": 2, "lr": 1e-3}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options)
    run_until(tiny_llama_dir, tmp_path / "cut", 2, **options)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **options)
    assert [step.step for step in steps_of(again)][-1] == 3
    assert steps_of(again) == steps_of(whole)[-len(steps_of(again)) :]
    losses = [step.loss for step in steps_of(whole)]
    assert losses[0] == pytest.approx(math.log(2), abs=1e-4)
    assert losses[-1] != losses[0]


def test_that_scales_and_ranks_are_those_of_the_settings(tiny_llama_dir: Path) -> None:
    model = load_model(tiny_llama_dir, replace(CONFIG, **KINDS["patterns"], lora_rslora=True))
    layers = {n.rsplit(".", 1)[-1]: m for n, m in model.model.named_modules() if hasattr(m, "lora_A")}
    found = {name: (layers[name].r[POLICY], layers[name].scaling[POLICY]) for name in ("q_proj", "down_proj", "k_proj")}
    assert found == {
        "q_proj": (8, 4 / math.sqrt(8)),
        "down_proj": (2, 8 / math.sqrt(2)),
        "k_proj": (4, 8 / math.sqrt(4)),
    }


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lora_dropout": 0.05}, "cannot have dropout"),
        ({"rank_pattern": "q_proj"}, "rank_pattern cannot hold"),
        ({"rank_pattern": "q_proj=2.5"}, "rank_pattern cannot hold"),
        ({"alpha_pattern": "q_proj=nan"}, "alpha_pattern cannot hold"),
        ({"rank_pattern": "q_proj=2,q_proj=3"}, "names q_proj twice"),
        ({"lora_dora": True, "lora_r": 0}, "lora_dora shapes an adapter"),
        ({"lora_rslora": True, "init_adapter": "/somewhere"}, "lora_rslora would be ignored"),
    ],
)
def test_that_settings_of_an_adapter_that_cannot_hold_are_refused_where_they_are_set(
    values: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        RunConfig().with_values(values)
    assert RunConfig().with_values({"lora_dropout": "0"}) == RunConfig()


@pytest.mark.parametrize(
    "values", [{"rank_pattern": "nothing=2"}, {"alpha_pattern": "nothing=2"}, {"modules_to_save": "nothing"}]
)
def test_that_a_name_that_no_module_bears_is_refused(values: dict[str, str], tiny_llama_dir: Path) -> None:
    with pytest.raises(UsageError, match="names nothing"):
        load_model(tiny_llama_dir, replace(CONFIG, **values))


@pytest.mark.parametrize("values", [{"modules_to_save": "lm_head"}, {"modules_to_save": "embed_tokens"}])
def test_that_a_head_tied_to_the_embedding_cannot_be_trained_apart(values: dict[str, str], tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "tied", "smollm")
    with pytest.raises(UsageError, match="shares its weights"):
        load_model(folder, replace(CONFIG, **values))


def test_that_settings_which_an_adapter_overrules_are_named(tiny_llama_dir: Path, tmp_path: Path) -> None:
    save_result(move(load_model(tiny_llama_dir, CONFIG)), tmp_path / "adapter")
    agreeing = replace(CONFIG, init_adapter=str(tmp_path / "adapter"))
    require_none_ignored(agreeing)
    require_none_ignored(RunConfig(init_adapter=str(tmp_path / "adapter")))
    with pytest.raises(UsageError, match=r"lora_r=32 \(the adapter has 4\) and lora_targets=k_proj"):
        require_none_ignored(replace(agreeing, lora_r=32, lora_targets="k_proj"))


def test_that_the_contract_tells_the_adapter_that_was_really_trained(tiny_llama_dir: Path, tmp_path: Path) -> None:
    first = move(load_model(tiny_llama_dir, replace(CONFIG, lora_r=8, lora_alpha=16, lora_rslora=True)))
    save_result(first, tmp_path / "first")
    second = load_model(tiny_llama_dir, RunConfig(device="cpu", init_adapter=str(tmp_path / "first")))
    save_result(second, tmp_path / "second")
    contract = read_contract(tmp_path / "second")
    assert contract is not None
    adapter, settings = contract["adapter"], contract["config"]
    assert (adapter["r"], adapter["alpha"], adapter["rslora"], adapter["dora"]) == (8, 16, True, False)
    assert (settings["lora_r"], settings["lora_alpha"], settings["lora_rslora"]) == (8, 16.0, True)
    assert adapter["layers"] == {f"r=8, scale={16 / math.sqrt(8):g}": 14}
    assert adapter["numbers"] == sum(p.numel() for p in second.trainable().values())
    assert adapter["dtypes"] == ["float32"]


def test_that_the_memory_plan_counts_the_adapter_that_is_there(tiny_llama_dir: Path, tmp_path: Path) -> None:
    model = load_model(tiny_llama_dir, replace(CONFIG, rank_pattern="q_proj=32"))
    save_result(model, tmp_path / "adapter")
    shape = ModelShape.read(tiny_llama_dir)
    config = RunConfig(init_adapter=str(tmp_path / "adapter"))
    numbers = sum(p.numel() for p in model.trainable().values())
    assert adapter_numbers(shape, config) == numbers
    assert plan_memory(shape, config, [64]).adapters == 4 * numbers


def test_that_an_adapter_in_bfloat16_keeps_float32_and_moves_as_far(tiny_llama_dir: Path, tmp_path: Path) -> None:
    moved = {}
    for dtype in ("float32", "bfloat16"):
        steps = steps_of(run(tiny_llama_dir, tmp_path / dtype, dtype=dtype, steps=6, lr=1e-5, forward="separate"))
        model = load_model(
            tiny_llama_dir, RunConfig(device="cpu", dtype=dtype, init_adapter=str(tmp_path / dtype / "adapter"))
        )
        assert {p.dtype for p in model.trainable().values()} == {torch.float32}
        products = [m.lora_B[POLICY].weight for m in model.model.modules() if hasattr(m, "lora_A")]
        moved[dtype] = math.sqrt(sum(b.detach().double().square().sum().item() for b in products))
        assert steps[-1].step == 6
    assert moved["bfloat16"] == pytest.approx(moved["float32"], rel=0.05)
