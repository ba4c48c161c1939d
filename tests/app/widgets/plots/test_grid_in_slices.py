"""The plots of a run are made one a turn; what the grid is told before reaches those that come later."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop

from app.theme.theme import Theme
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.run_plots import CURVES
from app.widgets.plots.run_series import RunSeries, plain_curve

STEPS = list(range(1, 31))
SERIES = {name: (STEPS, [0.1 * s for s in STEPS]) for name in ("margin", "loss", "reward_chosen", "accuracy")}


def _run(series: dict[str, Any], total: int) -> RunSeries:
    return RunSeries({name: plain_curve(values) for name, values in series.items()}, total)


@pytest.fixture
def grid(theme: Theme, qtbot: Any) -> MonitorGrid:
    widget = MonitorGrid(theme)
    qtbot.addWidget(widget)
    widget.resize(1000, 600)
    return widget


def counts_of_turns(grid: MonitorGrid) -> list[int]:
    """Turn the event loop until the grid is settled; return how many plots there were after each turn."""
    counts = [len(grid.plots)]
    while not grid.settled:
        QAbstractEventDispatcher.instance().processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
        counts.append(len(grid.plots))
    return counts


def test_that_a_turn_of_the_event_loop_makes_one_plot_at_most(grid: MonitorGrid, qtbot: Any) -> None:
    grid.show()
    with qtbot.waitSignal(grid.built):
        counts = counts_of_turns(grid)
    assert counts[0] <= 1, "showing the grid may turn the event loop once"
    assert counts[-1] == len(CURVES)
    assert max(late - early for early, late in pairwise(counts)) == 1


def test_that_what_was_told_before_holds_for_plots_that_are_made_later(grid: MonitorGrid) -> None:
    grid.set_smoothing(0.25)
    grid.set_raw(False)
    grid.set_outliers(True)
    grid.set_log_y(True)
    grid.set_target("kl.kl", 3.0, "budget")
    grid.set_crosshair(7.0)
    grid.feed(_run(SERIES, 30))
    counts_of_turns(grid)
    assert {(p._weight, p._raw, p._fitted, p.axes.log_y, p.crosshair) for p in grid.plots} == {
        (0.25, False, 0.98, True, 7.0)
    }
    assert next(p for p in grid.plots if "kl.kl" in p.curves).levels.words() == ["budget 3"]
    assert {m: c.steps.size for p in grid.plots for m, c in p.curves.items() if m in SERIES} == dict.fromkeys(
        SERIES, 30
    )


def test_that_the_grid_answers_before_a_plot_is_made(grid: MonitorGrid) -> None:
    grid.fit()
    grid.move_crosshair(1)
    assert grid.readout() == ["step 0: "]
    assert grid.metrics[0] == "margin"


def test_that_all_plots_show_the_same_span_once_they_are_made(grid: MonitorGrid) -> None:
    grid.show()
    grid.feed(_run(SERIES, 60))
    counts_of_turns(grid)
    spans = {tuple(round(end, 6) for end in plot.view.viewRange()[0]) for plot in grid.plots}
    assert len(spans) == 1
    assert max(end for _, end in spans) > 60


def test_that_a_deleted_grid_makes_no_more_plots(theme: Theme, qapp: Any) -> None:
    grid = MonitorGrid(theme)
    shiboken6.delete(grid)
    for _ in range(3):
        QAbstractEventDispatcher.instance().processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
    assert grid.plots == []
