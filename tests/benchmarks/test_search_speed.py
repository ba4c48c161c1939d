"""How long a search among 200,000 pairs takes, by the kind of what is looked for. Run by hand on a quiet machine."""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import string
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.domain.pair_table import PairFilter
from core.services.application import Application
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.database import Session
from tests.fakes.fresh import fresh
from tests.fakes.workspaces import add_source

PAIRS = 200_000
QUERIES = 25
CHINESE = (
    "机器学习模型的训练数据需要人工标注偏好对并且每个标注者都应该独立判断回答质量好坏以及是否安全可靠请问如何提高准确率"
)


class Language:
    """A made-up vocabulary with word frequencies as in real text (the n-th word is n times rarer than the first)."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.words = [
            "".join(rng.choices(string.ascii_lowercase, weights=range(30, 4, -1), k=rng.randint(2, 11)))
            for _ in range(30_000)
        ]
        self._weights = [0.0]
        for place in range(1, len(self.words) + 1):
            self._weights.append(self._weights[-1] + 1 / (place + 2))
        self._weights.pop(0)

    def text(self, chars: int) -> str:
        """Return a text of about so many characters; one in ten is Chinese."""
        if self._rng.random() < 0.1:
            return "".join(self._rng.choices(CHINESE, k=chars // 3))
        words = self._rng.choices(self.words, cum_weights=self._weights, k=chars // 6)
        words[0] = words[0].capitalize()
        return " ".join(words)


def fill(session: Session, language: Language) -> None:
    source = add_source(session)
    prompts, pairs, links = [], [], []
    for key in range(1, PAIRS + 1):
        prompt, a, b = language.text(200), language.text(250), language.text(250) + f" {key}"
        shas = [hashlib.sha256(f"{what}{key}".encode()).hexdigest() for what in ("q", "p", "a", "b")]
        body = json.dumps([{"role": "user", "content": prompt}])
        prompts.append((key, shas[0], 1, prompt, body))
        pairs.append((key, shas[1], key, source, *sorted(shas[2:]), 1, a, b))
        links.append((key, source, key))
        if len(pairs) == 2000:
            insert_many(session, "prompt(id, sha256, turns, text, body)", prompts)
            columns = "id, sha256, prompt_id, source_id, a_sha256, b_sha256, created_ms, a_text, b_text"
            insert_many(session, f"pair({columns})", pairs)
            insert_many(session, "pair_source(pair_id, source_id, row)", links)
            prompts, pairs, links = [], [], []


def queries(app: Application, language: Language, rng: random.Random) -> dict[str, Callable[[], str]]:
    def stored(chars: int) -> str:
        pair = next(iter(app.pairs.texts([rng.randint(1, PAIRS)]).values()))
        start = rng.randrange(max(1, len(pair.a.text) - chars))
        return pair.a.text[start : start + chars].replace('"', "")

    words = [word for word in language.words if len(word) > 2]
    return {
        "a common word": lambda: words[rng.randrange(50)],
        "a word": lambda: words[int(len(words) ** rng.random()) - 1],
        "two words": lambda: f"{words[rng.randrange(300)]} {words[rng.randrange(3000)]}",
        "a phrase of 20 characters": lambda: f'"{stored(20)}"',
        "a sentence of 100 characters": lambda: f'"{stored(100)}"',
        "part of a word, 3 characters": lambda: f'"{stored(3)}"',
        "two Chinese characters": lambda: "".join(rng.sample(CHINESE, 2)),
        "nothing that is there": lambda: f"zzq{rng.random()}",
    }


def times(app: Application, make: Callable[[], str], often: int = QUERIES) -> Iterator[tuple[float, float, int]]:
    """Yield wall and processor milliseconds of each search, and how many pairs it found."""
    for _ in range(often):
        wanted = PairFilter(text=make())
        began, worked = time.perf_counter(), time.thread_time()
        found = app.pairs.ids(wanted)
        yield (time.perf_counter() - began) * 1e3, (time.thread_time() - worked) * 1e3, len(found)


def line(what: str, taken: list[tuple[float, float, int]]) -> str:
    cells = [f"{statistics.median(found for _, _, found in taken):,.0f}"]
    for spans in (sorted(wall for wall, _, _ in taken), sorted(cpu for _, cpu, _ in taken)):
        cells += [f"{statistics.median(spans):.1f}", f"{spans[int(len(spans) * 0.95)]:.1f}"]
    return f"| {what} | {' | '.join(cells)} |"


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_searching_two_hundred_thousand_pairs(tmp_path: Path) -> None:
    rng = random.Random(0)
    language = Language(rng)
    with fresh(tmp_path / "ws") as app:
        app.store.write(lambda session: fill(session, language), "filling")
        began = time.process_time()
        while not app.pairs.advance_index(2000).complete:
            pass
        spent = time.process_time() - began
        sizes = [(tmp_path / "ws" / name).stat().st_size / 1e6 for name in ("workspace.db", "search/index.db")]
        print(
            f"\nindexing: {spent / PAIRS * 1e6:.0f} µs CPU a pair; database {sizes[0]:.0f} MB, index {sizes[1]:.0f} MB"
        )
        every: list[tuple[float, float, int]] = []
        print("| looked for | found (median) | p50 ms | p95 ms | p50 CPU ms | p95 CPU ms |\n|---|---|---|---|---|---|")
        for kind, make in queries(app, language, rng).items():
            taken = list(times(app, make))
            every += taken
            print(line(kind, taken))
        print(line("all together", every))
        short = [word for word in language.words if len(word) == 2]
        print(line("two letters", list(times(app, lambda: rng.choice(short)))))
        print(line("one letter", list(times(app, lambda: rng.choice("etaoin"), 5))))
