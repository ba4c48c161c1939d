"""Answers of the demo: the starter model under two recorded system prompts, with every decoder setting.

A maintainer runs it once (``python -m core demo --sample FILE``); the result is kept in ``resources/demo``. Only that
command imports this module, since it loads torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from core import durable, paths
from core.domain.conversation import Message, Prompt
from core.domain.run_config import RunConfig
from core.generation.sampler import DecoderSettings, sample
from core.training.policy.model import load_model
from core.training.text.chat_template import render_prompt

STYLES: dict[str, str] = {
    "steps": "You help in a workshop. Answer with a short numbered list of concrete steps and nothing else.",
    "talk": "You help in a workshop. Answer in one short paragraph of plain sentences.",
}
ROUNDS = 2
MAX_NEW_TOKENS = 112


def demo_prompts(folder: Path | None = None) -> list[str]:
    """Return the questions of the demo, in file order."""
    text = ((folder or paths.resources_dir() / "demo") / "prompts.yaml").read_text(encoding="utf-8")
    return [str(line) for line in yaml.safe_load(text)]


def sample_answers(target: Path, model_dir: Path, on_progress: Callable[[int, int], None] | None = None) -> int:
    """Answer every question twice in each style and write one JSON line a question and round.

    Returns:
        The number of lines, each with ``prompt`` and two responses with their generation record.
    """
    questions = demo_prompts()
    loaded = load_model(model_dir, RunConfig(lora_r=1))
    settings = DecoderSettings(temperature=0.8, top_p=0.95, max_new_tokens=MAX_NEW_TOKENS)
    jobs = [(n, q, style) for n in range(ROUNDS) for q in range(len(questions)) for style in STYLES]
    ids, seeds = [], []
    for n, q, style in jobs:
        prompt = Prompt((Message("system", STYLES[style]), Message("user", questions[q])))
        text = render_prompt(loaded.tokenizer, prompt)
        ids.append(loaded.tokenizer(text, add_special_tokens=False)["input_ids"])
        seeds.append(10_000 * n + 10 * q + list(STYLES).index(style))
    with loaded.reference() as model:
        drawn = sample(model, loaded.tokenizer, ids, seeds, settings, on_progress=on_progress)
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for (n, q, style), answer in zip(jobs, drawn, strict=True):
        record = answer.record(
            model=model_dir.name, model_sha256=loaded.weights_sha256, system_prompt=STYLES[style]
        ).to_plain()
        row = rows.setdefault((n, q), {"prompt": questions[q], "responses": []})
        row["responses"].append({"text": answer.text.strip(), "generation": record})
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows.values()]
    durable.write_text(target, "\n".join(lines) + "\n")
    return len(lines)
