"""Inspect: the histogram narrows the list, a pair shows its margin over all steps and everyone who judged it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from app.inspect.page import InspectPage


@pytest.fixture
def page(demo: Any) -> InspectPage:
    """Return the page with the demo's run and its worst pair shown."""
    shown = demo.page("inspect")
    demo.qtbot.waitUntil(lambda: shown.panel.curve.last_step() > 0)
    demo.settle()
    return shown


def _margins(page: Any) -> list[float]:
    return [row.margin for row in page.table.rows_model.rows]


def _choose(running: Any, page: Any, kind: str) -> None:
    """Choose a kind of pairs, as the user does in the list."""
    place = page.kinds.findData(kind)
    page.kinds.setCurrentIndex(place)
    page.kinds.activated.emit(place)
    running.settle()


@pytest.fixture
def shared_page(shared_demo: Any) -> InspectPage:
    """Return the page of the shared window as it is when it was just opened: held-out pairs, the worst one shown."""
    shown = shared_demo.page("inspect")
    shown.context.actions.run("inspect.clear")
    shown.search.setText("")
    shared_demo.settle()
    if shown.kinds.currentData() != "dev":
        _choose(shared_demo, shown, "dev")
    shared_demo.qtbot.waitUntil(lambda: len(_margins(shown)) == 16)
    shown.table.selectRow(0)
    shared_demo.qtbot.waitUntil(lambda: shown.panel.title.text() == f"Pair {shown._rows[0].pair_id}")
    shared_demo.settle()
    return shown


def test_that_inspect_opens_on_the_held_out_pairs_all_at_the_last_step(demo: Any, page: Any) -> None:
    assert page.kinds.currentData() == "dev"
    assert {(row.kind, row.step) for row in page._rows} == {("dev", 40)}
    words = page.count.text()
    assert words.startswith("16 pairs · held-out, step 40 · 1 below 0 · z +0.597 [0.350, 0.839]")
    assert "mean h 5.970 [" in page.count.toolTip() and "nats" in page.count.toolTip()
    _choose(demo, page, "probe_train")
    assert "train probe, step 40" in page.count.text()
    _choose(demo, page, "train")
    assert "training batches, steps " in page.count.text(), "pairs of different steps are said to be that"


def test_that_a_drag_over_the_bars_leaves_the_pairs_of_that_stretch(shared_demo: Any, shared_page: Any) -> None:
    plot, before = shared_page.histogram.plot, len(_margins(shared_page))
    ends = [plot.mapFromScene(plot.view.mapViewToScene(plot.view.viewRect().center())) for _ in range(2)]
    start, end = QPoint(ends[0].x() - 60, ends[0].y()), QPoint(ends[1].x() + 20, ends[1].y())
    shared_demo.qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=start)
    shared_demo.qtbot.mouseMove(plot.viewport(), end)
    shared_demo.qtbot.mouseMove(plot.viewport(), QPoint(end.x() + 1, end.y()))
    shared_demo.qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=end)
    shared_demo.qtbot.waitUntil(lambda: 0 < len(_margins(shared_page)) < before)
    low, high = shared_page.histogram.band.getRegion()
    assert all(low <= margin <= high for margin in _margins(shared_page))
    shared_page.context.actions.run("inspect.clear")
    assert len(_margins(shared_page)) == before


