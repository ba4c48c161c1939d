"""The tab Proxies: the register with what brings what is missing, the judges, and the over-optimisation chart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.evaluate import proxies_figures as figures
from app.evaluate.proxies_figures import ProxiesData
from app.evaluate.proxies_view import ProxiesView
from core.domain.estimate import Estimate
from core.domain.evaluation_events import KlRow
from core.domain.judging import UNCALIBRATED, JudgeReport, JudgeSetup
from core.domain.proxies import CheckpointCurve, CurveCheckpoint, FittedCurve
from core.services.proxies import rules
from tests.app.evaluate.fakes import ScriptedModel, finish, make_evaluation, make_run, suites
from tests.app.evaluate.test_page import shown
from tests.app.layout_audit import findings

Build = Callable[..., Any]
STEPS = (10, 20, 30, 40, 50, 0)


def drifted(times: float) -> Callable[..., ScriptedModel]:
    """Return what makes a model whose KL is a multiple of the usual one."""

    class Drifted(ScriptedModel):
        def kl(self, *batch: Any) -> list[KlRow]:
            return [replace(row, rb=times * row.rb, k1=times * row.k1) for row in super().kl(*batch)]

    return Drifted


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a run of which six checkpoints were evaluated on pairs and benign requests."""
    workspace = tmp_path_factory.mktemp("proxies") / "ws"
    make_run(workspace)
    for number, step in enumerate(STEPS, 1):
        finish(make_evaluation(workspace, number, made=suites(10)[:2], step=step), drifted(number))
    return workspace


@pytest.fixture(scope="module")
def running(shared_window: Build, measured: Path) -> Any:
    return shared_window(workspace=measured, size=(1280, 800))


def proxies_of(running: Any, number: int) -> Any:
    """Return the tab with the proxies of an evaluation on it."""
    page = shown(running, number)
    part = page.tabs.proxies
    page.tabs.setCurrentWidget(part)
    running.qtbot.waitUntil(lambda: part._shown == f"{number:032x}" and bool(part.data.register))
    running.settle()
    return part


def est(value: float, half: float = 0.05, n: int = 40) -> Estimate:
    return Estimate(value, value - half, value + half, n, "", "made up")


def test_that_each_proxy_stands_beside_its_counter_metric_with_the_step_that_brings_it(running: Any) -> None:
    part = proxies_of(running, 6)
    rows = {row.cells[0]: row.cells[1:] for row in part.register.rows}
    assert set(rows) == {
        "Implicit reward", "Refusals of harmful requests", "Length of answers", "Accuracy on training pairs",
    }  # fmt: skip
    evidence = running.page("evaluate").data.evidence["suites"]["preferences v1"]["metrics"]
    accuracy = evidence["preference_accuracy"]["aligned"]
    alarm, own, counter, estimators = rows["Implicit reward"]
    assert own.startswith(f"preference accuracy\n{100 * accuracy['value']:.1f} [") and own.endswith("%, n 10")
    assert (counter, alarm) == ("win rate by people\nnot measured", "cannot be told")
    assert estimators == accuracy["estimator"] and not part.register.horizontalScrollBar().isVisible()
    assert any(words == "detector not audited" for words, _ in figures.chips(part.data))
    assert [button.text() for button in part.buttons] == ["Ask people…", "New evaluation…", "Audit queue"]
    asked: list[str] = []
    part.act_wanted.disconnect()
    part.act_wanted.connect(asked.append)
    for button in part.buttons:
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    part.act_wanted.connect(running.context.actions.run)
    assert asked == ["evaluate.ask_people", "evaluate.new", "evaluate.audit"]
    assert not part.judges.isVisible() and part.judged.text().startswith("No judge was asked")
    assert part.ask.isEnabled() and part.ask.text() == "Ask a judge…"


def test_that_checkpoints_lie_at_the_root_of_their_kl_and_keys_lead_to_their_evaluations(running: Any) -> None:
    part = proxies_of(running, 6)
    kl = running.page("evaluate").data.evidence["suites"]["preferences v1"]["metrics"]["sequence_kl"]["aligned"]
    assert [mark.x[0] for mark in part.chart.marks] == sorted(mark.x[0] for mark in part.chart.marks)
    assert part.chart.marks[-1].x[0] == pytest.approx(math.sqrt(kl["value"])) and len(part.chart.marks) == 6
    assert [line.series for line in part.chart.lines] == ["preference_accuracy"]
    fit = part.data.curve.fits[0]
    assert part.chart.lines[0].path[-1] == (part.chart.marks[-1].x[0], pytest.approx(100 * fit.path[-1][1]))
    assert "Win rate by people: nobody has voted" in part.card.about.text() and part.fits.isVisible()
    assert {row.cells[1] for row in part.fits.rows} == {"a", "b", "peak", "left over"}
    lines = part.card.values().splitlines()
    assert lines[0].startswith('Checkpoint,"√KL, √nats [95 %]",n,Preference accuracy') and len(lines) == 7
    running.context.actions.run("evaluate.table")
    assert part.card.table.isVisible() and not part.chart.isVisible()
    running.context.actions.run("evaluate.table")
    part.chart.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(part.chart, key)
    assert part.chart.accessibleDescription().startswith("step 20: √KL ")
    QTest.keyClick(part.chart, Qt.Key.Key_Return)
    page = running.page("evaluate")
    running.qtbot.waitUntil(lambda: page.data.chosen.evaluation_id == f"{2:032x}")
    running.qtbot.waitUntil(lambda: part._shown == f"{2:032x}")
    assert page.tabs.currentWidget() is part
    running.settle()
    QTest.mouseClick(part.chart, Qt.MouseButton.LeftButton, pos=part.chart.spots[-1].area.center().toPoint())
    running.qtbot.waitUntil(lambda: page.data.chosen.evaluation_id == f"{6:032x}")


