"""How long a plot of many points computes on the UI thread: painted again, panned, and with twelve runs on it.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_plot_speed.py

A million points of one curve, at the size of a plot in a window of 1920 x 1080. The bars are 20 ms for painting, 40 ms
for a pan and 120 ms for twelve runs of 100,000 points, on the build machine; the calibration is a loop of plain Python
in the same process. It prints and does not judge: a number of milliseconds says nothing of another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.theme.theme import Theme
from app.widgets.plots.curves import Curve, CurveSpec
from app.widgets.plots.metric_plot import MetricPlot
from tests.benchmarks.ui_pieces import calibration_ms

POINTS, RUNS, RUN_POINTS = 1_000_000, 12, 100_000
COLOURS = ("plot_chosen", "plot_rejected", "plot_margin", "plot_kl", "plot_loss", "plot_accuracy")


def noisy(points: int, seed: int) -> Curve:
    """Return a falling curve with noise and some values that are not a number."""
    draw = np.random.default_rng(seed)
    values = np.exp(-np.arange(points) / (0.3 * points)) + draw.normal(0, 0.1, points)
    values[draw.integers(0, points, points // 10_000)] = np.nan
    return Curve(np.arange(points, dtype=float), values)


def shown(theme: Theme, qtbot: Any, specs: list[CurveSpec]) -> MetricPlot:
    """Return a plot on the screen."""
    plot = MetricPlot(theme, "Loss", specs)
    qtbot.addWidget(plot)
    plot.resize(640, 360)
    plot.show()
    qtbot.waitExposed(plot)
    return plot


def cpu_ms(call: Callable[[], object], times: int = 9) -> float:
    """Return the CPU milliseconds of a call, the median of some."""
    found: list[float] = []
    for _ in range(times):
        begun = time.thread_time()
        call()
        found.append(1000 * (time.thread_time() - begun))
    return sorted(found)[times // 2]


def panned(plot: MetricPlot, total: int) -> Callable[[], None]:
    """Return what moves the view by a hundredth of the curve and paints it, to and fro."""
    places = iter([0.3, 0.31, 0.32, 0.33, 0.34] * 20)

    def pan() -> None:
        left = next(places) * total
        plot.view.setXRange(left, left + 0.4 * total, padding=0)
        plot.plot.viewport().repaint()

    return pan


@pytest.mark.benchmark
def test_that_a_million_points_are_painted_and_panned_and_twelve_runs_overlaid(
    theme: Theme, qtbot: Any, capsys: Any
) -> None:
    unit = calibration_ms()
    one = shown(theme, qtbot, [CurveSpec("loss", "plot_loss", "batch")])
    curve = noisy(POINTS, 1)
    taken = cpu_ms(lambda: one.take("loss", Curve(curve.steps, curve.values.copy())), 1)
    one.fit()
    QApplication.processEvents()
    figures = [
        ("1,000,000 points, taken and smoothed", taken, ""),
        ("1,000,000 points, painted", cpu_ms(lambda: one.plot.viewport().repaint()), "bar 20"),
        ("1,000,000 points, panned and painted", cpu_ms(panned(one, POINTS)), "bar 40"),
    ]
    many = shown(theme, qtbot, [CurveSpec(f"run{i}", COLOURS[i % 6], f"run {i}") for i in range(RUNS)])
    for i in range(RUNS):
        many.take(f"run{i}", noisy(RUN_POINTS, i))
    many.fit()
    QApplication.processEvents()
    figures.append(("12 runs of 100,000, painted", cpu_ms(lambda: many.plot.viewport().repaint()), "bar 120"))
    figures.append(("12 runs of 100,000, panned and painted", cpu_ms(panned(many, RUN_POINTS)), ""))
    with capsys.disabled():
        print(
            f"\ncalibration {unit:.1f} ms; CPU of the UI thread, median of nine, and as a multiple of the calibration"
        )
        for name, ms, bar in figures:
            print(f"{name:<42}{ms:8.1f} ms {ms / unit:6.2f} x   {bar}")
