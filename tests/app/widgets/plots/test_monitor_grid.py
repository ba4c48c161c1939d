"""The linked plots, driven by mouse and keyboard as a user would."""

import math

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.theme.theme import Theme
from app.widgets.plots.monitor_grid import MonitorGrid
from core.paths import resources_dir


@pytest.fixture
def grid(qtbot):
    theme = Theme(QApplication.instance(), resources_dir())
    theme.apply("light", 100)
    widget = MonitorGrid(theme)
    qtbot.addWidget(widget)
    widget.resize(1000, 600)
    steps = list(range(1, 101))
    series = {name: (steps, [0.01 * s for s in steps]) for name in ("margin", "loss", "reward_chosen", "accuracy")}
    series["reward_rejected"] = (steps, [math.nan if s == 50 else -0.02 * s for s in steps])
    series["kl.kl"] = ([50, 100], [0.5, 1.25])
    widget.set_series(series, 120)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def test_that_a_click_names_the_step_under_the_mouse(grid, qtbot):
    plot = grid.plots[0]
    scene = plot.view.mapViewToScene(plot.view.mapToView(plot.view.boundingRect().center()))
    expected = round(plot.view.mapSceneToView(scene).x())
    place = plot.plot.mapFromScene(scene)
    with qtbot.waitSignal(grid.picked) as caught:
        qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    assert abs(caught.args[0] - expected) <= 1


def test_that_one_crosshair_moves_in_every_plot(grid):
    grid.move_crosshair(0)
    grid.move_crosshair(-10)
    assert grid.crosshair == 90
    assert all(plot._cross.isVisible() and plot._cross.value() == 90 for plot in grid.plots)
    assert "step 90" in grid.readout()
    assert "chosen 0.900" in grid.readout()


def test_that_a_missing_value_is_a_mark_and_not_a_zero(grid):
    rewards = grid.plots[1]
    assert list(rewards._nans.getData()[0]) == [50.0]
    assert rewards.values_at(50)["rejected"] is None


def test_that_panning_by_hand_stops_following(grid, qtbot):
    with qtbot.waitSignal(grid.unfollowed):
        grid.plots[0].view.sigRangeChangedManually.emit([True, False])
    assert not grid.following


def test_that_the_table_twin_holds_the_same_values(grid):
    grid.show_table(True)
    column = ["step", *grid.metrics].index("margin")
    assert grid.table.rowCount() == 100
    assert grid.table.item(99, column).text() == "1.000"


def test_that_every_plot_exports_as_picture_vector_and_values(grid, tmp_path):
    files = grid.export(tmp_path, "run")
    assert len(files) == 3 * len(grid.plots)
    assert (tmp_path / "run_margin.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "run_margin.svg").read_bytes()
    lines = (tmp_path / "run_reward_chosen.csv").read_text().splitlines()
    assert lines[0] == "step,reward_chosen,reward_chosen_smoothed,reward_rejected,reward_rejected_smoothed"
    assert lines[50].split(",")[3] == ""
