"""Runs: curves lead to their pairs by mouse and keyboard, while a run goes on and long after it."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app.runs.fork_dialog import ForkDialog
from app.runs.page import RunsPage
from core.domain.changes import Outcome
from tests.app.runs.conftest import Driven, untouched


@pytest.fixture(scope="module")
def demo(shared_demo: Any) -> Any:
    return shared_demo


@pytest.fixture
def page(demo: Any) -> RunsPage:
    return untouched(demo)


def _press(demo: Any, widget: QWidget, key: Qt.Key, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Strike a key where the focus is, in the active window: only there do shortcuts work."""
    QApplication.setActiveWindow(demo.window)
    widget.setFocus()
    demo.qtbot.keyClick(widget, key, modifiers)


def _margins(page: Any) -> list[float]:
    return [row.margin for row in page.monitor.tabs.step_pairs.rows_model.rows]


def _steps(page: Any) -> set[int]:
    return {row.step for row in page.monitor.tabs.step_pairs.rows_model.rows}


def test_that_a_click_lists_the_pairs_of_the_step_worst_margin_first(demo: Any, page: Any) -> None:
    plot = page.monitor.grid.plots[2]
    place = plot.plot.mapFromScene(plot.view.mapViewToScene(plot.view.mapToView(plot.view.boundingRect().center())))
    step = round(plot.view.mapSceneToView(plot.plot.mapToScene(place)).x())
    demo.qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    demo.qtbot.waitUntil(lambda: _steps(page) == {step})
    assert _margins(page) == sorted(_margins(page))
    assert page.monitor.grid.pinned == step


def test_that_the_keyboard_alone_goes_from_a_point_to_its_pair(demo: Any, page: Any) -> None:
    _press(demo, page.list, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    _press(demo, page.list, Qt.Key.Key_Left)
    _press(demo, page.list, Qt.Key.Key_Return)
    demo.qtbot.waitUntil(lambda: _steps(page) == {29})
    table = page.monitor.tabs.step_pairs
    worst = table.rows_model.rows[0].pair_id
    _press(demo, table, Qt.Key.Key_Return)
    demo.qtbot.waitUntil(lambda: demo.window.page("inspect").table.current_pair() == worst)


def test_that_two_actions_lead_from_a_negative_margin_on_a_plot_to_the_reviewers_rationale(
    demo: Any, page: Any
) -> None:
    visits = page.context.services.runs.reader(page.list.current_id).pairs_of_range(1, 40)
    step, plot, actions = visits[0].step, page.monitor.grid.plots[0], 0
    assert visits[0].row.margin < 0, "the worst pair of the run is ranked the wrong way round"
    middle = plot.view.mapToView(plot.view.boundingRect().center())
    place = plot.plot.mapFromScene(plot.view.mapViewToScene(QPointF(plot.axes.place(step, 1.0)[0], middle.y())))
    demo.qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    actions += 1
    demo.qtbot.waitUntil(lambda: _steps(page) == {step})
    table = page.monitor.tabs.step_pairs
    worst = table.rows_model.rows[0]
    assert worst.margin == pytest.approx(visits[0].row.margin)
    at = table.visualRect(table.model().index(0, 1)).center()
    demo.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)  # the first half of a double click
    demo.qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    actions += 1
    inspect = demo.window.page("inspect")
    demo.qtbot.waitUntil(lambda: inspect.table.current_pair() == worst.pair_id and inspect.panel.labels.count() > 0)
    said = inspect.panel.labels.item(0).text()
    assert "rule-steps: " in said and "“Decided by " in said, "the reviewer and the reason stand beside the pair"
    assert not inspect.panel.labels.visibleRegion().isEmpty() and actions <= 3


def test_that_a_range_from_the_keyboard_lists_its_pairs_and_sums_it_up(demo: Any, page: Any) -> None:
    page.show_pairs(10, 10)
    page.monitor.grid.move_crosshair(4)
    page.context.actions.run("runs.range")
    demo.qtbot.waitUntil(lambda: _steps(page) == {10, 11, 12, 13, 14})
    assert page.monitor.readout.full.startswith("steps 10 to 14: batch reward margin")
    assert "per 100 steps, n 5 steps" in page.monitor.readout.full


