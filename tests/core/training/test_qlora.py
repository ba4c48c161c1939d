"""A run on a base of 4 bits from its start to its exports, on the CPU, where the library computes it too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, Finished, GateReport, KlDone, PhaseChanged, SampleDone, Warned
from core.runs.hosting.probes import StandardProbe
from core.training.export.adapter import copy_adapter, load_exported
from core.training.export.comparison import all_logits, probe_ids
from core.training.export.merged import export_merged
from core.training.policy.model import load_model
from core.training.policy.read_model import has_four_bit, read_base, read_dequantised, read_tokenizer
from tests.core.training.tiny_runs import run, run_until, steps_of

pytestmark = [
    pytest.mark.skipif(not has_four_bit(), reason="bitsandbytes (the quant extra) is not installed"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]

FOUR_BIT = {"quantize": "4bit", "forward": "auto", "lr": 1e-2}
LOOKS = {"eval_every": 2, "kl_every": 2, "sample_every": 2, "kl_max_new_tokens": 4, "kl_prompts": 2, "probe_pairs": 2}


def test_that_a_run_passes_its_gate_trains_measures_and_is_resumed_bit_for_bit(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    whole = run(tiny_llama_dir, tmp_path / "whole", probe=StandardProbe(), **LOOKS, **FOUR_BIT)
    assert isinstance(whole[-1], Finished), whole[-1]
    told = [event for event in whole if isinstance(event, Warned)]
    assert not [event for event in told if event.code == "probe_failed"]
    assert any("takes longer than quantize=none" in event.message for event in told)
    (gate,) = [event for event in whole if isinstance(event, GateReport)]
    assert gate.passed
    assert gate.loss == pytest.approx(0.6931471805599453, abs=1e-6)
    assert gate.checks["wrong_dtype"] == "weights are float32, quantised"
    forward = [event.detail for event in whole if isinstance(event, PhaseChanged) and event.phase == "forward"]
    assert forward[-1] in ("shared", "separate")
    assert {type(event) for event in whole} >= {EvalDone, KlDone, SampleDone}
    assert [event.kl for event in whole if isinstance(event, KlDone)][-1] > 0
    run_until(tiny_llama_dir, tmp_path / "cut", 3, **FOUR_BIT)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **FOUR_BIT)
    assert [step.loss for step in steps_of(again)] == [step.loss for step in steps_of(whole)][2:]
    assert steps_of(whole)[-1].loss < steps_of(whole)[0].loss


def test_that_a_merge_holds_the_values_of_the_4_bit_base_and_computes_what_was_trained(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    run(tiny_llama_dir, tmp_path / "run", **FOUR_BIT)
    adapter = tmp_path / "run" / "adapter"
    config = RunConfig(quantize="4bit", lora_r=2, lora_alpha=4, device="cpu", init_adapter=str(adapter))
    texts = probe_ids(read_tokenizer(tiny_llama_dir))
    trained = all_logits(load_model(tiny_llama_dir, config).model, texts)

    def furthest(model: torch.nn.Module) -> float:
        return max(float((a - b).abs().max()) for a, b in zip(all_logits(model, texts), trained, strict=True))

    merged = export_merged(tiny_llama_dir, adapter, tmp_path / "merged")
    assert merged.max_difference < 1e-4
    assert furthest(read_base(merged.path, torch.float32)) < 1e-4
    on_full_weights = furthest(load_exported(tiny_llama_dir, adapter))
    assert on_full_weights > 1e-2  # why the merge takes the base's own values
    assert copy_adapter(tiny_llama_dir, adapter, tmp_path / "copy").max_difference == 0.0


def test_that_dequantised_weights_are_one_of_16_values_a_block_and_near_the_full_ones(tiny_llama_dir: Path) -> None:
    full, four = read_base(tiny_llama_dir, torch.float32), read_dequantised(tiny_llama_dir, torch.float32)
    for name, weight in full.named_parameters():
        found = four.get_parameter(name)
        assert found.dtype is torch.float32
        if name.endswith("_proj.weight"):
            assert max(len(block.unique()) for block in found.detach().reshape(-1, 64)) <= 16
            assert 0 < float((found.detach() - weight.detach()).norm() / weight.detach().norm()) < 0.15
        else:
            assert torch.equal(found, weight)
