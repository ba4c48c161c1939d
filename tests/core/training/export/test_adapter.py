from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.domain.errors import ModelRefused
from core.domain.run_config import RunConfig
from core.durable import read_json, verify_folder
from core.training.export.adapter import copy_adapter, load_exported
from core.training.export.comparison import all_logits, difference, probe_ids
from core.training.export.contract import versions
from core.training.export.merged import copy_model, export_merged
from core.training.policy.model import LoadedModel, load_model
from core.training.policy.provenance import read_contract, require_base
from tests.saved_models import save_result
from tests.tiny_models import save_tiny

CONFIG = RunConfig(lora_r=4, lora_alpha=8, device="cpu")
FACTS = {"run_id": "run-1", "dataset": {"title": "d v1", "sha256": "ab"}, "rubric": [{"title": "r", "sha256": "cd"}]}


def trained(folder: Path, config: RunConfig = CONFIG) -> LoadedModel:
    """A model that has taken steps."""
    model = load_model(folder, config)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.trainable().values():
            parameter.add_(torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype) * 0.05)
    return model


def logits(model, folder_model: LoadedModel) -> torch.Tensor:
    return torch.cat(all_logits(model, probe_ids(folder_model.tokenizer)))


def test_that_an_exported_adapter_loads_in_plain_transformers_and_peft(tiny_llama_dir: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = trained(tiny_llama_dir)
    save_result(model, tmp_path / "run")
    report = copy_adapter(tiny_llama_dir, tmp_path / "run", tmp_path / "adapter")
    base = AutoModelForCausalLM.from_pretrained(tiny_llama_dir, dtype=torch.float32, local_files_only=True)
    plain = PeftModel.from_pretrained(base, str(tmp_path / "adapter"))
    assert torch.equal(logits(plain, model), logits(model.model, model))
    assert report.logits > 1000
    assert (report.max_difference, report.same_top1) == (0.0, 1.0)


def test_that_the_folder_is_published_whole_and_names_no_path_of_this_machine(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    model = trained(tiny_llama_dir)
    save_result(model, tmp_path / "run")
    copy_adapter(tiny_llama_dir, tmp_path / "run", tmp_path / "adapter")
    assert verify_folder(tmp_path / "adapter")["kind"] == "adapter"
    names = {p.name for p in (tmp_path / "adapter").iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors", "contract.json", "MANIFEST.json"}
    texts = [(tmp_path / "adapter" / n).read_text() for n in names if n.endswith(".json") and n != "contract.json"]
    assert not any(str(tmp_path) in text or str(tiny_llama_dir.parent) in text for text in texts)


def test_that_the_contract_names_everything_the_adapter_was_made_of(tiny_llama_dir: Path, tmp_path: Path) -> None:
    model = trained(tiny_llama_dir, replace(CONFIG, seed=7))
    save_result(model, tmp_path / "run")
    copy_adapter(tiny_llama_dir, tmp_path / "run", tmp_path / "adapter", facts=FACTS)
    contract = read_contract(tmp_path / "adapter")
    assert contract is not None
    assert contract["base"]["weights_sha256"] == model.weights_sha256
    assert contract["reference"] == {"kind": "adapter_off", "sha256": model.reference_sha256}
    assert contract["policy_sha256"] == model.adapter_sha256()
    assert (contract["seed"], contract["config"]["beta"]) == (7, 0.1)
    assert (contract["dataset"], contract["rubric"]) == (FACTS["dataset"], FACTS["rubric"])
    assert contract["template"]["sha256"]
    assert {"python", "torch", "transformers", "peft"} <= set(contract["versions"])


def test_that_a_new_run_can_start_from_the_export(tiny_llama_dir: Path, tmp_path: Path) -> None:
    model = trained(tiny_llama_dir)
    save_result(model, tmp_path / "adapter")
    again = load_model(tiny_llama_dir, replace(CONFIG, init_adapter=str(tmp_path / "adapter")))
    assert again.adapter_sha256() == model.adapter_sha256()


def test_that_the_loader_refuses_another_base(tiny_llama_dir: Path, tmp_path: Path) -> None:
    model = trained(tiny_llama_dir)
    save_result(model, tmp_path / "adapter")
    assert torch.equal(logits(load_exported(tiny_llama_dir, tmp_path / "adapter"), model), logits(model.model, model))
    other = save_tiny(tmp_path / "other", seed=4)
    with pytest.raises(ModelRefused, match="was trained on tiny-llama"):
        load_exported(other, tmp_path / "adapter")
    (tmp_path / "adapter" / "contract.json").unlink()
    require_base(tmp_path / "adapter", "anything")


def test_that_the_result_of_a_run_from_an_adapter_holds_its_policy_and_not_its_reference(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    save_result(trained(tiny_llama_dir), tmp_path / "first")
    second = trained(tiny_llama_dir, replace(CONFIG, init_adapter=str(tmp_path / "first")))
    save_result(second, tmp_path / "second")
    assert [p.name for p in (tmp_path / "second").iterdir() if p.is_dir()] == []
    again = load_model(tiny_llama_dir, replace(CONFIG, init_adapter=str(tmp_path / "second")))
    assert again.adapter_sha256() == second.adapter_sha256()


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2", "phi3"])
def test_that_the_merged_model_computes_what_the_adapter_computes(family: str, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / family, family)
    model = trained(folder)
    save_result(model, tmp_path / "adapter")
    report = export_merged(folder, tmp_path / "adapter", tmp_path / "merged")
    assert report.max_difference < 1e-4
    assert report.same_top1 == 1.0
    merged = load_model(tmp_path / "merged", CONFIG)
    with merged.reference() as plain:
        torch.testing.assert_close(logits(plain, merged), logits(model.model, model), atol=1e-4, rtol=0)
    assert read_json(tmp_path / "merged" / "contract.json")["merged"] is True


def test_that_a_merged_model_can_be_smaller_and_says_how_far_it_is(tiny_llama_dir: Path, tmp_path: Path) -> None:
    save_result(trained(tiny_llama_dir), tmp_path / "adapter")
    report = export_merged(tiny_llama_dir, tmp_path / "adapter", tmp_path / "merged", dtype=torch.bfloat16)
    assert 0 < report.max_difference < 0.5
    config = json.loads((tmp_path / "merged" / "config.json").read_text())
    assert config["dtype"] == "bfloat16"


def test_that_a_finished_adapter_is_copied_with_what_the_run_adds(tiny_llama_dir: Path, tmp_path: Path) -> None:
    save_result(trained(tiny_llama_dir), tmp_path / "adapter")
    report = copy_adapter(tiny_llama_dir, tmp_path / "adapter", tmp_path / "copy", facts=FACTS)
    assert (report.max_difference, report.same_top1) == (0.0, 1.0)
    contract = read_contract(tmp_path / "copy")
    assert contract is not None
    assert contract["dataset"] == FACTS["dataset"]
    assert contract["base"]["name"] == "tiny-llama"
    with pytest.raises(ModelRefused, match="was trained on"):
        copy_adapter(save_tiny(tmp_path / "other", seed=8), tmp_path / "adapter", tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_that_a_fully_trained_model_is_copied_in_another_dtype(tiny_llama_dir: Path, tmp_path: Path) -> None:
    save_result(trained(tiny_llama_dir, replace(CONFIG, lora_r=0)), tmp_path / "model")
    assert copy_model(tmp_path / "model", tmp_path / "same", facts=FACTS).max_difference == 0.0
    assert 0 < copy_model(tmp_path / "model", tmp_path / "half", dtype=torch.bfloat16).max_difference < 1.0
    contract = read_contract(tmp_path / "same")
    assert contract is not None
    assert contract["run_id"] == "run-1"


def test_that_two_models_are_compared_logit_by_logit(tiny_llama_dir: Path) -> None:
    one, other = load_model(tiny_llama_dir, CONFIG), trained(tiny_llama_dir)
    texts = probe_ids(one.tokenizer)
    logits_of = [all_logits(model.model, texts) for model in (one, other)]
    count, gap, same = difference(*logits_of, tolerance=100.0, what="It")
    assert count == sum(len(ids) for ids in texts) * 400
    assert gap > 0
    assert same < 1
    with pytest.raises(ModelRefused, match="It differs"):
        difference(*logits_of, tolerance=1e-6, what="It")


def test_that_versions_are_plain_text() -> None:
    assert all(isinstance(value, str) and value for value in versions().values())
