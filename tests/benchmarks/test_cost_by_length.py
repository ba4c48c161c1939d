"""How a step's cost grows with the pairs in it and with their length, up to 4k tokens a pair; printed and drawn.

Run alone on a quiet machine, with the starter model installed:

    PAIRWRIGHT_BENCH_PICTURE=resources/screenshots/cost-by-length.png \\
        pytest tests/benchmarks/test_cost_by_length.py -m benchmark -s -n0
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, StepDone
from core.paths import starter_model_dir
from core.training.memory_plan import ModelShape

STARTER = starter_model_dir()
LENGTHS = (256, 512, 1024, 2048, 4096)
COUNTS = (1, 2, 4, 8)
WORDS = "one two three four five six seven eight nine ten"
"""Each word is one token of the starter model's tokenizer."""


def words(count: int, lead: str) -> str:
    return " ".join((lead + " " + f"{WORDS} " * (count // 10 + 1)).split()[:count])


def pairs(count: int, tokens: int) -> list[TrainingPair]:
    """Make pairs of about ``tokens`` tokens: half prompt, a quarter each answer."""
    half, quarter = tokens // 2, tokens // 4
    made = []
    for i in range(count):
        prompt = Prompt.from_text(words(half, f"ask {i}"))
        made.append(TrainingPair(f"p{i}", prompt, " " + words(quarter, "yes"), " " + words(quarter, "no")))
    return made


def step_seconds(count: int, tokens: int, folder: Path) -> tuple[float, int]:
    """Return the processor seconds of one optimizer step over ``count`` pairs, and the tokens of a pair."""
    from core.training.control_protocol import NoControl
    from core.training.engine import train

    quiet = {"eval_every": 0, "kl_every": 0, "sample_every": 0, "checkpoint_every": 0, "warmup": 0}
    config = RunConfig().with_values(
        {"steps": 2, "batch_size": count, "device": "cpu", "threads": 1, "template": "none", "max_length": 0, **quiet}
    )
    events: Iterator[object] = train(
        config, pairs(count, tokens), model_dir=STARTER, run_dir=folder, control=NoControl(), cache_dir=None
    )
    taken, length, before = math.inf, 0, time.process_time()
    for event in events:
        assert not isinstance(event, Failed), event
        if isinstance(event, StepDone):
            taken = min(taken, time.process_time() - before)
            length = event.rows[0].tokens_chosen + event.rows[0].tokens_rejected + tokens // 2
        before = time.process_time()
    return taken, length


def slope(points: list[tuple[float, float]]) -> float:
    """Return the exponent of the last doubling: 1 is linear."""
    (x0, y0), (x1, y1) = points[-2:]
    return math.log(y1 / y0) / math.log(x1 / x0)


@pytest.mark.benchmark
@pytest.mark.timeout(0)
def test_that_cost_is_linear_in_pairs_and_no_worse_in_tokens(tmp_path: Path) -> None:
    if not STARTER.is_dir():
        pytest.skip("install the starter model first")
    print("\n| pairs of 128 tokens | CPU s / step | s / pair |\n|---|---|---|")
    by_count, by_length = [], []
    for count in COUNTS:
        seconds, _ = step_seconds(count, 128, tmp_path / f"n{count}")
        by_count.append((float(count), seconds))
        print(f"| {count} | {seconds:.2f} | {seconds / count:.3f} |", flush=True)
    print("\n| tokens of a pair | CPU s / step | ms / token | GFLOP / s |\n|---|---|---|---|")
    for tokens in LENGTHS:
        seconds, length = step_seconds(1, tokens, tmp_path / f"t{tokens}")
        by_length.append((float(length), seconds))
        rate = operations(length) / seconds / 1e9
        print(f"| {length} | {seconds:.2f} | {1000 * seconds / length:.2f} | {rate:.0f} |", flush=True)
    print(f"\nexponent in pairs {slope(by_count):.2f}, in tokens at the longest {slope(by_length):.2f}")
    if picture := os.environ.get("PAIRWRIGHT_BENCH_PICTURE"):
        draw(by_length, Path(picture))


def operations(tokens: float) -> float:
    """Return the floating-point operations of a step over one pair: half prompt, a quarter each answer.

    Weights forward and backward, head twice for the answers, and seven attention products (two forward, one again,
    four backward) over the keys that each query sees.
    """
    shape = ModelShape.read(STARTER)
    body = shape.parameters - shape.vocabulary * shape.width
    prompt, answer = tokens / 2, tokens / 4
    seen = (prompt + answer) ** 2 / 2 + answer * prompt + answer**2 / 2
    attention = 7 * 2 * shape.layers * shape.heads * shape.head_dim * seen
    return 4 * body * tokens + 4 * shape.vocabulary * shape.width * 2 * answer + attention


def draw(points: list[tuple[float, float]], path: Path) -> None:
    """Draw seconds a pair over its tokens, and what linear growth and the operations would make of the first point."""
    import pyqtgraph as pg
    from pyqtgraph.exporters import ImageExporter
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    plot = pg.PlotWidget(background="w")
    plot.resize(640, 360)
    plot.setLabel("bottom", "tokens of a pair (prompt, chosen, rejected)")
    plot.setLabel("left", "processor seconds a pair")
    plot.addLegend()
    x, y = zip(*points, strict=True)
    plot.plot(x, [y[0] / x[0] * v for v in x], pen=pg.mkPen("#888888", width=1), name="linear")
    expected = [y[0] / operations(x[0]) * operations(v) for v in x]
    plot.plot(x, expected, pen=pg.mkPen("#c05020", width=1), name="operations, attention with them")
    plot.plot(x, y, pen=pg.mkPen("#1f5fbf", width=2), symbol="o", symbolSize=7, name="measured")
    plot.show()
    app.processEvents()
    ImageExporter(plot.plotItem).export(str(path))
    plot.close()