def test_that_space_presses_the_focused_button_and_not_the_shortcut(demo: Any, page: Any) -> None:
    button = next(b for b in page.monitor.findChildren(type(page.monitor.checkpoint)) if b.isVisible())
    before, following = button.isChecked(), page.monitor.grid.following
    _press(demo, button, Qt.Key.Key_Space)
    assert button.isChecked() is not before
    assert page.monitor.grid.following is following


def test_that_the_arrows_move_a_focused_slider_and_not_the_crosshair(demo: Any, page: Any) -> None:
    slider = page.monitor.smoothing._slider
    before = slider.value()
    _press(demo, slider, Qt.Key.Key_Left)
    assert slider.value() < before
    assert math.isnan(page.monitor.grid.crosshair)


def test_that_smoothing_and_raw_line_are_settings_and_stay(demo: Any, page: Any) -> None:
    settings, plot = demo.context.settings, page.monitor.grid.plots[0]
    assert (plot._weight, plot._raw) == (settings.get("plots.smoothing"), True)
    page.monitor.smoothing.set_value(0.5, tell=True)
    assert plot._weight == 0.5
    demo.qtbot.waitUntil(lambda: settings.get("plots.smoothing") == 0.5)
    page.context.actions.run("runs.raw")
    assert not plot._raw and not settings.get("plots.raw")
    settings.set("plots.smoothing", 0.25)
    settings.set("plots.raw", True)
    settings.set("plots.outliers", True)
    assert (page.monitor.smoothing.value, plot._weight, plot._raw, plot._fitted) == (0.25, 0.25, True, 0.98)
    assert page.context.actions.action("runs.raw").isChecked()


def test_that_a_run_is_taken_up_again_where_the_setting_says(demo: Any, page: Any, monkeypatch: Any) -> None:
    service, asked = demo.context.services.runs, []
    monkeypatch.setattr(service, "resume", lambda run_id, host: asked.append(host) or Outcome(service.info(run_id)))
    page._resume()
    demo.settle()
    demo.context.settings.set("train.host", "thread")
    page._resume()
    demo.settle()
    demo.context.settings.reset("train.host")
    assert asked == ["process", "thread"]


def test_that_a_renamed_run_has_its_name_of_now_in_the_head(demo: Any, page: Any) -> None:
    runs = demo.context.services.runs
    (run,) = runs.list()
    runs.housekeeping.annotate(run.run_id, name="a better name")
    page.refresh()
    demo.qtbot.waitUntil(lambda: page.monitor.run_name == "a better name")
    runs.housekeeping.annotate(run.run_id, name=run.name)
    page.refresh()
    demo.qtbot.waitUntil(lambda: page.monitor.run_name == run.name)


@pytest.mark.parametrize("size", [(1280, 800), pytest.param((1920, 1080), marks=pytest.mark.slow)])
def test_that_the_lines_of_a_run_are_whole_at_twice_the_text(demo: Any, page: Any, size: tuple[int, int]) -> None:
    demo.context.settings.set("look.zoom", 200)
    demo.window.resize(*size)
    page.on_shown()
    demo.settle()
    theme, row = demo.context.theme, page.list.visualItemRect(page.list.item(0))
    words = page.list.item(0).text().split("\n")
    longest = max(QFontMetrics(theme.font(13)).horizontalAdvance(line) for line in words)
    log = page.monitor.tabs.log.font().pixelSize(), theme.px(13)
    demo.context.settings.set("look.zoom", 100)
    assert longest <= row.width() - theme.px(40)
    assert row.height() <= page.list.viewport().height()
    assert log[0] == log[1], "the log grows with the text"


