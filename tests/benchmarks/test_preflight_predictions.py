"""What the preflight predicts of a run, beside what the run then takes: steps, measurements, all of it, memory.

Seconds are processor seconds. Run it with the starter model installed:

    PAIRWRIGHT_HH=hh_harmless.jsonl.gz \\
        pytest tests/benchmarks/test_preflight_predictions.py -m benchmark -s -n0
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.domain.conversation import Prompt
from core.domain.pair import TrainingPair
from core.paths import starter_model_dir
from core.runs.folder import PAIRS, pairs_text
from tests.benchmarks.hh_pairs import read_transcripts

STARTER = starter_model_dir()
SOURCE = os.environ.get("PAIRWRIGHT_HH", "")
TRAIN, DEV = 96, 24
SETTINGS: dict[str, Any] = {
    "steps": int(os.environ.get("PAIRWRIGHT_BENCH_STEPS", "10")),
    "batch_size": 4,
    "max_length": 512,
    "device": "cpu",
    "threads": 1,
    "lr": 1e-4,
    "checkpoint_every": 0,
}
ROWS = ("step", "reference", "eval", "kl", "sample", "all")


def half(what: str, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Run one half in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.preflight_runner", what, str(folder), str(STARTER)]
    out = subprocess.run([*words, json.dumps(settings)], capture_output=True, text=True, check=False, timeout=3600)
    assert out.returncode == 0, out.stderr[-3000:]
    print(out.stderr.strip().splitlines()[-1] if what == "measure" else "")
    return json.loads(out.stdout.splitlines()[-1])


def write_pairs(folder: Path) -> None:
    rows = read_transcripts(Path(SOURCE))[: TRAIN + DEV]
    made = [
        TrainingPair(
            f"p{i}",
            Prompt.from_text(row["prompt"]),
            row["chosen"],
            row["rejected"],
            split="train" if i < TRAIN else "dev",
        )
        for i, row in enumerate(rows)
    ]
    (folder / PAIRS).write_text(pairs_text(made), encoding="utf-8")


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
@pytest.mark.skipif(not SOURCE, reason="PAIRWRIGHT_HH names no file of HH-RLHF pairs")
@pytest.mark.skipif(not (STARTER / "model.safetensors").is_file(), reason="the starter model is not installed")
@pytest.mark.parametrize("extra", [{}, {"look_share": 1.0, "eval_every": 5, "kl_every": 5, "sample_every": 5}])
def test_print_predicted_beside_measured(tmp_path: Path, extra: dict[str, Any]) -> None:
    write_pairs(tmp_path)
    settings = {**SETTINGS, **extra}
    before = half("predict", tmp_path, settings)
    after = half("measure", tmp_path, settings)
    print(f"\n{settings}\n| what | predicted CPU s | measured CPU s | predicted / measured |\n|---|---|---|---|")
    for name in ROWS:
        if after[name]:
            print(f"| {name} | {before[name]:.1f} | {after[name]:.1f} | {before[name] / after[name]:.2f} |")
    mib = 1 << 20
    print(
        f"| memory, MiB | {before['memory'] / mib:.0f} | {after['memory'] / mib:.0f} "
        f"| {before['memory'] / after['memory']:.2f} |\n"
        f"all within {before['interval'][0]:.0f} to {before['interval'][1]:.0f} s with 80 %\n"
        f"preflight {before['preflight']:.0f} s; share of the measurements: counted {before['share']:.3f}, "
        f"processor seconds {after['share']:.3f}\n{after['spent']}"
    )
    assert before["all"] > 0
    assert after["all"] > 0
