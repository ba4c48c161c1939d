"""Processor seconds of an import: pairs a second at 700 bytes a pair, one imported label each, and where they go.

Run by hand::

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_import_cost.py
    PAIRS=1000000 python -m pytest -m benchmark -s -n0 tests/benchmarks/test_import_cost.py -k import
    PAIRS=200000 python -m pytest -m benchmark -s -n0 tests/benchmarks/test_import_cost.py -k searching

The ratio compares with a loop of plain Python in the same process, because a loaded machine counts more processor
seconds for the same work. The memory of the child process that parses is counted beside that of this one.
"""

from __future__ import annotations

import json
import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.services.application import Application
from tests.benchmarks.test_search_speed import line, times
from tests.fakes.fresh import fresh

WORDS = [f"{stem}{end}" for stem in ("plan", "word", "ask", "light", "sort", "mend") for end in ("", "s", "ed", "ing")]
ROWS = int(os.environ.get("PAIRS", "40000"))


def write_pairs(path: Path, rows: int) -> int:
    """Write records of about 700 bytes; return the bytes of the file."""
    rng = random.Random(0)
    with path.open("w", encoding="utf-8") as handle:
        for number in range(rows):
            texts = [" ".join(rng.choices(WORDS, k=count)) for count in (18, 42, 42)]
            row = {"prompt": f"{texts[0]} {number}?", "chosen": f"{texts[1]} x{number}", "rejected": f"{texts[2]} y"}
            handle.write(json.dumps(row) + "\n")
    return path.stat().st_size


def processor_seconds() -> float:
    """Return the processor seconds of this process and of the children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def calibration() -> float:
    """Return the processor seconds of a million turns of a plain loop."""
    started, value = time.process_time(), 0
    for number in range(1_000_000):
        value = (value * 31 + number) & 0xFFFF
    return time.process_time() - started


def measure(folder: Path, rows: int) -> None:
    path = folder / "many.jsonl"
    size = write_pairs(path, rows)
    loop = min(calibration() for _ in range(3))
    with fresh(folder / "ws") as app:
        wall, cpu = time.perf_counter(), processor_seconds()
        report = app.imports.run(path).value
        wall, cpu = time.perf_counter() - wall, processor_seconds() - cpu
        assert (report.imported, report.judgements) == (rows, rows)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        f"\n{rows:,} pairs of {size / rows:.0f} bytes: {wall:.1f} s, {cpu:.2f} processor s, {rows / cpu:,.0f} pairs a"
        f" processor second, {cpu / rows / loop * 1e6:.0f} x a turn of the loop, peak {peak / 1024:,.0f} MB"
    )


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_the_cost_of_an_import(tmp_path: Path) -> None:
    measure(tmp_path, ROWS)


def searches(app: Application, rows: int) -> dict[str, Callable[[], str]]:
    """Return what is looked for among the pairs of :func:`write_pairs`, by kind."""
    rng = random.Random(1)

    def stored(chars: int) -> str:
        pair = next(iter(app.pairs.texts([rng.randint(1, rows)]).values()))
        start = rng.randrange(max(1, len(pair.a.text) - chars))
        return f'"{pair.a.text[start : start + chars]}"'

    return {
        "a word of few pairs": lambda: f"x{rng.randrange(rows // 100, rows)}",
        "a word of nearly every pair": lambda: rng.choice(WORDS),
        "two words of nearly every pair": lambda: " ".join(rng.sample(WORDS, 2)),
        "a phrase of 20 characters": lambda: stored(20),
        "a sentence of 100 characters": lambda: stored(100),
        "two letters": lambda: stored(2),
        "one letter": lambda: rng.choice("aeilnost"),
        "one letter and a word of few pairs": lambda: f"e x{rng.randrange(rows // 100, rows)}",
        "nothing that is there": lambda: f"zzq{rng.random()}",
    }


def search_and_check(app: Application, rows: int) -> None:
    """Print how long searches among imported pairs take, and a check of their workspace."""
    began = time.process_time()
    while not app.pairs.advance_index(2000).complete:
        pass
    size = (app.folder / "search" / "index.db").stat().st_size
    print(f"\nindex: {(time.process_time() - began) / rows * 1e6:.0f} \u00b5s CPU a pair, {size / 1e6:.0f} MB")
    for kind, make in searches(app, rows).items():
        print(line(kind, list(times(app, make))))
    wall, cpu = time.perf_counter(), processor_seconds()
    assert app.workspace.check().findings == ()
    wall, cpu = time.perf_counter() - wall, processor_seconds() - cpu
    print(f"check: {wall:.1f} s, {cpu:.1f} processor s; a million turns of the loop {calibration() * 1e3:.0f} ms")


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_searching_and_checking_what_was_imported(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    write_pairs(path, ROWS)
    with fresh(tmp_path / "ws") as app:
        app.imports.run(path)
        search_and_check(app, ROWS)
