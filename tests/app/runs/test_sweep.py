"""Sweeps and the frontier in the window: the plan in words, the command line, marks, and which run is beaten."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from app.runs.frontier_dialog import FrontierDialog
from app.runs.frontier_figures import run_figures
from app.runs.sweep_dialog import SweepDialog
from app.runs.sweep_figures import plan_words, reference_words, suggested
from app.widgets.plots.run_frontier_chart import RunFrontierChart, staircase
from core.domain.changes import Outcome
from core.domain.charter import Charter
from core.domain.estimate import Estimate
from core.domain.frontier import RunFrontier, RunPoint, judged
from core.domain.preflight_report import PreflightReport
from core.domain.run_config import RunConfig
from core.domain.sweep import SweepPlan, read_sweep
from core.services.runs.sweeps import sweep_command_line, sweep_cost
from core.services.runs.views import RunRequest


def point(name: str, kl: float, accuracy: float, *, beta: str = "0.1", seed: str = "0", **facts: Any) -> RunPoint:
    values = {"beta": beta, "seed": seed}
    kl_of = Estimate(kl, kl - 0.5, kl + 0.5, 32, "nats in the first 64 tokens", "", se=0.255)
    share = Estimate(accuracy, accuracy - 0.1, accuracy + 0.1, 96, "", "Wilson")
    return RunPoint(name, name, f"/{name}", values, 120, facts.pop("group", 1), facts.pop("other", False), kl_of, share)


def frontier(*points: RunPoint) -> RunFrontier:
    told = tuple(judged(one, points, higher=True) for one in points)
    reference = Estimate(0.583, 0.5, 0.66, 96, "", "Wilson")
    return RunFrontier("held_out_accuracy", ("beta", "seed"), told, (), {1: reference})


FOUND = frontier(
    point("a", 2.0, 0.60, beta="0.3"),
    point("b", 5.0, 0.80),
    point("c", 5.5, 0.70, seed="1", other=True),
    point("d", 9.0, 0.85, beta="0.05"),
    point("far", 1.0, 0.99, group=2),
)


def test_that_the_chart_has_a_mark_a_run_and_a_line_through_those_that_none_beats() -> None:
    figures = run_figures(FOUND, ("b",))
    marks = {mark.key: mark for mark in figures.marks}
    assert marks.keys() == {"a", "b", "c", "d"}, "runs of other held-out pairs are another group"
    assert [key for key, mark in marks.items() if mark.beaten] == ["c"]
    assert (marks["c"].hollow, marks["b"].hollow, marks["b"].ringed) == (True, False, True)
    assert figures.axes.series == ("beta 0.05", "beta 0.1", "beta 0.3")
    assert [marks[name].series for name in "dba"] == [0, 1, 2]
    assert marks["b"].y == (0.8, pytest.approx(0.7), pytest.approx(0.9))
    assert staircase(figures.marks) == [(2.0, 0.6), (5.0, 0.6), (5.0, 0.8), (9.0, 0.8), (9.0, 0.85)]
    assert figures.summary == "4 runs · 3 on the frontier · n 96 each"
    rows = {row[0]: row[1:] for row in figures.rows}
    assert rows["c"] == (
        "c", "beta 0.1, seed 1", "0.700 [0.600, 0.800], n 96", "5.500 ± 0.500, n 32",
        "another objective; beaten by beta 0.1, seed 0, within the intervals",
    )  # fmt: skip
    assert (figures.axes.reference, figures.axes.reference_words) == (0.583, "reference's own ranking 0.583")
    assert len(figures.groups) == 2
    assert run_figures(FOUND, ("b",), 2).marks[0].key == "far"
    assert run_figures(RunFrontier("held_out_accuracy", ()), ()).marks == ()


def test_that_the_chart_is_read_by_keyboard_and_opens_a_run(theme: Any, qtbot: Any) -> None:
    chart = RunFrontierChart(theme)
    qtbot.addWidget(chart)
    chart.resize(620, 340)
    opened: list[object] = []
    chart.opened.connect(opened.append)
    chart.show_frontier(run_figures(FOUND, ("b",)).marks, run_figures(FOUND, ("b",)).axes)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    QTest.keyClick(chart, Qt.Key.Key_Right)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    assert opened == ["b"]
    assert (
        "0.800 [0.700, 0.900], n 96; KL 5.000 ± 0.500 nats in the first 64 tokens, n 32"
        in chart.accessibleDescription()
    )
    assert chart.spots[0].area.center().x() < chart.spots[3].area.center().x(), "more KL stands further right"
    assert chart.spots[0].area.center().y() > chart.spots[3].area.center().y(), "better stands higher"


def test_that_a_plan_says_how_many_runs_and_reference_passes_it_has() -> None:
    plan = read_sweep(["beta=0.1,0.3", "max_length=512,1024"], "0,1,2")
    assert plan_words(plan) == "12 runs: beta 0.1, 0.3 × max_length 512, 1024 × seed 0, 1, 2"
    assert reference_words(plan) == "2 reference passes for 12 runs: tokens or weights vary."
    assert reference_words(read_sweep([], "0,1")).startswith("One reference pass")
    cost = sweep_cost(PreflightReport(eta_s=100.0, reference_seconds=30.0, disk_bytes=5, disk_free_bytes=9), plan)
    assert (cost.seconds, cost.saved_seconds, cost.disk_bytes) == (12 * 100 - 10 * 30, 300, 60)
    assert suggested("beta", RunConfig()) == "0.05, 0.1, 0.3"
    assert suggested("max_length", RunConfig(max_length=256)) == "256"
    charter = Charter("be kind")
    request = RunRequest("/m", dataset_id=3, config=RunConfig(beta=0.5, lr=1e-4), name="x", charter=charter)
    words = shlex.split(sweep_command_line(request, plan, workspace=Path("/ws"), dataset="help v2"))
    assert words[:5] == ["pairwright", "sweep", "/ws", "--dataset", "help v2"]
    assert ("lr=0.0001" in words, "beta=0.5" in words) == (True, False)
    assert words[-6:] == ["--over", "beta=0.1,0.3", "--over", "max_length=512,1024", "--seeds", "0,1,2"]
    assert words[words.index("target_behaviour=be kind") - 1] == "--charter-set"


def test_that_a_sweep_of_the_shown_run_waits_in_the_queue(
    driven: Any, main_window: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run = driven
    run.finish()
    running = main_window(workspace=workspace)
    page = running.page("runs")
    running.qtbot.waitUntil(lambda: page._snapshot is not None)
    added: list[Any] = []
    services = running.context.services

    def add(request: RunRequest, plan: SweepPlan) -> Outcome[list[RunRequest]]:
        added.append((request, plan))
        return Outcome([request] * 6)

    monkeypatch.setattr(services.queue, "add_sweep", add)

    def script(dialog: QDialog) -> bool:
        if isinstance(dialog, FrontierDialog):
            running.qtbot.waitUntil(lambda: dialog.figures is not None)
            assert dialog.figures is not None
            assert dialog.figures.summary == "1 run · 1 on the frontier · n 4 each"
            return False
        assert isinstance(dialog, SweepDialog)
        dialog.seeds.setText("0, x")
        assert not dialog.accepts.isEnabled()
        assert "seed cannot be 'x'" in dialog.error.text()
        dialog.seeds.setText("0, 1")
        assert dialog.count.text() == "6 runs: beta 0.05, 0.1, 0.3 × seed 0, 1"
        dialog.show_cost(PreflightReport(eta_s=60.0, reference_seconds=10.0, device="cpu"))
        assert dialog.cost.text().startswith("About 5 min 10 s (50 s less by the shared reference)")
        return True

    running.dialogs.on_dialog = script
    page.context.actions.run("runs.sweep")
    assert running.dialogs.asked == [], "the run does not say what it was trained on"
    page.context.actions.run("runs.frontier")
    config = RunConfig().with_values({"batch_size": 4})
    running.context.navigate("runs", sweep=RunRequest("/m", dataset_id=1, config=config))
    running.qtbot.waitUntil(lambda: len(added) == 1)
    running.settle()
    ((request, plan),) = added
    assert len(plan.points) == 6
    assert (request.config.batch_size, request.name) == (4, "sweep")
    assert not math.isnan(request.config.beta)
