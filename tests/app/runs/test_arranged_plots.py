"""The plots of a run are chosen and arranged for a workspace; a cell of a plot lists its pairs."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.runs.kept_layout import kept_layout
from app.runs.x_axis_box import XAxisBox
from app.widgets.plots.heat_plot import HeatPlot
from app.widgets.plots.plot_layout import SHOWN, PlotLayout
from app.widgets.plots.run_plots import PLOTS
from tests.app.runs.conftest import untouched


@pytest.fixture
def page(shared_demo: Any) -> Any:
    return untouched(shared_demo)


def test_that_a_cell_of_the_heat_map_lists_its_pairs(shared_demo: Any, page: Any) -> None:
    cards = page.monitor.grid.deck.cards
    assert cards["rewards"].y_title.full.endswith("nats × β · both down 6 of 16")
    plot = cards["margins"]
    assert isinstance(plot, HeatPlot)
    asked = plot.cell_at(40.0, 0.5)
    assert asked is not None
    plot.pairs_wanted.emit(asked)
    shared_demo.qtbot.waitUntil(lambda: page.monitor.tabs.tabText(0) == asked.title)
    rows = page.monitor.tabs.step_pairs.rows_model.rows
    assert {(row.step, row.pair_id) for row in rows} == asked.visits
    assert all(row.kind == "dev" for row in rows)
    assert page.monitor.grid.pinned == 40.0 and page.monitor.pin.text() == "step 40 ×"
    shared_demo.qtbot.mouseClick(page.monitor.pin, Qt.MouseButton.LeftButton, pos=page.monitor.pin.rect().center())
    assert not page.monitor.pin.isVisible() and page.monitor.grid.pinned != page.monitor.grid.pinned


def test_that_chosen_plots_show_are_fed_and_are_kept_for_the_workspace(shared_demo: Any, page: Any) -> None:
    qtbot, grid = shared_demo.qtbot, page.monitor.grid
    assert grid.deck.layout.shown == SHOWN and shared_demo.context.session.workspace
    page.context.actions.run("runs.plots")
    picker = page.arranging.picker
    picker.narrow("slice")
    assert [key for key, box in picker.boxes.items() if not box.isHidden()] == ["slices"]
    picker.narrow("")
    qtbot.mouseClick(picker.boxes["slices"], Qt.MouseButton.LeftButton, pos=picker.boxes["slices"].rect().center())
    picker.boxes["slices"].setFocus()
    qtbot.keyClick(picker.boxes["slices"], Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    picker.columns.changed.emit(2)
    qtbot.keyClick(picker.search, Qt.Key.Key_Escape)
    assert not picker.isVisible()
    assert grid.deck.layout == PlotLayout((*SHOWN[:-1], "slices", SHOWN[-1]), 2) == kept_layout(page.context)
    assert page.monitor.choose.text() == f"Plots 7 of {len(PLOTS)}"
    qtbot.waitUntil(lambda: grid.is_built and bool(grid.deck.cards["slices"].chart.plots.slices))
    grid.deck.cards["slices"].chart.setFocus()
    page.context.actions.run("runs.plot_earlier")
    assert kept_layout(page.context).shown == grid.deck.layout.shown
    page.arranging.show_layout(PlotLayout())
    assert kept_layout(page.context) == PlotLayout()


def test_that_the_x_axis_is_chosen_once_for_the_plots_of_a_workspace(shared_demo: Any, page: Any) -> None:
    qtbot, grid, box = shared_demo.qtbot, page.monitor.grid, page.monitor.x_axis.box
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: grid.along.axis.name == "pairs" and grid.settled)
    assert {plot.x_title.full for plot in grid.plots} == {"pairs seen →"}
    assert grid.plots[0].axes.place(40.0)[0] == 302.0  # 3 epochs of 90 pairs, and 32 of the fourth
    other = XAxisBox(page.context)
    qtbot.addWidget(other)
    assert other.name == "pairs"
    other.choose("step")
    page.hide()
    page.show()
    qtbot.waitUntil(lambda: grid.along.axis.name == "step" and grid.settled)
    assert box.currentText() == "Step" and grid.plots[0].axes.place(40.0)[0] == 40.0
