"""Runs: what a finished run shows; all tests look at one window and leave the run as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices

from app.runs.fork_dialog import ForkDialog
from app.runs.page import RunsPage
from core.domain.run_config import RunConfig
from tests.app.runs.conftest import untouched


@pytest.fixture(scope="module")
def demo(shared_demo: Any) -> Any:
    return shared_demo


@pytest.fixture
def page(demo: Any) -> RunsPage:
    return untouched(demo)


def test_that_a_finished_run_has_nothing_to_follow_and_an_axis_to_its_last_step(demo: Any, page: Any) -> None:
    assert not page.monitor.follow.isVisible()
    demo.qtbot.waitUntil(lambda: page.monitor.grid.settled)
    axis, view = page.monitor.grid.plots[0].plot.bottom, page.monitor.grid.plots[0].view
    ticks = [value for _, values in axis.tickValues(*view.viewRange()[0], view.width()) for value in values]
    assert max(ticks) == 40


def test_that_the_folder_is_opened_without_a_read_on_the_windows_thread(demo: Any, page: Any, monkeypatch: Any) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    page.context.actions.run("runs.open_folder")
    assert opened == []
    demo.settle()
    assert len(opened) == 1 and opened[0].endswith(page.list.current_id)


def test_that_a_tip_of_a_pair_is_plain_text(page: Any) -> None:
    table = page.monitor.tabs.step_pairs
    rows = list(table.rows_model.rows)
    table.set_rows([replace(rows[0], label="<b>bold</b>", clause="")])
    tip = table.model().index(0, 1).data(Qt.ItemDataRole.ToolTipRole)
    table.set_rows(rows)
    assert "<b>" not in tip and "&lt;b&gt;" in tip


def test_that_a_setting_of_many_digits_is_forked_as_it_is(demo: Any) -> None:
    config = RunConfig().with_values({"lr": 0.1 / 3})
    dialog = ForkDialog(demo.window, demo.context, "mine", config, [40])
    assert dialog.changes() == {}
    dialog.deleteLater()


def test_that_the_clause_gives_way_to_the_prompt_where_room_is_scarce(demo: Any, page: Any) -> None:
    table = page.monitor.tabs.step_pairs
    demo.window.resize(1900, 1000)
    demo.qtbot.waitUntil(lambda: not table.isColumnHidden(8))
    demo.window.resize(1024, 700)
    demo.qtbot.waitUntil(lambda: table.isColumnHidden(8))
    assert table.columnWidth(1) >= 160
    assert "Workshop help desk" in table.model().index(0, 1).data(Qt.ItemDataRole.ToolTipRole)


def test_that_the_log_shows_its_newest_line_first_seen(demo: Any, page: Any) -> None:
    page.monitor.tabs.setCurrentWidget(page.monitor.tabs.log)
    bar = page.monitor.tabs.log.verticalScrollBar()
    assert bar.maximum() > 0 and bar.value() == bar.maximum()
    assert "finished" in page.monitor.tabs.log.toPlainText().splitlines()[-1]


def test_that_the_newest_samples_are_labelled_blind_from_their_tab(shared_demo: Any) -> None:
    page, before = untouched(shared_demo), shared_demo.context.services.pairs.count()
    page.monitor.tabs.setCurrentWidget(page.monitor.tabs.samples)
    page.monitor.tabs.samples.label.click()
    annotate = shared_demo.page("annotate")
    shared_demo.qtbot.waitUntil(lambda: annotate.state.choice.kind == "chosen")
    found = shared_demo.context.services.sample_pairs.add(page.list.current_id).value
    assert annotate.state.choice.pair_ids == found.pair_ids and shared_demo.window.place == "annotate"
    assert shared_demo.context.services.pairs.count() == before + len(found.pair_ids)
    page.monitor.tabs.setCurrentIndex(0)
    shared_demo.window.navigate("runs")
    shared_demo.settle()