@pytest.fixture
def first_of_two(demo: Any, page: Any) -> Iterator[str]:
    """Return the id of the run while it is there twice, the second time under another name."""
    service = demo.context.services.runs
    (one,) = service.list()
    folder = service._registry.folder(one.run_id).path
    again = folder.parent / "again"
    shutil.copytree(folder, again)
    record = json.loads((again / "run.json").read_text())
    record["run_id"], record["name"] = "again", "again"
    (again / "run.json").write_text(json.dumps(record))
    yield one.run_id
    page.list.choose(one.run_id)
    demo.settle()
    shutil.rmtree(again)
    page.refresh()
    demo.qtbot.waitUntil(lambda: page.list.count() == 1)
    demo.settle()


def test_that_another_run_takes_the_worst_margins_and_pairs_of_the_one_before_away(
    demo: Any, page: Any, first_of_two: str
) -> None:
    tabs, first = page.monitor.tabs, first_of_two
    page.refresh()
    demo.qtbot.waitUntil(lambda: page.list.count() == 2)
    page.list.choose(first)
    tabs.setCurrentWidget(tabs.worst)
    demo.settle()
    assert tabs.worst.rows_model.rowCount() > 0
    page._read_step(1, 1)
    page.list.choose("again")
    assert tabs.worst.rows_model.rowCount() == 0
    demo.qtbot.waitUntil(lambda: page._snapshot.run_id == "again" and tabs.worst.rows_model.rowCount() > 0)
    demo.settle()
    assert _steps(page) == {40}, "the step asked for before belongs to the other run"


def test_that_the_page_looks_again_after_a_read_that_failed(demo: Any, page: Any, monkeypatch: Any) -> None:
    service = demo.context.services.runs
    demo.expected.append(OSError)
    demo.dialogs.answers.append("Close")
    with monkeypatch.context() as patch:
        patch.setattr(service, "list", lambda: (_ for _ in ()).throw(OSError("the folder is busy")))
        page._timer.stop()
        page.refresh()
        demo.settle()
        page.refresh()
        demo.settle()
    assert page._timer.isActive()
    assert len([e for e in demo.app.errors.shown if isinstance(e, OSError)]) == 1, "it is said once"


def test_that_a_banner_belongs_to_its_run_and_its_words(page: Any) -> None:
    monitor, found = page.monitor, page._snapshot
    failed = replace(found, status=replace(found.status, state="failed", message="Out of memory."))
    monitor._show_banner(failed)
    first = monitor._banner
    monitor._show_banner(failed)
    assert monitor._banner is first
    monitor._show_banner(replace(failed, run_id="other"))
    assert monitor._banner is not first
    second = monitor._banner
    monitor._show_banner(replace(failed, run_id="other", status=replace(failed.status, hint="Lower micro_batch.")))
    assert monitor._banner is not second


def test_that_without_a_run_nothing_can_be_done_to_one(main_window: Any, tmp_path: Any) -> None:
    running = main_window(workspace=tmp_path / "ws", create=True)
    page = running.page("runs")
    running.settle()
    names = ("pause", "stop_save", "stop_now", "checkpoint", "resume", "fork", "export", "open_folder", "copy_command")
    assert [n for n in names if page.context.actions.action(f"runs.{n}").isEnabled()] == []
    assert page.context.actions.action("runs.new").isEnabled()


