"""The linked plots, driven by mouse and keyboard as a user would."""

import math

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.theme.theme import Theme
from app.widgets.plots.along_x import AlongX
from app.widgets.plots.curve_items import spread
from app.widgets.plots.export import content, file_name, save
from app.widgets.plots.monitor_grid import MonitorGrid
from app.widgets.plots.run_plots import HELD_OUT, PLOTS
from app.widgets.plots.run_series import RunSeries, plain_curve
from app.widgets.plots.step_marks import SpanMark
from core.domain.errors import UserError
from core.paths import resources_dir
from core.services.runs.x_places import XPlaces


@pytest.fixture
def grid(qtbot):
    theme = Theme(QApplication.instance(), resources_dir())
    theme.apply("light", 100)
    widget = MonitorGrid(theme)
    widget.make_all()
    qtbot.addWidget(widget)
    widget.resize(1000, 600)
    steps = list(range(1, 101))
    series = {name: (steps, [0.01 * s for s in steps]) for name in ("margin", "loss", "reward_chosen", "accuracy")}
    series["reward_rejected"] = (steps, [math.nan if s == 50 else -0.02 * s for s in steps])
    series["kl.kl"] = ([50, 100], [0.5, 1.25])
    widget.set_series(series, 120)
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.waitUntil(lambda: widget.settled)
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
    assert grid.readout()[0] == "step 90: "
    assert "chosen 0.900" in grid.readout()


def test_that_a_missing_value_is_a_mark_and_not_a_zero(grid):
    rewards = grid.plots[1]
    assert list(rewards._nans.getData()[0]) == [50.0]
    assert rewards.values_at(50)["reward_rejected"] is None


def test_that_panning_by_hand_stops_following(grid, qtbot):
    with qtbot.waitSignal(grid.unfollowed):
        grid.plots[0].view.sigRangeChangedManually.emit([True, False])
    assert not grid.following


def test_that_the_table_twin_holds_the_same_values(grid):
    grid.show_table(True)
    column = ["step", *grid.metrics].index("margin")
    twin = grid.table.twin
    assert twin.rowCount() == 100
    assert twin.index(99, column).data() == "1.000"
    assert twin.index(99, 0).data() == "100"


def test_that_a_plot_is_a_picture_vector_or_values(grid):
    picture, vector = (content(grid.plots[0], kind)() for kind in ("png", "svg"))
    assert isinstance(picture, bytes) and picture.startswith(b"\x89PNG")
    assert isinstance(vector, bytes) and b"<svg" in vector
    assert file_name(grid.plots[1], "run", "csv") == "run_reward_chosen.csv"
    lines = content(grid.plots[1], "csv")().splitlines()
    assert lines[0].split(",")[:3] == ["run", "optimizer step", "reward_chosen (nats × β)"]
    assert lines[0].split(",")[5] == "reward_rejected_smoothed (nats × β)"
    assert lines[50].split(",")[4] == ""


def _dark_pixels(image, x: int) -> int:
    return sum(image.pixelColor(x, y).lightness() < 80 for y in range(image.height()))


def test_that_lines_of_a_picture_twice_the_size_are_twice_as_wide(grid):
    from app.widgets.plots import export

    plot = grid.plots[2]
    plot.set_raw(False)
    place = plot.plot.mapTo(plot, plot.plot.mapFromScene(plot.view.mapViewToScene(plot.view.viewRect().center())))
    once, twice = export.to_image(plot, 1.0), export.to_image(plot, 2.0)
    assert twice.width() == 2 * once.width()
    assert _dark_pixels(twice, 2 * place.x() + 7) >= 1.6 * _dark_pixels(once, place.x() + 3)
    assert plot._scale == plot.devicePixelRatioF()


def test_that_words_at_line_ends_stay_inside_and_apart(grid):
    rewards = grid.plots[1]
    rewards.set_curve("reward_rejected", *(rewards.curves["reward_chosen"].steps,) * 2)
    rewards.set_curve("reward_rejected", rewards.curves["reward_chosen"].steps, rewards.curves["reward_chosen"].values)
    grid.fit()
    boxes = [i._end.mapRectToScene(i._end.boundingRect()) for i in rewards._items.values()]
    assert all(box.right() <= rewards.view.sceneBoundingRect().right() for box in boxes)
    assert abs(boxes[0].center().y() - boxes[1].center().y()) >= 0.7 * boxes[0].height()
    assert spread([0.98, 1.0, 0.2], 0.1, (0.05, 0.95)) == pytest.approx([0.85, 0.95, 0.2])
    assert spread([0.0, 0.01], 0.1, (0.05, 0.95)) == pytest.approx([0.05, 0.15])


