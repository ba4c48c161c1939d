"""Mixtures of experts: routers left alone, experts on request, and adapters that can be used again everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import Finished, Warned
from core.training.export.adapter import copy_adapter
from core.training.export.comparison import all_logits, probe_ids
from core.training.export.merged import export_merged
from core.training.policy.model import LoadedModel, load_model
from tests.core.training.tiny_runs import run, run_until, steps_of
from tests.saved_models import save_result
from tests.tiny_models import MIXTURES, save_tiny

CONFIG = RunConfig(lora_r=4, lora_alpha=8, device="cpu")
EXPERTS = replace(CONFIG, lora_experts=True)
ROUTERS = (".gate.", ".router.")
FAST_AND_SLOW = [pytest.param(f, marks=() if f == "deepseek_v3" else pytest.mark.slow) for f in MIXTURES]


class Folders(dict[str, Path]):
    """Tiny mixtures by family, each written when it is first asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def __missing__(self, family: str) -> Path:
        self[family] = save_tiny(self._root / family, family)
        return self[family]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return Folders(tmp_path_factory.mktemp("mixtures"))


def move(model: LoadedModel) -> LoadedModel:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.trainable().values():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * 0.05)
    return model


def logits(model: object, loaded: LoadedModel) -> torch.Tensor:
    return torch.cat(all_logits(model, probe_ids(loaded.tokenizer)))


@pytest.mark.parametrize("family", FAST_AND_SLOW)
def test_that_by_default_neither_router_nor_expert_gets_an_adapter(family: str, folders: Folders) -> None:
    model = load_model(folders[family], CONFIG)
    names = list(model.trainable())
    assert names
    assert not any(part in name for name in names for part in (*ROUTERS, ".experts."))
    assert any("self_attn" in name for name in names)
    assert "Routers and experts" in model.note
    assert not model.model.peft_config["default"].target_parameters


@pytest.mark.parametrize("family", FAST_AND_SLOW)
def test_that_experts_train_on_request_and_routers_still_do_not(family: str, folders: Folders) -> None:
    model = load_model(folders[family], EXPERTS)
    names = list(model.trainable())
    assert any(".experts." in name for name in names)
    assert not any(part in name for name in names for part in ROUTERS)
    before = logits(model.model, model)
    with model.reference() as reference:
        assert torch.equal(logits(reference, model), before)
    move(model)
    assert not torch.equal(logits(model.model, model), before)
    with model.reference() as reference:
        assert torch.equal(logits(reference, model), before)


@pytest.mark.parametrize("config", [CONFIG, EXPERTS], ids=["attention", "experts"])
@pytest.mark.parametrize("family", FAST_AND_SLOW)
def test_that_an_adapter_of_a_mixture_is_exported_merged_and_started_from(
    family: str, config: RunConfig, folders: Folders, tmp_path: Path
) -> None:
    folder = folders[family]
    model = move(load_model(folder, config))
    expected = logits(model.model, model)
    save_result(model, tmp_path / "adapter")
    assert copy_adapter(folder, tmp_path / "adapter", tmp_path / "copy").max_difference == 0.0
    report = export_merged(folder, tmp_path / "adapter", tmp_path / "merged")
    assert report.max_difference < 1e-4
    again = load_model(folder, replace(CONFIG, init_adapter=str(tmp_path / "copy")))
    assert torch.equal(logits(again.model, again), expected)
    assert again.reference_kind == "reference_adapter"
    with again.reference() as reference:
        assert torch.equal(logits(reference, again), expected)


def test_that_a_run_on_experts_resumes_bit_for_bit(folders: Folders, tmp_path: Path) -> None:
    options = {"lora_experts": True, "forward": "separate", "steps": 3, "checkpoint_every": 1, "batch_size": 2}
    whole = run(folders["mixtral"], tmp_path / "whole", **options)
    assert isinstance(whole[-1], Finished)
    assert any(isinstance(e, Warned) and e.code == "adapter" and "routers" in e.message for e in whole)
    run_until(folders["mixtral"], tmp_path / "cut", 2, **options)
    again = run(folders["mixtral"], tmp_path / "cut", resume=True, **options)
    assert steps_of(again) == steps_of(whole)[-len(steps_of(again)) :]
    assert len(steps_of(again)) < 3


def test_that_names_that_stand_for_experts_are_refused_unless_experts_are_asked_for(folders: Folders) -> None:
    for family, names in (("mixtral", "q_proj,w1,w2,w3"), ("qwen3_moe", "gate_proj,up_proj,down_proj")):
        with pytest.raises(UsageError, match="reaches the experts"):
            load_model(folders[family], replace(CONFIG, lora_targets=names))


def test_that_a_router_trains_only_when_it_is_named(folders: Folders) -> None:
    model = load_model(folders["mixtral"], replace(CONFIG, lora_targets="q_proj,gate"))
    assert any(".gate." in name for name in model.trainable())


def test_that_a_dense_model_has_no_experts_to_train(tiny_llama_dir: Path) -> None:
    with pytest.raises(UsageError, match="no experts"):
        load_model(tiny_llama_dir, EXPERTS)
