"""The monitor says of each number which pairs it is of and how sure it is, and lists all insights."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from app.runs.page import RunsPage
from app.runs.plot_series import run_series
from app.widgets.plots.run_series import ForkMark
from core.domain.estimate import Estimate
from core.services.runs.people_ceiling import PeopleCeiling
from core.services.runs.run_plots import PairPlots
from tests.app.runs.conftest import untouched


@pytest.fixture(scope="module")
def demo(shared_demo: Any) -> Any:
    return shared_demo


@pytest.fixture
def page(demo: Any) -> RunsPage:
    return untouched(demo)


def test_that_the_headline_is_held_out_with_interval_n_and_step(page: Any) -> None:
    texts = [tile.accessibleName() for tile in page.monitor.tiles]
    assert texts[0] == "Held-out accuracy: 0.938 [0.717, 0.989] 15 of 16 pairs · step 40"
    assert texts[1].startswith("Held-out margin z: 0.597 [") and "h 5.970 nats · n 16 · step 40" in texts[1]
    assert "start 0.693 · n 16 · step 40" in texts[2]
    assert texts[3] == "KL, first 32 tokens: 5.949 ± 0.732 SE nats · n 8 · 75 % cut · step 40"
    assert "reference's own ranking: 0.625" in page.monitor.tiles[0].toolTip()
    assert page.list.item(0).text().splitlines()[1:] == ["held-out 0.938, n 16", "step 40 [0.72, 0.99]"]


def test_that_the_line_of_people_is_drawn_or_the_help_says_why_not(page: Any) -> None:
    plot = next(plot for plot in page.monitor.grid.plots if "dev.accuracy" in plot.curves)
    assert plot.y_title.full.endswith("ties ½ · dashed: reference's own ranking 0.625") and plot.levels.words() == []
    assert plot.head.help.startswith("How far people agree is not known: no held-out pair has two labels of people.")
    given = {"before": ({}, ForkMark()), "kl": None, "held_out": None, "start_loss": None, "pairs": PairPlots()}
    known = run_series({}, 40, **given, people=PeopleCeiling(Estimate(0.85, 0.7, 0.95, 12, "", "mean")))
    line = next(level for level in known.levels if level.key == "people")
    assert (line.value, line.words) == (0.85, "people agree 0.850 [0.700, 0.950], n 12")
    assert known.helps["accuracy"].startswith("People agree: the expected agreement")


def test_that_all_insights_are_listed_and_show_their_own_pairs(demo: Any, page: Any) -> None:
    listed = page.monitor.insights
    assert [insight.code for _, insight in listed.shown] == ["gradient_clipped", "train_dev_gap"]
    gap = listed.shown[1][1]
    listed.pairs_wanted.emit(gap)
    demo.qtbot.waitUntil(lambda: "runs ahead" in page.monitor.tabs.tabText(0))
    rows = page.monitor.tabs.step_pairs.rows_model.rows
    assert tuple(row.pair_id for row in rows) == gap.pair_ids and {row.kind for row in rows} == {"dev"}
    assert page.monitor.grid.pinned == 40


def test_that_an_insight_is_explained_in_full(demo: Any, page: Any) -> None:
    demo.dialogs.answers.append("Close")
    page.monitor.insights.explain_wanted.emit(page.monitor.insights.shown[1][1])
    asked = demo.dialogs.asked[-1]
    for words in ("Formula:", "Test:", "Try:", "What would confirm it:", "Pairs: 1 (held-out, step 40)"):
        assert words in asked


def test_that_insights_mark_their_steps_until_they_are_dismissed_or_switched_off(demo: Any, page: Any) -> None:
    listed, marks = page.monitor.insights, page.monitor.grid.plots[0].marks
    demo.qtbot.waitUntil(lambda: [(mark.number, mark.first, mark.last) for mark in marks.spans] == [(2, 10, 40)])
    listed.on_plots.setChecked(False)
    demo.qtbot.waitUntil(lambda: marks.spans == ())
    listed.on_plots.setChecked(True)
    demo.qtbot.waitUntil(lambda: marks.spans != ())
    listed.dismiss(listed.shown[1][1])
    demo.qtbot.waitUntil(lambda: marks.spans == ())
    assert len(listed.shown) == 1
    assert listed.again.isVisible()
    listed.again.click()
    assert len(listed.shown) == 2


def test_that_a_fork_shows_its_parents_curves_and_what_it_changed(demo: Any, page: Any) -> None:
    parent = page.list.current_id
    folder = demo.context.services.runs._registry.folder(parent).path
    shutil.copytree(folder, folder.parent / "child")
    record = json.loads((folder.parent / "child" / "run.json").read_text())
    record |= {"run_id": "child", "name": "child", "parent_run": parent, "parent_step": 20}
    record["config"]["lr"] = 10.0
    (folder.parent / "child" / "run.json").write_text(json.dumps(record))
    page.show_item(run_id="child")
    demo.qtbot.waitUntil(lambda: page._snapshot is not None and page._snapshot.run_id == "child")
    demo.qtbot.waitUntil(lambda: page.monitor.grid.settled)
    plot = page.monitor.grid.plots[0]
    assert plot.marks.fork_text == " fork of demo-b0.1-r16 at step 20: lr 0.0001 → 10"
    assert plot._items["margin"].before.steps[-1] == 20
