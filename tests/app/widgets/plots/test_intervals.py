"""Intervals, marks and what a plot says of them; nothing of one run stays for the next."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF

from app.theme.theme import Theme
from app.widgets.plots import export
from app.widgets.plots.curves import Curve, CurveSpec
from app.widgets.plots.metric_plot import MetricPlot
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.readout import joined
from app.widgets.plots.run_series import ForkMark, Level, RunSeries
from app.widgets.plots.step_marks import SpanMark

STEPS = [float(step) for step in range(1, 41)]


def curve(steps: list[float], values: list[float], half: float | None = None, n: float = 16.0) -> Curve:
    x, y = np.asarray(steps), np.asarray(values)
    if half is None:
        return Curve(x, y)
    return Curve(x, y, y - half, y + half, np.full(x.size, n))


def series(**more: Any) -> RunSeries:
    curves = {
        "margin": curve(STEPS, [0.02 * s for s in STEPS]),
        "train.margin": curve([0, 10, 20, 30, 40], [0, 0.3, 0.6, 0.9, 1.1], 0.2),
        "dev.margin": curve([0, 10, 20, 30, 40], [0, 0.2, 0.4, 0.5, 0.6], 0.15),
        "kl.kl": curve([0, 20, 40], [0, 3.7, 5.9], 1.0, 8.0),
        "accuracy": curve(STEPS, [1.0] * 40),
    }
    return RunSeries(**{"curves": curves, "total": 40, **more})


@pytest.fixture
def grid(theme: Theme, qtbot: Any) -> MonitorGrid:
    widget = MonitorGrid(theme)
    widget.make_all()
    qtbot.addWidget(widget)
    widget.resize(1500, 700)
    widget.show()
    qtbot.waitExposed(widget)
    widget.draw(series())
    qtbot.waitUntil(lambda: widget.settled)
    return widget


def margin(grid: MonitorGrid) -> MetricPlot:
    return grid.plots[0]


def kl(grid: MonitorGrid) -> MetricPlot:
    return next(plot for plot in grid.plots if "kl.kl" in plot.curves)


def test_that_an_interval_is_a_band_and_that_of_a_kl_a_bar(grid: MonitorGrid) -> None:
    items = margin(grid)._items
    assert items["dev.margin"]._intervals.band.isVisible()
    assert items["margin"]._intervals is None, "a curve without intervals draws none"
    assert kl(grid)._items["kl.kl"]._intervals.bars.opts["height"].tolist() == [2.0, 2.0, 2.0]
    low, high = margin(grid).view.viewRange()[1]
    assert low <= -0.2 and high >= 1.3, "the axis holds the whole band"


def test_that_batches_are_a_faint_line_where_the_same_is_measured_on_a_probe(grid: MonitorGrid) -> None:
    items = margin(grid)._items
    assert items["margin"].behind and not items["train.margin"].behind
    assert items["margin"].end_place(margin(grid).axes) is None, "only the probes are named at their ends"
    grid.draw(RunSeries({"margin": series().curves["margin"], "train.margin": Curve()}, 40))
    assert not items["margin"].behind


def test_that_the_readout_names_split_n_interval_and_the_step_of_an_earlier_probe(grid: MonitorGrid) -> None:
    grid.set_crosshair(26.0)
    text = joined(grid.readout())
    assert text.startswith("step 26: held-out reward margin 0.400 [0.250, 0.550] n 16 (step 20)")
    assert "batch reward margin 0.520" in text
    grid.set_crosshair(30.0)
    assert "held-out reward margin 0.500 [0.350, 0.650] n 16 ·" in joined(grid.readout())


def test_that_the_head_chooses_what_fits_and_never_cuts(grid: MonitorGrid) -> None:
    head = margin(grid).head
    for width in range(120, 900, 40):
        head.resize(width, 24)
        head._fit()
        assert head.value.fontMetrics().horizontalAdvance(head.value.text()) <= max(0, head.value.width())
    assert "train probe 1.100 [0.900, 1.300] n 16 · held-out 0.600 [0.450, 0.750] n 16" in head.full


def test_that_another_run_takes_all_drawing_of_the_one_before_away(grid: MonitorGrid, qtbot: Any) -> None:
    plot = margin(grid)
    grid.draw(series(fork=ForkMark(10.0, "fork"), levels=(Level("margin", "a", 0.5, "half"),)))
    grid.set_spans({"dev.margin": [SpanMark(10, 20, 1, "warn")]})
    qtbot.waitUntil(lambda: grid.settled)
    grid.set_crosshair(20.0)
    grid.clear()
    assert all(c.steps.size == 0 for p in grid.plots for c in p.curves.values())
    assert not any(items._end.isVisible() for p in grid.plots for items in p._items.values())
    assert plot.marks.spans == () and plot.marks.fork_text == "" and plot.levels.words() == []
    assert plot.plot.left.tickValues(0.0, 0.8, 100.0) == [], "an empty plot has no scale"
    assert plot.head.value.text() == "–"


def test_that_a_fork_shows_what_was_before_it_and_what_it_changed(grid: MonitorGrid) -> None:
    before = {"margin": curve([1, 2, 3, 4], [0.0, 0.1, 0.2, 0.3])}
    own = {"margin": curve([5, 6, 7], [0.4, 0.5, 0.6])}
    grid.draw(RunSeries(own, 7, before, ForkMark(4.0, "fork of a at step 4: lr 0.001 → 10.0")))
    plot = margin(grid)
    assert plot._items["margin"]._parent.getData()[0].tolist() == [1, 2, 3, 4]
    assert plot.marks.fork_text == "fork of a at step 4: lr 0.001 → 10.0"
    assert plot.first_step() == 1.0


def test_that_spans_of_insights_stand_on_their_plots_only(grid: MonitorGrid, qtbot: Any) -> None:
    mark = SpanMark(10.0, 30.0, 2, "warn")
    grid.set_spans({"dev.margin": [mark]})
    qtbot.waitUntil(lambda: grid.settled)
    assert [plot.marks.spans for plot in grid.plots] == [(mark,), (), (), (), (), ()]
    region, text = margin(grid).marks._items[0]
    assert region.getRegion() == (10.0, 30.0) and text.toPlainText().strip() == "2"


def test_that_a_single_value_between_missing_ones_is_drawn_and_the_missing_ones_counted(grid: MonitorGrid) -> None:
    values = [math.nan if s in (19.0, 21.0) else 0.1 if s != 20.0 else 7.0 for s in STEPS]
    for name in ("loss", "reward_chosen"):
        plot = next(p for p in grid.plots if name in p.curves)
        plot.set_smoothing(0.0)
        plot.take(name, curve(STEPS, values))
        assert plot._items[name]._alone.getData()[0].tolist() == [20.0]
        assert "2 not a number" in plot.head.full


@pytest.mark.parametrize("width", [160, 240, 420, 900])
def test_that_ticks_of_steps_never_touch_on_any_axis(grid: MonitorGrid, width: int) -> None:
    axis = margin(grid).plot.bottom
    metrics = QFontMetricsF(axis._tick_font)
    for log in (False, True):
        axis.setLogMode(log)
        for low, high in ((0.0, 4.6), (0.0, 1.6), (2.0, 3.0)) if log else ((-1.0, 41.0), (0.0, 100_000.0), (3.2, 4.8)):
            ((spacing, values),) = axis.tickValues(low, high, width)
            texts = axis.tickStrings(values, 1.0, spacing)
            places = [(value - low) / (high - low) * width for value in values]
            halves = [metrics.horizontalAdvance(text) / 2 for text in texts]
            spans = list(zip(places, halves, strict=True))
            assert all(b - hb > a + ha for (a, ha), (b, hb) in pairwise(spans)), texts
    axis.setLogMode(False)


def test_that_both_axes_say_what_they_measure(grid: MonitorGrid) -> None:
    for plot in grid.plots:
        assert plot.x_title.text() == "optimizer step →"
        assert plot.y_title.text().startswith("↑ ")


def test_that_a_constant_accuracy_has_a_scale(grid: MonitorGrid) -> None:
    plot = next(p for p in grid.plots if "accuracy" in p.curves)
    ((_, values),) = plot.plot.left.tickValues(*plot.view.viewRange()[1], 90.0)
    assert len(values) >= 2


def test_that_a_picture_is_large_names_its_run_and_has_no_crosshair(grid: MonitorGrid) -> None:
    plot, seen = margin(grid), list[tuple[bool, str]]()
    grid.set_crosshair(20.0)
    original = plot.show_whose

    def watched(whose: str) -> None:
        original(whose)
        seen.append((plot._cross.isVisible(), plot._whose.text()))

    plot.show_whose = watched  # type: ignore[method-assign]
    image = export.to_image(plot, export.picture_scale(plot), "run 7")
    assert image.width() >= 1440
    assert seen == [(False, "run 7"), (False, "")]
    assert plot._cross.isVisible() and plot.crosshair == 20.0


def test_that_a_csv_names_run_units_intervals_and_n(grid: MonitorGrid) -> None:
    text = export.content(margin(grid), "csv", "=run")()
    rows = list(csv.DictReader(str(text).splitlines()))
    last = rows[-1]
    assert (last["run"], last["optimizer step"]) == ("'=run", "40")
    assert float(last["dev.margin_low (nats × β)"]) == pytest.approx(0.45)
    assert (last["dev.margin (nats × β)"], last["dev.margin_n"]) == ("0.6", "16.0")
    assert rows[1]["dev.margin_n"] == "" and rows[1]["margin (nats × β)"] == "0.02"


def test_that_a_kl_is_called_by_its_horizon_with_error_n_and_share_cut(grid: MonitorGrid) -> None:
    grid.draw(series(titles={"kl.kl": ("KL, first 32 tokens", "± 0.732 SE · n 8 · 75 % cut")}))
    plot = kl(grid)
    assert plot.plot.accessibleName() == "KL, first 32 tokens"
    assert plot.head.full == "5.900 ± 0.732 SE · n 8 · 75 % cut"


def test_that_a_line_of_two_values_is_not_bent(theme: Theme, qtbot: Any) -> None:
    plot = MetricPlot(theme, "loss", [CurveSpec("loss", "accent", "loss")])
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show()
    qtbot.waitExposed(plot)
    plot.set_curve("loss", [1, 2], [1.0, 5.0])
    assert plot.smoothed("loss").tolist() == [1.0, 5.0]
