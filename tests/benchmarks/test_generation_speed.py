"""Answers a second against Hugging Face's ``generate`` at its best batch size; prints a table of ratios.

    pytest tests/benchmarks/test_generation_speed.py -m benchmark -s -n0

64 prompts of the demo (those of HH-RLHF with PAIRWRIGHT_BENCH_PAIRS=FILE), 64 new tokens, SmolLM2-135M-Instruct, one
thread. Processor seconds count, weights prepared and checked within them. The ways alternate, and each round gives one
ratio, so that other work on the machine changes all of them alike; the median of the rounds is printed.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from core.generation.decoders import open_decoder
from core.generation.sampler import DecoderSettings, sample, stop_ids_of
from core.paths import starter_model_dir
from tests.benchmarks.hh_pairs import read_transcripts

STARTER = starter_model_dir()
PROMPTS, TOKENS = 64, 64
SIZES = tuple(map(int, os.environ.get("PAIRWRIGHT_BENCH_SIZES", "16,32,64").split(",")))
ROUNDS = int(os.environ.get("PAIRWRIGHT_BENCH_ROUNDS", "3"))


def model_and_tokenizer(lora: bool) -> tuple[Any, Any]:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = STARTER
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    if lora:
        settings = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, settings)
        generator = torch.Generator().manual_seed(0)
        for name, parameter in model.named_parameters():
            if ".lora_B." in name:
                parameter.data = torch.randn(parameter.shape, generator=generator) * 0.003
        model.eval()
    return model, tokenizer


def prompts(tokenizer: Any) -> list[list[int]]:
    """Return the token ids of the first questions, through the model's chat template."""

    if file := os.environ.get("PAIRWRIGHT_BENCH_PAIRS"):
        found = [
            row["prompt"].split("\n\nHuman:")[1].split("\n\nAssistant:")[0].strip()
            for row in read_transcripts(Path(file))
        ]
    else:
        from core.services.demo.answers import demo_prompts

        found = demo_prompts()
    questions = sorted(dict.fromkeys(found))[:: max(1, len(set(found)) // PROMPTS)][:PROMPTS]
    rows = [[{"role": "user", "content": question}] for question in questions]
    return tokenizer.apply_chat_template(rows, add_generation_prompt=True, return_dict=True)["input_ids"]


def by_generate(model: Any, tokenizer: Any, ids: list[list[int]], size: int, greedy: bool) -> list[tuple[int, ...]]:
    stops = stop_ids_of(model, tokenizer)
    found: list[tuple[int, ...]] = [()] * len(ids)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(ids), size):
        part = order[start : start + size]
        batch = tokenizer.pad({"input_ids": [ids[i] for i in part]}, return_tensors="pt")
        how: dict[str, Any] = {"do_sample": False} if greedy else {"do_sample": True, "temperature": 1.0, "top_k": 0}
        out = model.generate(**batch, max_new_tokens=TOKENS, pad_token_id=tokenizer.pad_token_id, **how)
        for i, row in zip(part, out[:, batch["input_ids"].shape[1] :].tolist(), strict=True):
            end = next((t + 1 for t, token in enumerate(row) if token in stops), len(row))
            found[i] = tuple(row[:end])
    return found


def by_sampler(model: Any, tokenizer: Any, ids: list[list[int]], kind: str, greedy: bool) -> list[tuple[int, ...]]:
    settings = DecoderSettings(temperature=0.0 if greedy else 1.0, max_new_tokens=TOKENS)
    with open_decoder(model, ids, kind=kind) as decoder:
        answers = sample(model, tokenizer, ids, list(range(len(ids))), settings, decoder=decoder)
    return [answer.token_ids for answer in answers]


def rate(work: Callable[[], list[tuple[int, ...]]]) -> tuple[float, list[tuple[int, ...]]]:
    """Return tokens a processor second, and the answers."""
    begun = time.process_time()
    with torch.no_grad():
        answers = work()
    return sum(map(len, answers)) / (time.process_time() - begun), answers


def rounds(model: Any, tokenizer: Any, ids: list[list[int]], size: int, greedy: bool) -> list[str]:
    """Return the cells of a row of the table."""
    rates: list[tuple[float, float, float]] = []
    equal = 0
    for _ in range(ROUNDS):
        theirs, expected = rate(partial(by_generate, model, tokenizer, ids, size, greedy))
        fused, ours = rate(partial(by_sampler, model, tokenizer, ids, "fused", greedy))
        general, others = rate(partial(by_sampler, model, tokenizer, ids, "general", greedy))
        rates.append((theirs, general, fused))
        equal = sum(a == b for a, b in zip(ours, expected if greedy else others, strict=True))
    theirs, general, fused = (statistics.median(column) for column in zip(*rates, strict=True))
    x_general, x_fused = (statistics.median(r[i] / r[0] for r in rates) for i in (1, 2))
    numbers = (f"{theirs:.0f} ({size})", f"{general:.0f}", f"{x_general:.2f}", f"{fused:.0f}", f"{x_fused:.2f}")
    return [*numbers, f"{equal} of {len(ids)}"]


@pytest.mark.benchmark
def test_that_decoding_is_faster_than_generate() -> None:
    if not (STARTER / "model.safetensors").is_file():
        pytest.skip("the starter model is not installed")
    torch.set_num_threads(1)
    print("\n| model | drawn | generate, tokens a CPU s (batch) | general | x | fused | x | equal answers |")
    print("|---|---|---|---|---|---|---|---|")
    for lora in (False, True):
        model, tokenizer = model_and_tokenizer(lora)
        ids = prompts(tokenizer)
        sizes = {size: rate(partial(by_generate, model, tokenizer, ids, size, True))[0] for size in SIZES}
        best = max(sizes, key=lambda size: sizes[size])
        for greedy in (True, False):
            cells = ["LoRA 16" if lora else "base", "greedy" if greedy else "sampled"]
            print("| " + " | ".join([*cells, *rounds(model, tokenizer, ids, best, greedy)]) + " |", flush=True)