def test_that_the_files_of_the_plots_are_written_and_replaced_only_when_said_so(
    demo: Any, page: Any, tmp_path: Any
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    kept = out / f"{page.monitor.run_name}_loss.csv"
    kept.write_text("mine")
    demo.dialogs.answers += [out, "Cancel"]
    page.context.actions.run("runs.export")
    demo.settle()
    assert [p.name for p in out.iterdir()] == [kept.name] and kept.read_text() == "mine"
    demo.dialogs.answers += [out, "Replace"]
    page.context.actions.run("runs.export")
    demo.qtbot.waitUntil(lambda: len(list(out.iterdir())) == 3 * len(page.monitor.grid.plots))
    demo.settle()
    assert kept.read_text().startswith("run,optimizer step,loss (nats),loss_smoothed (nats),train.loss (nats)")
    assert kept.read_text().splitlines()[1].startswith(f"{page.monitor.run_name},0,")
    assert (out / f"{page.monitor.run_name}_margin.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (out / f"{page.monitor.run_name}_margin.svg").read_bytes()


def test_that_the_pairs_of_a_step_show_while_another_program_trains(
    main_window: Any, driven: tuple[Any, Driven]
) -> None:
    workspace, run = driven
    run.allow(12)
    running = main_window(workspace=workspace)
    page = running.page("runs")
    running.qtbot.waitUntil(lambda: page.monitor.grid.plots[0].last_step() == 12)
    page.show_pairs(3, 3)
    running.qtbot.waitUntil(lambda: _steps(page) == {3})
    assert _margins(page) == sorted(_margins(page))
    run.allow(5)
    running.qtbot.waitUntil(lambda: page.monitor.grid.plots[0].last_step() == 17)
    assert _steps(page) == {3}, "a chosen step stays while the run goes on"
    assert page._snapshot.live
    page.context.actions.run("runs.pause")
    assert "Pausing after" in page.monitor._where.text(), "said before the run has answered"
    running.settle()
    run.allow(1)
    running.qtbot.waitUntil(lambda: page._snapshot.status.state == "paused")
    assert page.monitor.pause.text() == "Go on"
    page.context.actions.run("runs.stop_save")
    assert "Stopping and saving" in page.monitor._where.text()
    running.settle()
    run.allow(60)
    running.qtbot.waitUntil(lambda: page._snapshot.status.state == "stopped")
    assert page.monitor.resume.isVisible() and page.monitor.fork.isVisible()
    running.settle()


def test_that_the_worst_margins_in_front_are_those_of_now(main_window: Any, driven: tuple[Any, Driven]) -> None:
    workspace, run = driven
    run.allow(1)
    running = main_window(workspace=workspace)
    page = running.page("runs")
    tabs = page.monitor.tabs
    tabs.setCurrentWidget(tabs.worst)
    running.qtbot.waitUntil(lambda: tabs.worst.rows_model.rowCount() == 4)
    assert {(row.kind, row.step) for row in tabs.worst.rows_model.rows} == {("dev", 0)}
    tabs.worst.selectRow(2)
    chosen = tabs.worst.current_pair()
    run.allow(20)
    running.qtbot.waitUntil(lambda: {row.step for row in tabs.worst.rows_model.rows} == {20})
    assert tabs.worst.current_pair() == chosen
    assert tabs.tabText(tabs.indexOf(tabs.worst)) == "Worst margins, held-out at step 20"
    running.settle()


def test_that_a_fork_starts_from_the_chosen_checkpoint_with_the_changes(
    main_window: Any, driven: tuple[Any, Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = driven
    run.finish()
    running = main_window(workspace=workspace)
    page, service = running.page("runs"), running.context.services.runs
    running.qtbot.waitUntil(lambda: page.monitor.fork.isVisible())
    asked: list[Any] = []

    def fork(run_id: str, step: int, changes: dict[str, Any], *, name: str) -> Any:
        asked.append((run_id, step, changes, name))
        return Outcome(service.info(run_id))

    def answer(dialog: QDialog) -> bool:
        assert isinstance(dialog, ForkDialog)
        dialog.inputs["lr"].setText("nonsense")
        assert not dialog.start.isEnabled() and "lr" in dialog.error.text()
        dialog.inputs["lr"].setText("5e-6")
        return True

    monkeypatch.setattr(service, "fork", fork)
    monkeypatch.setattr(service, "start", lambda run_id, host: asked.append(host))
    running.context.settings.set("train.host", "thread")
    running.dialogs.on_dialog = answer
    page.context.actions.run("runs.fork")
    running.settle()
    assert asked == [("r1", 60, {"lr": 5e-6}, "from a server-fork-60"), "thread"]
