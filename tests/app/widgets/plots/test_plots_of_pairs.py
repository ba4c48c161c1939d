"""The plots of all pairs in the grid: what they show, what a press on them asks for, and how plots are arranged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from app.theme.theme import Theme
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.canvas import PlotCanvas
from app.widgets.plots.export import content
from app.widgets.plots.heat_plot import HeatPlot
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.pair_card import PairCard
from app.widgets.plots.plot_layout import PlotLayout
from app.widgets.plots.run_series import RunSeries, estimated_curve
from core.paths import resources_dir
from core.runs.run_reader import RunReader
from core.services.runs.run_estimates import RunEstimates
from core.services.runs.run_plots import PairPlots, RunPlots
from core.services.runs.x_places import XPlaces

SHOWN = ("margins", "displacement", "phase", "slices", "weights", "gap", "effective")


@pytest.fixture(scope="module")
def pairs() -> PairPlots:
    (folder,) = (resources_dir() / "demo" / "workspace" / "runs").iterdir()
    reader = RunReader(folder)
    return RunPlots(reader, RunEstimates(reader)).read()


@pytest.fixture(scope="module")
def shared(pairs: PairPlots, qapp: QApplication) -> Iterator[MonitorGrid]:
    theme = Theme(qapp, resources_dir())
    theme.apply("light", 100)
    widget = MonitorGrid(theme, PlotLayout(SHOWN))
    widget.make_all()
    widget.resize(1300, 900)
    widget.show()
    widget.draw(RunSeries({k: estimated_curve(c) for k, c in pairs.curves.items()}, 40, pairs=pairs, resumes=(20.0,)))
    qapp.processEvents()
    yield widget
    widget.close()
    widget.deleteLater()


@pytest.fixture
def grid(shared: MonitorGrid, qtbot: Any) -> MonitorGrid:
    shared.set_layout(PlotLayout(SHOWN))
    shared.pin(math.nan)
    qtbot.waitUntil(lambda: all(plot.is_laid_out for plot in shared.findChildren(PlotCanvas) if plot.isVisible()))
    return shared


def card(grid: MonitorGrid, key: str) -> PairCard:
    found = grid.deck.cards[key]
    assert isinstance(found, PairCard)
    return found


def heat(grid: MonitorGrid) -> HeatPlot:
    found = grid.deck.cards["margins"]
    assert isinstance(found, HeatPlot)
    return found


def test_that_a_cell_of_the_heat_map_leads_to_its_pairs(grid: MonitorGrid, pairs: PairPlots, qtbot: Any) -> None:
    plot, h = heat(grid), sorted(pairs.pairs.h[pairs.pairs.at(40)].tolist())
    scene = plot.view.mapViewToScene(QPointF(39.0, h[-1]))
    place = plot.plot.mapFromScene(scene)
    with qtbot.waitSignal(grid.pairs_wanted) as caught:
        qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    asked, found = caught.args[0], pairs.heat
    assert found is not None
    bin_ = found.bin_at(h[-1])
    assert (asked.kind, asked.first, asked.last) == ("dev", 40, 40)
    assert bin_ is not None and len(asked.visits) == found.counts[-1][bin_]
    assert plot.cell_at(40.0, 1e6) is None and plot.cell_at(400.0, 0.5) is None
    assert plot.head.full.startswith("held-out · n 16")
    assert plot._image.image is not None and plot._image.image.shape[1] == len(found.edges) - 1
    assert grid.plots[0].marks.resumes == (20.0,)


def test_that_values_of_the_heat_map_are_a_table_and_a_file(grid: MonitorGrid, pairs: PairPlots) -> None:
    found = pairs.heat
    assert found is not None
    grid.show_table(True)
    heads = [grid.table.twin.headerData(i, Qt.Orientation.Horizontal) for i in range(grid.table.twin.columnCount())]
    grid.show_table(False)
    named = [head for head in heads if head.startswith("pairs, h ")]
    assert len(named) == int((found.counts.sum(axis=0) > 0).sum())
    assert {"spread.p50", "effective pairs", "pairs, both down", "accuracy, chosen shorter"} <= set(heads)
    lines = str(content(heat(grid), "csv", "run")()).splitlines()
    assert lines[0].startswith("run,first step,last step,h from (nats)")
    assert sum(int(line.split(",")[5]) for line in lines[1:]) == 80


def test_that_dots_and_slices_lead_to_their_pairs_and_a_pinned_step_is_shown(grid: MonitorGrid, qtbot: Any) -> None:
    scatter, slices, weights = (card(grid, key) for key in ("displacement", "slices", "weights"))
    scatter.chart.grab()
    with qtbot.waitSignal(grid.pairs_wanted) as caught:
        qtbot.mouseClick(scatter.chart, Qt.MouseButton.LeftButton, pos=scatter.chart.spots[0].area.center().toPoint())
    assert caught.args[0].single and caught.args[0].first == 40
    slices.chart.grab()
    with qtbot.waitSignal(grid.pairs_wanted) as caught:
        slices.chart.setFocus()
        qtbot.keyClick(slices.chart, Qt.Key.Key_Right)
        qtbot.keyClick(slices.chart, Qt.Key.Key_Return)
    assert len(caught.args[0].visits) == 8, "the worst slice comes first"
    assert scatter.chart.about()[0] == "both down 6 of 16 · held-out · step 40"
    grid.pin(25.0)
    assert [c.chart.step for c in (scatter, weights)] == [20, 20]
    weights.slider.setValue(1)
    assert weights.chart.step == 10 and weights.head.full.endswith("step 10")
    grid.pin(math.nan)
    assert weights.chart.step == 40


def test_that_cells_and_slices_stand_at_what_is_along_x_and_mean_the_same_steps(
    grid: MonitorGrid, pairs: PairPlots, qtbot: Any
) -> None:
    slices = card(grid, "slices").chart
    minutes = AlongX.of("minutes", {"minutes": XPlaces([0, 20, 40], [0.0, 5.0, 6.0])})
    for part in (slices, heat(grid)):
        part.set_along(minutes)
    slices.grab()
    worst = pairs.slices[0].name
    x = {spot.key[1]: spot.area.center().x() for spot in slices.spots if spot.key[0] == worst}
    assert (x[20] - x[0]) / (x[40] - x[0]) == pytest.approx(5 / 6)
    assert any("step 20 (5.00 min): " in spot.words for spot in slices.spots)
    h = float(pairs.curves["spread.p50"].values[2])
    with qtbot.waitSignal(grid.pairs_wanted) as caught:
        heat(grid).view.clicked_at.emit(5.0, h)
    assert caught.args[0].first == caught.args[0].last == 20
    for part in (slices, heat(grid)):
        part.set_along(AlongX())


def test_that_every_painted_plot_is_a_picture_and_a_file_and_says_why_it_is_empty(grid: MonitorGrid) -> None:
    for key in ("displacement", "phase", "slices", "weights"):
        one = card(grid, key)
        assert str(content(one, "csv", "run")()).count("\n") > 1
        assert b"<svg" in bytes(content(one, "svg", "run")())  # type: ignore[arg-type]
        before = one.chart.plots
        one.clear()
        assert one.chart.empty and one.head.full == "–"
        one.take_plots(before)
        assert not one.chart.empty


def test_that_plots_move_by_menu_and_by_drag_and_a_hidden_one_is_kept(grid: MonitorGrid, qtbot: Any) -> None:
    grid.deck.cards["phase"].head.earlier.trigger()
    assert grid.deck.layout.shown[:3] == ("margins", "phase", "displacement")
    dragged, target = grid.deck.cards["margins"], grid.deck.cards["displacement"]
    QApplication.processEvents()
    with qtbot.waitSignal(grid.rearranged) as caught:
        dragged.head.dropped.emit(target.mapToGlobal(target.rect().center()))
    assert caught.args[0].shown[:3] == ("phase", "displacement", "margins")
    kept = grid.deck.cards["gap"]
    grid.set_layout(PlotLayout(("margins",)))
    assert kept.isHidden() and grid.metrics == ["spread.p95", "spread.p50", "spread.p5"]
    assert grid.deck.needs == ("margins",)
    grid.set_layout(PlotLayout(("gap", "margins")))
    assert grid.deck.cards["gap"] is kept and not kept.isHidden()
