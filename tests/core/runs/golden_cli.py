"""The golden model as a run folder: settings small enough that a whole run takes a second or two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.domain.run_config import RunConfig
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.input_pairs import read_pairs

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
SETTINGS: dict[str, Any] = {
    "steps": 12,
    "batch_size": 4,
    "lr": 3e-3,
    "warmup": 0,
    "lora_r": 8,
    "lora_alpha": 16,
    "init_adapter": str(GOLDEN / "adapter_init"),
    "template": "none",
    "max_length": 512,
    "checkpoint_every": 2,
    "eval_every": 3,
    "kl_every": 4,
    "sample_every": 6,
    "probe_pairs": 6,
    "kl_prompts": 3,
    "kl_max_new_tokens": 8,
    "look_share": 1.0,
    "threads": 1,
    "device": "cpu",
}


def golden_run(path: Path, dev: int = 4, **settings: Any) -> RunFolder:
    """Make a run folder on the golden model; the last ``dev`` pairs are held out."""
    from dataclasses import replace

    pairs = read_pairs(GOLDEN / "pairs.jsonl")
    cut = len(pairs) - dev
    pairs = [*pairs[:cut], *(replace(pair, split="dev") for pair in pairs[cut:])]
    config = RunConfig().with_values({**SETTINGS, **settings})
    return create_run(path, NewRun(config, GOLDEN / "model", pairs), run_id=path.name)