def test_that_numbers_of_insights_and_words_of_levels_leave_the_words_at_line_ends_readable(grid):
    loss = next(plot for plot in grid.plots if plot.title == "Loss")
    for metric, end in (("dev.loss", 0.98), ("train.loss", 0.6)):
        loss.set_curve(metric, [1, 100], [1.0, end])
    loss.levels.set("start", 1.0, "ln 2 0.693", right=True)
    loss.set_marks([SpanMark(100, 100, 1, "warn")])
    loss.fit()
    ends = [i._end for i in loss._items.values() if i._end.isVisible()]
    assert len(ends) == 2
    over = [loss.levels._levels["start"].line.label, loss.marks._items[0][1]]
    boxes = [item.mapRectToScene(item.boundingRect()) for item in (*ends, *over)]
    for end in boxes[: len(ends)]:
        for other in boxes[len(ends) :]:
            common = end.intersected(other)
            assert common.width() < 2 or common.height() < 0.25 * end.height(), (end, other)


def test_that_held_out_has_one_colour_which_nothing_else_has(grid):
    specs = [spec for kind in PLOTS for spec in kind.curves]
    assert {spec.colour for spec in specs if spec.label == "held-out"} == {HELD_OUT}
    assert HELD_OUT not in {spec.colour for spec in specs if spec.label != "held-out"}


def test_that_a_narrow_head_names_the_value_it_shows(grid):
    head = grid.plots[1].head
    head.resize(300, 24)
    head._fit()
    assert head.value.text() == "chosen 1.000"
    assert head.toolTip() == "chosen 1.000 · rejected −2.000  (1 not a number, at step 50)"


def test_that_zooming_into_a_long_run_brings_every_step_back(grid):
    plot = grid.plots[2]
    values = [1.0] * 50_000
    values[25_001] = 2.0
    plot.set_curve("loss", list(range(50_000)), values)
    plot.show_span(25_000, 25_010)
    x, y = plot._items["loss"]._raw.getData()
    assert set(range(25_000, 25_011)) <= set(x.tolist())
    assert y[list(x).index(25_001)] == 2.0


def test_that_a_logarithmic_step_axis_keeps_clicks_and_crosshair_on_their_steps(grid, qtbot):
    for plot in grid.plots:
        plot.set_log_x(True)
    grid.fit()
    plot = grid.plots[0]
    assert plot.view.viewRange()[0][1] < 3.0
    grid.set_crosshair(10.0)
    assert plot._cross.value() == pytest.approx(1.0)
    with qtbot.waitSignal(grid.picked) as caught:
        plot.view.clicked.emit(1.0)
    assert caught.args == [10]


def test_that_clicks_ranges_and_crosshair_mean_the_same_steps_whatever_stands_along_x(grid, qtbot):
    steps = list(range(1, 101))
    curves = {"margin": plain_curve((steps, [0.01 * s for s in steps]))}
    minutes = {"minutes": XPlaces([0, 50, 100], [0.0, 1.0, 5.0])}
    grid.feed(RunSeries(curves, 120, along=AlongX.of("minutes", minutes)))
    qtbot.waitUntil(lambda: grid.settled)
    plot = grid.plots[0]
    assert plot.x_title.full == "minutes of training, without pauses →"
    assert 6.0 < plot.view.viewRange()[0][1] < 8.0  # 20 planned steps at the mean of 0.05 min, and the words
    assert plot._items["margin"]._line.getData()[0][[49, 74]].tolist() == [1.0, 3.0]
    grid.set_crosshair(75.0)
    assert plot._cross.value() == pytest.approx(3.0) and grid.readout()[0] == "step 75 (3.00 min): "
    with qtbot.waitSignal(grid.picked) as picked:
        plot.view.clicked.emit(0.5)
    with qtbot.waitSignal(grid.ranged) as ranged:
        plot.view.ranged.emit(1.0, 3.0)
    assert (picked.args, ranged.args) == ([25], [50, 75])
    grid.show_table(True)
    head = grid.table.twin.headerData(1, Qt.Orientation.Horizontal)
    assert (head, grid.table.twin.index(74, 1).data()) == ("minutes of training, without pauses", "3.000")
    assert content(plot, "csv", "r")().splitlines()[75].startswith("r,75,3.0,0.75")


def test_that_the_steps_stand_along_x_where_the_run_has_no_numbers_for_the_choice(grid, qtbot):
    grid.feed(RunSeries({"margin": plain_curve(([1, 2], [0.0, 1.0]))}, 2, along=AlongX.of("tokens", {})))
    qtbot.waitUntil(lambda: grid.settled)
    assert grid.plots[0].x_title.full == "optimizer step (response tokens seen: not recorded) →"
    assert grid.plots[0].axes.place(2.0)[0] == 2.0 and grid.plots[0].along.words(2.0) == ""


