"""The benchmark's input: pairs of whole transcripts as prompt / chosen / rejected rows, and an adapter."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

TURN = "\n\nAssistant:"


def read_transcripts(path: Path) -> list[dict[str, str]]:
    """Split each row's two transcripts at the last assistant turn; rows whose prompts differ are left out."""
    rows = []
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as handle:
        for line in handle:
            row = json.loads(line)
            cut, other = row["chosen"].rfind(TURN), row["rejected"].rfind(TURN)
            end = cut + len(TURN)
            if cut < 0 or cut != other or row["chosen"][:end] != row["rejected"][:end]:
                continue
            rows.append(
                {"prompt": row["chosen"][:end], "chosen": row["chosen"][end:], "rejected": row["rejected"][end:]}
            )
    return rows


def pick(
    rows: list[dict[str, str]], tokenizer: Any, *, count: int, max_length: int, seed: int = 0
) -> list[dict[str, str]]:
    """Shuffle and keep the first ``count`` rows; those that would be cut are dropped, as both sides cut differently."""
    rows = [row for row in rows if row["chosen"] != row["rejected"]]
    random.Random(seed).shuffle(rows)

    def fits(row: dict[str, str]) -> bool:
        longest = max(row["chosen"], row["rejected"], key=len)
        return len(tokenizer(row["prompt"] + longest)["input_ids"]) < max_length - 8

    return [row for row in rows[:count] if fits(row)]


def write_inputs(source: Path, model_dir: Path, folder: Path, *, count: int = 112, max_length: int = 512) -> None:
    """Write ``pairs.jsonl`` and ``adapter_init/`` (rank 16, alpha 32, all linear layers, B = 0) into ``folder``."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    pairs = pick(read_transcripts(source), tokenizer, count=count, max_length=max_length)
    with open(folder / "pairs.jsonl", "w", encoding="utf-8") as handle:
        handle.writelines(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(str(folder / "adapter_init"))
