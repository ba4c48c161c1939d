"""How late the window's timers are while it follows a run: the real window on Runs, the real engine in its own process.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_ui_timer.py

A precise timer of 16 ms stands for everything that has to happen at once, such as painting after a key. Its lateness
is what it came after its time; what the thread waited for a processor that others held is told apart, since that is
the machine and not the window. The bar: p99 of the lateness at most 33 ms.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, QTimer

from app.background.watchdog import queue_wait_s
from core.domain.run_config import RunConfig
from core.services.runs.views import RunRequest
from tests.fakes.workspaces import opened

GOLDEN = Path(__file__).parents[1] / "golden"
BEAT_MS, SECONDS, BAR_MS = 16, 30, 33.0
SETTINGS = {
    "steps": 100_000,
    "batch_size": 8,
    "max_length": 256,
    "eval_every": 20,
    "kl_every": 50,
    "sample_every": 50,
    "checkpoint_every": 50,
    "kl_max_new_tokens": 16,
    "template": "none",
    "threads": 1,
}


class Beat(QObject):
    """A precise timer that notes how late each of its beats was, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self.waited: list[float] = []
        self._thread = threading.get_native_id()
        self._last, self._queue = time.perf_counter(), queue_wait_s(self._thread)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(BEAT_MS)

    def _tick(self) -> None:
        now, queue = time.perf_counter(), queue_wait_s(self._thread)
        self.late.append(max(0.0, 1000 * (now - self._last) - BEAT_MS))
        self.waited.append(1000 * (queue - self._queue))
        self._last, self._queue = now, queue

    def stop(self) -> None:
        """Beat no more."""
        self._timer.stop()


def quantile(values: list[float], share: float) -> float:
    """Return the value that a share of the values does not pass."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a workspace with a run of the tiny model, ready to start."""
    pairs = tmp_path / "pairs.jsonl"
    lines = (GOLDEN / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    keys = ("prompt", "chosen", "rejected")
    pairs.write_text("".join(json.dumps({k: row[k] for k in keys}) + "\n" for row in rows), encoding="utf-8")
    with opened(tmp_path / "ws") as app:
        config = RunConfig().with_values(SETTINGS)
        app.runs.create(RunRequest(str(GOLDEN / "model"), pairs_path=str(pairs), config=config, name="beat"))
    return tmp_path / "ws"


@pytest.mark.benchmark
@pytest.mark.timeout(240)
def test_that_timers_keep_time_while_a_run_is_followed(main_window: Any, workspace: Path, capsys: Any) -> None:
    running = main_window(workspace=workspace, size=(1280, 800))
    runs = running.context.services.runs
    run_id = runs.list()[0].run_id
    runs.start(run_id)
    try:
        page = running.page("runs")
        running.qtbot.waitUntil(lambda: page.monitor.grid.plots[0].last_step() >= 20, timeout=120_000)
        beat = Beat()
        running.qtbot.wait(1000 * SECONDS)
        beat.stop()
        steps = int(page.monitor.grid.plots[0].last_step())
    finally:
        runs.stop(run_id, save=False)
        runs.wait(run_id, 60)
    own = [max(0.0, late - waited) for late, waited in zip(beat.late, beat.waited, strict=True)]
    with capsys.disabled():
        print(f"\n{len(beat.late)} beats of {BEAT_MS} ms in {SECONDS} s, run at step {steps}, page on Runs, 1280x800")
        for name, values in (("lateness", beat.late), ("without waiting for a processor", own)):
            p50, p99 = quantile(values, 0.5), quantile(values, 0.99)
            print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(values):.1f} ms")
    assert quantile(own, 0.99) <= BAR_MS
