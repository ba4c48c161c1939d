"""How fast 100,000 pairs with labels come in, go through the filters, and freeze. Run by hand on a quiet machine."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.dataset import FreezePolicy
from core.services.pairs.service import PairFilter
from tests.fakes.fresh import fresh

ROWS = 100_000
WORDS = [
    "the",
    "a",
    "model",
    "answer",
    "question",
    "because",
    "often",
    "never",
    "rather",
    "kind",
    "plain",
    "long",
    "short",
    "red",
    "green",
    "of",
    "to",
    "in",
]


def text(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def timed(what: str, rows: int, call: Callable[[], Any]) -> Any:
    wall, cpu = time.perf_counter(), time.process_time()
    value = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}: {wall:.2f} s wall, {cpu:.2f} s CPU, {rows / wall:,.0f} rows/s")
    return value


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_import_filter_and_freeze_of_a_hundred_thousand_pairs(tmp_path: Path) -> None:
    rng = random.Random(0)
    path = tmp_path / "many.jsonl"
    with open(path, "w", encoding="utf-8") as handle:
        for number in range(ROWS):
            head = f"\n\nHuman: {number // 3} {text(rng, 20)}\n\nAssistant: {text(rng, 40)}\n\nHuman: {text(rng, 15)}"
            answers = (f"{head}\n\nAssistant: {text(rng, 60)} {side}{number}" for side in "xy")
            handle.write(json.dumps(dict(zip(("chosen", "rejected"), answers, strict=True))) + "\n")
    print(f"\n{path.stat().st_size / 2**20:.0f} MiB")
    with fresh(tmp_path / "ws") as app:
        report = timed("import", ROWS, lambda: app.imports.run(path, consent="granted")).value
        assert report.imported == ROWS
        timed("import again", ROWS, lambda: app.imports.run(path))
        timed("ids", ROWS, app.pairs.ids)
        timed("text filter", ROWS, lambda: app.pairs.ids(PairFilter(text="question 77777")))
        timed("rows of a screen", 256, lambda: app.pairs.page(after_id=50_000))
        timed("freeze", ROWS, lambda: app.datasets.freeze("d", FreezePolicy()))
        timed("training pairs", ROWS, lambda: app.datasets.training_pairs("d"))
        timed("export", ROWS, lambda: app.datasets.export("d", tmp_path / "out"))
