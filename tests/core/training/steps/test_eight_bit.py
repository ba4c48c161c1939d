"""AdamW with moments of 8 bits: near AdamW, resumed bit for bit, and refused in words where it cannot be had."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from torch import nn

from core.domain.errors import UsageError, UserError
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, Finished
from core.training.memory_plan import ModelShape, plan_memory
from core.training.policy.read_model import read_quantised
from core.training.steps import eight_bit
from core.training.steps.eight_bit import require_optimizer
from core.training.steps.master_weights import Masters
from core.training.steps.optimizer import make_optimizer
from tests.core.training.tiny_runs import run, run_until, steps_of

CPU = torch.device("cpu")
CONFIG = RunConfig(optimizer="adamw_8bit")
needs_library = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes (the quant extra) is not installed"
)


def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the optional library be missing."""
    monkeypatch.setattr(eight_bit.importlib.util, "find_spec", lambda _name: None)


def test_that_a_run_without_the_library_is_refused_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without(monkeypatch)
    *_, last = run(tmp_path / "no model", tmp_path / "run", optimizer="adamw_8bit", inputs={"model": "m", "pairs": "p"})
    assert isinstance(last, Failed)
    assert last.message == "optimizer=adamw_8bit needs bitsandbytes, which is not installed."
    assert "pip install 'pairwright[quant]'" in last.hint
    require_optimizer(RunConfig(), CPU)


@needs_library
def test_that_a_device_without_it_is_refused() -> None:
    require_optimizer(CONFIG, CPU)
    with pytest.raises(UsageError, match="not on mps"):
        require_optimizer(CONFIG, torch.device("mps"))


@needs_library
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_that_20_steps_are_near_those_of_adamw_and_the_moments_have_a_byte(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    start = torch.randn(128, 64).to(dtype)
    found = []
    for name in ("adamw", "adamw_8bit"):
        parameter = nn.Parameter(start.clone())
        optimizer = make_optimizer(RunConfig(optimizer=name, lr=1e-3, weight_decay=0.0), {"w": parameter})
        gradients = torch.Generator().manual_seed(1)
        for _ in range(20):
            parameter.grad = torch.randn(128, 64, generator=gradients).to(dtype)
            optimizer.step()
        updated = optimizer.masters[parameter] if isinstance(optimizer, Masters) else parameter
        found.append((updated.detach().float(), optimizer))
    (exact, _), (near, optimizer) = found
    assert float((exact - near).abs().max()) < 0.2 * float((exact - start.float()).abs().max())
    (state,) = optimizer.state.values()
    assert (state["state1"].dtype, state["state2"].dtype) == (torch.uint8, torch.uint8)


@needs_library
def test_that_a_resumed_run_continues_bit_for_bit(tiny_llama_dir: Path, tmp_path: Path) -> None:
    options = {"optimizer": "adamw_8bit", "lora_r": 0, "lr": 1e-3, "checkpoint_every": 2, "steps": 4}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options)
    assert isinstance(whole[-1], Finished), whole[-1]
    run_until(tiny_llama_dir, tmp_path / "cut", 3, **options)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **options)
    assert steps_of(again) == steps_of(whole)[2:]


def test_that_the_memory_plan_counts_a_byte_a_moment() -> None:
    shape = ModelShape(1_000_000, 64, 128, 2, 4, 4, 16, 512, True)
    plans = [plan_memory(shape, RunConfig(optimizer=name, lora_r=0), [100]) for name in ("adamw", "adamw_8bit")]
    assert plans[0].optimizer == (4 + 8) * 1_000_000  # gradient, two moments
    assert plans[1].optimizer == (4 + 2 * (1 + 4 / 256)) * 1_000_000


def test_that_a_4_bit_base_is_refused_by_name_on_apples_gpu_and_from_gguf(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs a CUDA device or the CPU, and this run is on mps") as caught:
        read_quantised(tmp_path, torch.device("mps"), torch.float32)
    assert "quantize=none" in caught.value.hint
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(UserError, match=r"model\.gguf is a GGUF file"):
        read_quantised(file, torch.device("cuda"), torch.float32)