def test_that_judges_alarms_and_votes_are_shown_with_n_and_estimator(running: Any) -> None:
    part = ProxiesView(running.context)
    running.qtbot.addWidget(part)
    evidence = rules.MeasuredEvidence(arms={"reference": "reference", "aligned": "aligned"})
    one = est(0.9)
    report = JudgeReport(
        JudgeSetup("http://127.0.0.1/v1", "m", "r v1", "0"), "aligned", "reference", one, one, one, one, one,
        Estimate(math.nan, math.nan, math.nan, 0, "", "none"), (UNCALIBRATED,),
    )  # fmt: skip
    curve = points(6, fitted=True)
    part.show_proxies(
        ProxiesData((rules.training(evidence), rules.judge(report, est(0.4))), (report,), curve), f"{3:032x}"
    )
    said = {row.cells[1]: row.cells[2:] for row in part.judges.rows}
    assert said["aligned wins against reference"] == ("90.0 [85.0, 95.0] %", "40", "made up")
    assert said["answers without a verdict"][0] == "not measured" and len(said) == 6
    assert part.judge_mark.text() == UNCALIBRATED and "both orders" in part.judged.text()
    assert figures.chips(part.data)[0] == ("1 alarm", "bad")
    assert figures.notes(part.data)[0].words == "Judge m: Its win rate and that of people lie apart."
    assert [mark.series for mark in part.chart.marks[:2]] == ["preference_accuracy", "win_rate"]
    assert (
        part.card.mark.text() == "over-optimised" and "the curve turns at 2.00 [1.50, 2.50]" in part.card.about.text()
    )
    assert part.card.table.rows[0].cells[5:8] == ("51.0 [46.0, 56.0]", "40", "none")


def test_that_the_proxies_fit_a_small_window_with_large_text(running: Any) -> None:
    proxies_of(running, 6)
    before = running.window.size()
    running.window.resize(1024, 700)
    running.context.settings.set("look.zoom", 200)
    running.settle()
    wrong = findings(running.window)
    running.context.settings.set("look.zoom", 100)
    running.window.resize(before)
    running.settle()
    assert not wrong, "\n".join(wrong)


def points(count: int, *, fitted: bool = False) -> CheckpointCurve:
    """Return a curve of checkpoints at the distances 1, 2, 3, ..."""
    few = FittedCurve("preference_accuracy", missing="A curve needs 6 checkpoints.")
    made = tuple(
        CurveCheckpoint(f"{n:032x}", f"E {n}", 10 * n, est(n, 0.2, 8), est(0.6), est(0.5 + 0.01 * n))
        for n in range(1, count + 1)
    )
    if not fitted:
        return CheckpointCurve(made, "a v1", "a v1", (few, replace(few, number="win_rate")))
    turned = FittedCurve("win_rate", est(0.4), est(0.2), est(2.0, 0.5, 6), 0.01, ((0.0, 0.5), (6.0, 0.56)))
    return CheckpointCurve(made, "a v1", "a v1", (few, turned), (), "Over-optimised: it fell.")


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "there are 0 such checkpoints"), (1, "there is 1 such checkpoint"), (3, "evaluate them on pairs")],
)
def test_that_without_a_chart_it_says_which_step_comes_next(count: int, words: str) -> None:
    assert words in figures.curve_missing(points(count))


def test_that_a_curve_without_enough_checkpoints_says_so_once() -> None:
    about = figures.curve_about(points(3))
    assert about.count("A curve needs 6 checkpoints.") == 1 and "KL on a v1, accuracy on a v1" in about


def test_that_equal_needs_of_several_proxies_are_one_note() -> None:
    evidence = rules.MeasuredEvidence(arms={"reference": "reference", "aligned": "aligned"})
    register: Sequence[Any] = (rules.reward(evidence, None), rules.length(evidence, None, None))
    notes = figures.notes(ProxiesData(register))
    assert [(note.act, note.button) for note in notes] == [
        ("evaluate.new", "New evaluation…"), ("evaluate.ask_people", "Ask people…"),
    ]  # fmt: skip
    voted = figures.notes(ProxiesData((rules.length(evidence, est(0.5), None),)))
    assert [(note.act, note.button) for note in voted] == [("votes", "Show the votes")]