def test_that_the_arrows_choose_bars_of_the_histogram(shared_demo: Any, shared_page: Any) -> None:
    QApplication.setActiveWindow(shared_demo.window)
    plot, worst = shared_page.histogram.plot, _margins(shared_page)[0]
    plot.setFocus()
    shared_demo.qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert _margins(shared_page)[0] == worst and len(_margins(shared_page)) <= 3
    few = len(_margins(shared_page))
    for _ in range(20):
        shared_demo.qtbot.keyClick(plot, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert len(_margins(shared_page)) > few and _margins(shared_page)[0] == worst
    assert "pairs with a margin from" in plot.accessibleDescription()


def _shown_in_runs(demo: Any) -> tuple[float, set[int]]:
    """Return the step that Runs holds once everything came to rest, and the steps of the pairs it lists."""
    runs = demo.window.page("runs")
    demo.qtbot.waitUntil(lambda: runs.monitor.tabs.step_pairs.rows_model.rowCount() > 0)
    demo.settle()
    return runs.monitor.grid.pinned, {row.step for row in runs.monitor.tabs.step_pairs.rows_model.rows}


def test_that_a_step_of_the_pairs_curve_opens_that_step_in_runs(demo: Any, page: Any) -> None:
    step = int(page.panel.curve.curves["pair"].steps[-1])
    page.panel.curve.picked.emit(step)
    demo.settle()
    assert _shown_in_runs(demo) == (step, {step})


def test_that_the_keyboard_goes_along_the_visits_and_opens_one(demo: Any, page: Any) -> None:
    QApplication.setActiveWindow(demo.window)
    steps, plot = page.panel.curve.curves["pair"].steps, page.panel.curve.plot
    plot.setFocus()
    demo.qtbot.keyClick(plot, Qt.Key.Key_Left)
    demo.qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert page.panel.curve.crosshair == steps[-2]
    demo.qtbot.keyClick(plot, Qt.Key.Key_Return)
    demo.settle()
    assert _shown_in_runs(demo) == (steps[-2], {steps[-2]})


def test_that_the_pair_opens_in_annotate(demo: Any, page: Any) -> None:
    reviewer = demo.context.services.reviewers.list()[0]
    demo.context.session.set_reviewer(reviewer.id, reviewer.name)
    pair_id = page.table.current_pair()
    page.context.actions.run("inspect.annotate")
    annotate = demo.window.page("annotate")
    demo.qtbot.waitUntil(lambda: annotate.state.presentation is not None)
    assert str(annotate.state.presentation.pair_id) == pair_id
    demo.settle()


def test_that_the_list_grows_while_the_run_goes_on_and_the_chosen_pair_stays(main_window: Any, driven: Any) -> None:
    workspace, run = driven
    run.allow(1)
    running = main_window(workspace=workspace)
    running.qtbot.waitUntil(lambda: any(info.status.step == 1 for info in running.context.watch.runs))
    page = running.page("inspect")
    running.settle()
    _choose(running, page, "train")
    running.qtbot.waitUntil(lambda: len(_margins(page)) == 4)
    page.table.selectRow(2)
    chosen = page.table.current_pair()
    run.allow(2)
    running.qtbot.waitUntil(lambda: len(_margins(page)) == 12)
    assert page.table.current_pair() == chosen
    running.settle()


def test_that_a_wanted_pair_is_shown_past_brush_and_search(shared_demo: Any, shared_page: Any) -> None:
    best = shared_page._rows[-1].pair_id
    shared_page.histogram.brush(-10.0, 0.0)
    shared_page.search.setText(shared_page._rows[0].prompt)
    shared_demo.qtbot.waitUntil(lambda: len(_margins(shared_page)) == 1)
    shared_demo.window.navigate("inspect", run_id=shared_page.run_id, pair_id=best, kind="dev")
    shared_demo.qtbot.waitUntil(lambda: shared_page.panel.title.text() == f"Pair {best}")
    shared_demo.settle()
    assert shared_page.search.text() == "" and not shared_page.histogram.band.isVisible()
    assert shared_page.table.current_pair() == best


def test_that_a_held_out_pair_is_looked_for_among_the_held_out(shared_demo: Any, shared_page: Any) -> None:
    assert shared_page.kinds.currentData() == "dev"
    held_out = shared_page.table.current_pair()
    _choose(shared_demo, shared_page, "train")
    shared_demo.window.navigate("inspect", run_id=shared_page.run_id, pair_id=held_out, kind="dev")
    shared_demo.settle()
    assert shared_page.kinds.currentData() == "dev" and shared_page.table.current_pair() == held_out
    shared_demo.window.navigate("inspect", run_id=shared_page.run_id, pair_id=held_out, kind="train")
    shared_demo.settle()
    assert shared_page.panel.title.text() == f"Pair {held_out} is not in this list"
    assert shared_page.table.current_pair() == "" and shared_page.panel.chosen.toPlainText() == ""


def test_that_the_panel_is_empty_when_the_list_is(shared_demo: Any, shared_page: Any) -> None:
    shared_page.search.setText("nowhere to be found")
    shared_demo.qtbot.waitUntil(lambda: not _margins(shared_page))
    assert shared_page.panel.title.text() == "No pair chosen" and shared_page.panel.labels.count() == 0
    assert shared_page.panel.curve.curves["pair"].steps.size == 0
    shared_page.search.setText("")
    shared_demo.qtbot.waitUntil(lambda: shared_page.panel.title.text().startswith("Pair "))
    shared_demo.settle()


def test_that_the_same_pair_read_again_leaves_texts_and_rows_where_they_are(
    shared_demo: Any, shared_page: Any, monkeypatch: Any
) -> None:
    touched: list[str] = []
    shared_page.table.rows_model.modelReset.connect(lambda: touched.append("rows"))
    monkeypatch.setattr(shared_page.panel.chosen, "set_text", lambda *_, **__: touched.append("text"))
    shared_page._read_pairs()
    shared_demo.settle()
    assert touched == []
    shared_page.table.selectRow(1)
    shared_demo.settle()
    assert touched == ["text"]


def test_that_the_list_is_written_away_from_the_windows_thread(
    shared_demo: Any, shared_page: Any, tmp_path: Any
) -> None:
    path = tmp_path / "pairs.csv"
    shared_demo.dialogs.answers.append(path)
    shared_page.context.actions.run("inspect.export")
    told = [notice.text for notice in shared_demo.context.notices.kept]
    assert not any(str(path) in text for text in told), "nothing is said before it is written"
    shared_demo.settle()
    assert len(path.read_text().splitlines()) == len(_margins(shared_page)) + 1
    assert shared_demo.context.notices.kept[0].text == f"{len(_margins(shared_page))} rows written to {path}"
