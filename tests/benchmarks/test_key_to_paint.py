"""From Enter to the next pair on the screen, in the real window with 100,000 pairs. Printed, and bounded.

Each label is one durable transaction on the store's thread while the prefetched pair is painted. The clock starts
before the key is delivered and stops when both answers of the next pair have been painted. Run alone on a quiet
machine: ``pytest tests/benchmarks/test_key_to_paint.py -m benchmark -s -n0``.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication

from tests.benchmarks.test_labelling_speed import PAIRS, fill, p95
from tests.fakes.workspaces import opened

LABELS = 200
VERDICTS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_6, Qt.Key.Key_7)


class Painted(QObject):
    """Notes when each of the watched widgets was last painted."""

    def __init__(self, widgets: list[Any]) -> None:
        super().__init__()
        self.at = dict.fromkeys(widgets, 0.0)
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched in self.at:
            self.at[watched] = time.perf_counter()
        return False


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_that_the_next_pair_is_painted_in_time(main_window: Any, tmp_path: Path, qtbot: Any) -> None:
    app = opened(tmp_path / "ws")
    fill(app.store, PAIRS)
    reviewer = app.reviewers.list()[0]
    app.close()
    running = main_window(workspace=tmp_path / "ws")
    running.context.session.set_reviewer(reviewer.id, reviewer.name)
    page = running.page("annotate")
    qtbot.waitUntil(lambda: page.state.presentation is not None, timeout=60_000)
    running.settle()
    QApplication.setActiveWindow(running.window)
    page.first_focus().setFocus()
    painted = Painted([page.view.panes.left.text.viewport(), page.view.panes.right.text.viewport()])
    paints, saved, cpu = [], [], []
    for number in range(LABELS):
        shown = page.state.presentation
        qtbot.keyClick(page.window(), VERDICTS[number % len(VERDICTS)])
        begun, used = time.perf_counter(), time.thread_time()
        qtbot.keyClick(page.window(), Qt.Key.Key_Return)
        while page.state.presentation is shown or min(painted.at.values()) < begun:
            QApplication.processEvents()
        paints.append(1000 * (max(painted.at.values()) - begun))
        cpu.append(1000 * (time.thread_time() - used))
        while page.state.saving:
            QApplication.processEvents()
        saved.append(1000 * (time.perf_counter() - begun))
        running.settle()
    stored = running.context.services.annotation.recent(reviewer.id, 10 * LABELS)
    print(
        f"\n{PAIRS:,} pairs, load {os.getloadavg()[0]:.1f}: Enter to paint p50 {statistics.median(paints):.1f} "
        f"p95 {p95(paints):.1f} max {max(paints):.1f} ms (window thread's processor time p50 "
        f"{statistics.median(cpu):.1f} p95 {p95(cpu):.1f}); Enter to saved p50 {statistics.median(saved):.1f} "
        f"p95 {p95(saved):.1f} ms; {len(stored)} labels stored"
    )
    assert len(stored) == LABELS
    assert p95(paints) <= 50