def test_that_a_chosen_step_keeps_the_crosshair_when_the_mouse_leaves(grid):
    grid.pin(40.0)
    grid.plots[0].hovered.emit(60.0)
    assert grid.crosshair == 60
    grid.plots[0].hovered.emit(math.nan)
    assert grid.crosshair == 40


def test_that_an_enlarged_plot_fills_the_place_of_all(grid, qtbot):
    grid.enlarge(grid.plots[3])
    qtbot.waitUntil(lambda: grid.plots[3].width() > 900)
    assert [plot.isVisible() for plot in grid.plots] == [False, False, False, True, False, False]
    assert grid.plots[3].head.enlarge.isVisible()
    grid.enlarge(None)
    assert all(plot.isVisible() for plot in grid.plots)


def test_that_a_range_comes_to_mean_spread_and_slope(grid):
    grid.set_range((10, 30))
    assert "reward margin 0.200 ± 0.0606 SD, +1.000 per 100 steps, n 21 steps" in grid.readout()
    assert all(plot.view._band.isVisible() for plot in grid.plots)
    grid.set_range(None)
    assert not grid.plots[0].view._band.isVisible()


def test_that_the_table_twin_grows_without_losing_the_readers_place(grid):
    grid.show_table(True)
    grid.table.selectRow(40)
    steps = list(range(1, 106))
    grid.set_series({"margin": (steps, [0.01 * s for s in steps])}, 120)
    assert grid.table.twin.rowCount() == 105
    assert grid.table.step() == 41


def test_that_parts_of_a_loss_are_told_only_where_the_loss_has_them(grid):
    loss = next(plot for plot in grid.plots if "loss" in plot.curves)
    assert "preference" not in loss.plot.accessibleDescription()
    grid.show_table(True)
    headers = [grid.table.twin.headerData(i, Qt.Orientation.Horizontal) for i in range(grid.table.twin.columnCount())]
    assert not [header for header in headers if "extra" in str(header)]
    steps = list(range(1, 101))
    parts = {"extra.nll": (steps, [2.0] * 100), "extra.preference_loss": (steps, [0.5] * 100)}
    grid.set_series({"loss": (steps, [0.7] * 100), **parts}, 120)
    described = loss.plot.accessibleDescription()
    assert "preference 0.5" in described
    assert "likelihood 2" in described


def test_that_the_newest_step_and_its_word_are_in_view_after_the_first_layout(grid, qtbot):
    qtbot.waitUntil(lambda: grid.plots[0].view.viewRange()[0][1] < 180)
    assert grid.plots[0].view.viewRange()[0][1] >= 120


def test_that_a_picture_holds_no_buttons_and_the_plot_keeps_them(grid):
    from app.widgets.plots import export

    plot = grid.plots[0]
    seen = []
    plot.head.more.installEventFilter(watch := _Watch(seen))
    export.to_png(plot)
    assert seen == ["hidden", "shown"] and plot.head.more.isVisible()
    plot.head.more.removeEventFilter(watch)


class _Watch(QObject):
    """Notes when a widget is hidden and shown."""

    def __init__(self, seen):
        super().__init__()
        self._seen = seen

    def eventFilter(self, watched, event):
        words = {QEvent.Type.Hide: "hidden", QEvent.Type.Show: "shown"}
        if event.type() in words:
            self._seen.append(words[event.type()])
        return False


def test_that_one_spike_does_not_flatten_a_curve_when_outliers_are_ignored(grid, qtbot):
    steps = list(range(1, 401))
    grid.set_series({"margin": (steps, [1000.0 if s == 200 else 0.01 * s for s in steps])}, 400)
    plot = grid.plots[0]
    qtbot.waitUntil(lambda: plot.view.viewRange()[1][1] > 900)
    plot.set_outliers(True)
    qtbot.waitUntil(lambda: plot.view.viewRange()[1][1] < 300)
    assert "outside)" in plot.head.full
    plot.set_outliers(False)
    qtbot.waitUntil(lambda: plot.view.viewRange()[1][1] > 900)
    assert "outside" not in plot.head.full


def test_that_an_export_that_fails_leaves_the_earlier_file_and_nothing_beside_it(tmp_path, monkeypatch):
    target = tmp_path / "loss.csv"
    save(target, "step,loss\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.durable.Ops.write", full)
    with pytest.raises(UserError, match="no room left"):
        save(target, "step,loss\n1,2\n")
    assert target.read_text() == "step,loss\n"
    assert [path.name for path in tmp_path.iterdir()] == ["loss.csv"]
