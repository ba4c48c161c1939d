"""What the preflight predicts of a run, beside what the run then takes: steps, measurements, all of it, memory.

Seconds are processor seconds. Run it with the starter model installed, whose tokenizer all three models have:

    PAIRWRIGHT_HH=hh_harmless.jsonl.gz \\
        pytest tests/benchmarks/test_preflight_predictions.py -m benchmark -s -n0

``PAIRWRIGHT_BENCH_SETTINGS`` (a JSON object) changes settings of the run, for a machine that is short of time.
"""

from __future__ import annotations

import json
import os
import shutil
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
    "steps": 10,
    "batch_size": 4,
    "max_length": 512,
    "device": "cpu",
    "threads": 1,
    "lr": 1e-4,
    "checkpoint_every": 0,
    **json.loads(os.environ.get("PAIRWRIGHT_BENCH_SETTINGS", "{}")),
}
LOOKS = {"look_share": 1.0, "eval_every": 5, "kl_every": 5, "sample_every": 5}
ROWS = ("step", "reference", "eval", "kl", "sample", "all")


def made_model(folder: Path, family: str) -> Path:
    """Return a model of 110 to 130 million random weights with the starter's tokenizer, or the starter itself."""
    if family == "starter":
        return STARTER
    from transformers import AutoModelForCausalLM, GPT2Config, Qwen2Config

    qwen = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12}
    qwen |= {"num_key_value_heads": 4, "max_position_embeddings": 2048}
    config = (
        Qwen2Config(vocab_size=49152, tie_word_embeddings=True, **qwen)
        if family == "qwen2"
        else GPT2Config(vocab_size=49152, n_positions=2048, bos_token_id=1, eos_token_id=2)
    )
    target = folder / family
    AutoModelForCausalLM.from_config(config).save_pretrained(target)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        shutil.copy(STARTER / name, target)
    return target


def half(what: str, folder: Path, model: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Run one half in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.preflight_runner", what, str(folder), str(model)]
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
@pytest.mark.parametrize(
    ("family", "extra"), [("starter", {}), ("starter", LOOKS), ("qwen2", LOOKS), ("gpt2", LOOKS)], ids=str
)
def test_print_predicted_beside_measured(tmp_path: Path, family: str, extra: dict[str, Any]) -> None:
    write_pairs(tmp_path)
    settings, model = {**extra, **SETTINGS}, made_model(tmp_path, family)
    before = half("predict", tmp_path, model, settings)
    after = half("measure", tmp_path, model, settings)
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
