"""Speed and memory against TRL on the same pairs, from the same adapter, in the same session of the same machine.

TRL runs in an environment of its own, since it is no dependency of this project:

    python3 -m venv trl && trl/bin/pip install torch==2.13.0 trl==1.16.0 transformers==5.23.0 peft==0.21.2
    PAIRWRIGHT_TRL_PYTHON=trl/bin/python PAIRWRIGHT_BENCH_PAIRS=hh_harmless.jsonl.gz \\
        pytest tests/benchmarks/test_engine_against_trl.py -m benchmark -s -n0

The pairs are transcripts with ``chosen`` and ``rejected`` (HH-RLHF); the model is the starter model. Both sides do
float32 arithmetic on one thread, log every metric and take no checkpoints. Processor seconds are counted, not wall
seconds; on a machine that is otherwise busy they still grow, so run it on a quiet one. With PAIRWRIGHT_BENCH_OUT the
results stay in a folder, and what is already there is not run again.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.paths import starter_model_dir

ROOT = Path(__file__).resolve().parents[2]
STEPS = int(os.environ.get("PAIRWRIGHT_BENCH_STEPS", "25"))
LOSS_OFF = 1e-5
"""Largest relative difference of a loss after 25 steps in float32."""
STARTER = starter_model_dir()
"""Where the model lies for whoever runs this; a test's own data folder has none."""
ONLINE, PRECOMPUTED = "TRL, reference in every step", "TRL, reference precomputed"
LEAN, FIRST, SHARED = "ours, reference cached", "ours, reference in the same run", "ours through Hugging Face's layers"


def environment() -> dict[str, str]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    return env


def inputs(folder: Path) -> Path:
    """Return the folder with pairs and starting adapter, made once."""
    source = os.environ.get("PAIRWRIGHT_BENCH_PAIRS", "")
    if not (folder / "adapter_init").is_dir():
        from tests.benchmarks.hh_pairs import write_inputs

        write_inputs(Path(source), STARTER, folder)
    return folder


def measured(folder: Path, name: str, command: list[str], *options: str) -> dict[str, Any]:
    """Return the result of a runner in a process of its own."""
    out = folder / f"{name}.json"
    if not out.exists():
        common = ["--model", str(STARTER), "--pairs", str(folder / "pairs.jsonl"), "--adapter"]
        common += [str(folder / "adapter_init"), "--steps", str(STEPS), "--out", str(out)]
        done = subprocess.run(
            [*command, *common, *options], env=environment(), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text(encoding="utf-8"))


def matrix_rate() -> float:
    """Return the best float32 rate of this machine on one thread in GFLOP/s: (512 x 2048) times (2048 x 2048)."""
    import torch

    from core.generation.matmul_kernels import choose_kernel, onednn_kernel

    torch.set_num_threads(1)
    kernels = [k for k in (choose_kernel(torch.float32, wanted="torch"), onednn_kernel()) if k]
    x, weight = torch.randn(512, 2048), torch.randn(2048, 2048)
    best = float("inf")
    with torch.no_grad():
        for kernel in kernels * 6:
            begun = time.thread_time()
            kernel.linear(x, weight)
            best = min(best, time.thread_time() - begun)
    return 2 * 512 * 2048 * 2048 / best / 1e9


def floor_gflop(folder: Path) -> float:
    """Return the operations that no method in float32 can avoid, per step on average, without attention.

    Per pair of P prompt and C answer tokens: 2 N (P + C - 2) forward and as much backward for the N frozen weights
    of the layers, 2 V H C twice for the head, 6 L (P + C - 2) for the L numbers of the adapter.
    """
    from transformers import AutoConfig, AutoTokenizer

    tokenizer, config = AutoTokenizer.from_pretrained(STARTER), AutoConfig.from_pretrained(STARTER)
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    key = width // config.num_attention_heads * config.num_key_value_heads
    body = layers * (2 * width * width + 2 * width * key + 3 * width * inner)
    adapter = layers * 16 * (2 * 2 * width + 2 * (width + key) + 3 * (width + inner))
    total = 0.0
    lines = (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines()[: 4 * STEPS]
    for row in map(json.loads, lines):
        prompt = len(tokenizer(row["prompt"])["input_ids"])
        both = [len(tokenizer(row["prompt"] + row[side])["input_ids"]) + 1 - prompt for side in ("chosen", "rejected")]
        rows = prompt + sum(both) - 2
        total += 4 * body * rows + 4 * config.vocab_size * width * sum(both) + 6 * adapter * rows
    return total / 1e9 / STEPS


def off(found: list[float], expected: list[float]) -> float:
    """Return the largest relative difference."""
    return max(abs(a - b) / abs(b) for a, b in zip(found, expected, strict=True))


@pytest.mark.benchmark
@pytest.mark.timeout(0)
def test_that_the_same_losses_cost_a_fraction(tmp_path: Path) -> None:
    python = os.environ.get("PAIRWRIGHT_TRL_PYTHON")
    if not python or not STARTER.is_dir() or not os.environ.get("PAIRWRIGHT_BENCH_PAIRS"):
        pytest.skip("set PAIRWRIGHT_TRL_PYTHON and PAIRWRIGHT_BENCH_PAIRS, and install the starter model")
    folder = inputs(Path(os.environ.get("PAIRWRIGHT_BENCH_OUT", tmp_path)))
    trl, ours = [python, str(ROOT / "tests/benchmarks/trl_runner.py")], [sys.executable, "-m"]
    ours += ["tests.benchmarks.our_runner"]
    cache = ("--cache", str(folder / "cache"))
    found = {
        FIRST: measured(folder, "ours_first", ours, *cache),
        LEAN: measured(folder, "ours_cached", ours, *cache),
        SHARED: measured(folder, "ours_shared", ours, *cache, "--forward", "shared"),
        ONLINE: measured(folder, "trl_online", trl, "--mode", "online"),
        PRECOMPUTED: measured(folder, "trl_precomputed", trl, "--mode", "precomputed"),
    }
    show(found, floor_gflop(folder))
    losses = found[ONLINE]["losses"]
    for name, result in found.items():
        assert off(result["losses"], losses) < LOSS_OFF, name


def step_cost(name: str, result: dict[str, Any]) -> float:
    """Return processor seconds of a step; a reference pass of the same run is shared out over its steps."""
    cost = statistics.fmean(result["cpu_per_step"])
    if name == FIRST:
        seconds = [seconds for phase, _, seconds, _ in result["phases"] if phase in ("reference", "gate")]
        cost += (seconds[-1] - seconds[0]) / STEPS
    return cost


def show(found: dict[str, dict[str, Any]], floor: float) -> None:
    """Print the table and how near the floor each comes."""
    rate = matrix_rate()
    online, precomputed = (step_cost(name, found[name]) for name in (ONLINE, PRECOMPUTED))
    print(f"\nmatrix rate {rate:.0f} GFLOP/s a thread; floor {floor:.0f} GFLOP a step = {floor / rate:.2f} s")
    print("| | CPU s / step | x TRL online | x TRL precomputed | process s | peak MB | of TRL's | loss off | floor |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, result in found.items():
        cost = step_cost(name, result)
        print(
            f"| {name} | {cost:.2f} | {online / cost:.2f} | {precomputed / cost:.2f} | {result['total_cpu']:.0f} "
            f"| {result['peak_mb']:.0f} | {result['peak_mb'] / found[ONLINE]['peak_mb']:.2f} "
            f"| {off(result['losses'], found[ONLINE]['losses']):.1e} | {floor / rate / cost:.0%} |"
        )
