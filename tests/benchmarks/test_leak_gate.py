"""The leak gate on 2,500, 5,000 and 10,000 items a side: its time must grow with the items, not with their square."""

from __future__ import annotations

import random
import time

import pytest

from core.domain.conversation import Prompt
from core.evaluation.leaks import ComparedItem, find_leaks

pytestmark = pytest.mark.benchmark
WORDS = [f"word{i}" for i in range(20_000)]
OFTEN = [1 / (i + 5) for i in range(20_000)]


def _item(rng: random.Random, name: str) -> ComparedItem:
    def text(least: int, most: int) -> str:
        return " ".join(rng.choices(WORDS, OFTEN, k=rng.randint(least, most)))

    return ComparedItem(name, Prompt.from_text(text(10, 120)), (text(20, 200), text(20, 200)))


def test_that_the_leak_gate_is_near_linear() -> None:
    seconds = []
    for size in (2_500, 5_000, 10_000):
        rng = random.Random(1)
        test, train = ([_item(rng, f"{side}{i}") for i in range(size)] for side in ("t", "r"))
        for at in range(size // 100):  # a planted near copy for each hundredth item
            prompt = Prompt.from_text(f"{test[at].prompt.last_text.upper()} extra")
            train[at] = ComparedItem(train[at].id, prompt, test[at].answers)
        began = time.process_time()
        report = find_leaks(test, {"train": train})
        seconds.append(time.process_time() - began)
        print(f"{size:,} x {size:,}: {seconds[-1]:.1f} processor s, {len(report.items):,} of {size // 100:,} found")
        assert len(report.items) == size // 100
    assert seconds[2] < 8 * seconds[0]
