"""The child process that measures how fast a run's model answers and scores, on a few of the evaluation's own items."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.suite import SuiteItem
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.evaluations.cost import MeasuredSpeed
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.model_batches import EncodedPrompt, pair_batches, prompt_batches
from core.runs.priority import lower_priority

_FEW, _MORE = 1, 9
"""New tokens of the two tried lengths: their difference is what a token costs, the rest what a prompt costs."""


def examine(request: dict[str, Any], progress: Progress) -> dict[str, float]:
    """Return the speed of the request ``{run_dir, step, config, items}`` as plain values."""
    lower_priority()
    go_offline()
    progress(0, 2, "Loading the model")
    config = EvaluationConfig().with_values(request["config"])
    items = [SuiteItem.from_plain(row) for row in request["items"]]
    begun = time.monotonic()
    model = LocalModel(Path(request["run_dir"]), int(request["step"]), config, {})
    loaded = time.monotonic() - begun
    progress(1, 2, "A few tokens as a test")
    return measured(model, items, config, loaded).to_plain()


def measured(model: LocalModel, items: list[SuiteItem], config: EvaluationConfig, load_s: float) -> MeasuredSpeed:
    """Return the speed of a loaded model on the largest batch of these items and on a batch of pairs."""
    arm = Arm("aligned", "aligned")
    prompts, _ = model.encoded(arm, [i for i in items if i.expected != "neutral"], config.max_new_tokens)
    batches = prompt_batches(prompts, config, config.max_new_tokens)
    batch = max(batches, key=len, default=[])
    prompt_s = token_s = 0.0
    if batch:
        with model.decoding(arm, batch):
            few, more = (_answer_seconds(model, arm, batch, count) for count in (_FEW, _MORE))
        token_s = max(0.0, more - few) / (_MORE - _FEW) / len(batch)
        prompt_s = max(0.0, few / len(batch) - _FEW * token_s)
    rows, _ = model.encoded_rows(arm, items)
    scored = next(iter(pair_batches(rows)), [])
    pair_s = _seconds(lambda: model.score(arm, "", scored)) / len(scored) if scored else 0.0
    return MeasuredSpeed(load_s, prompt_s, token_s, pair_s)


def _answer_seconds(model: LocalModel, arm: Arm, batch: list[EncodedPrompt], count: int) -> float:
    model.decoder = replace(model.decoder, max_new_tokens=count)
    return _seconds(lambda: model.answer(arm, "", batch))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(serve(examine))
