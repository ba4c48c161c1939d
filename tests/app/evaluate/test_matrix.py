"""The matrix of templates and languages and the reliability diagram: what they show, and where their marks lead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.evaluate.figures import Figures
from app.evaluate.matrix_figures import MatrixFigures, matrices_of
from core.domain.number_text import signed
from core.domain.suite import Constraint, Suite, SuiteItem
from tests.app.evaluate.fakes import ask, finish, make_evaluation, make_run, suites
from tests.app.evaluate.test_page import shown
from tests.app.layout_audit import findings

Build = Callable[..., Any]
LANGUAGES = ("en", "de", "ar")


def languages(count: int) -> Suite:
    """Return requests in three languages, index-aligned."""
    items = [
        SuiteItem(
            f"list-{n}.{code}", ask(f"{code}: name {n + 2} tools."), "check", {"language": code},
            (Constraint("bullets", 2),),
        )
        for code in LANGUAGES
        for n in range(count)
    ]  # fmt: skip
    return Suite("languages", 1, tuple(items))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with an evaluation under other templates and one without."""
    workspace = tmp_path_factory.mktemp("matrix") / "ws"
    make_run(workspace)
    preferences = suites(40)[0]
    finish(make_evaluation(workspace, 1, made=(preferences, languages(12)), templates=("plain", "alpaca", "llama3")))
    finish(make_evaluation(workspace, 2, made=(suites(4)[1],)))
    finish(make_evaluation(workspace, 3, made=(languages(4),)))
    benign = suites(16)[1].items
    versions = (Suite("asks", 1, benign[:12]), Suite("asks", 2, benign[4:]))
    finish(make_evaluation(workspace, 4, made=(suites(12)[0], *versions), templates=("plain",)))
    return workspace


@pytest.fixture(scope="module")
def running(shared_window: Build, measured: Path) -> Any:
    return shared_window(workspace=measured, size=(1280, 800))


def test_that_cells_are_reached_by_keys_and_lead_to_the_answers_under_their_template(running: Any) -> None:
    page = shown(running, 1)
    page.tabs.setCurrentWidget(page.tabs.matrix)
    running.settle()
    matrix = page.tabs.matrix
    plain = page.data.evidence["suites"]["languages v1"]["matrix"]["checks_passed"]["arms"]["aligned"]
    cells = {(cell["template"], cell["language"]): cell for cell in plain["cells"]}
    rows = matrix.chart.rows
    assert [row.label for row in rows] == ["ChatML", "Plain text", "Alpaca", "Llama 3", "Reference"]
    assert rows[0].cells[0].value == f"{100 * cells['training', 'en']['rate']['value']:.0f} %"
    assert rows[1].cells[1].change == pytest.approx(100 * cells["plain", "de"]["change"]["value"])
    assert all("n 12" in cell.words and "[" in cell.words for row in rows for cell in row.cells[:-1])
    matrix.chart.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Right):
        QTest.keyClick(matrix.chart, key)
    assert matrix.chart.accessibleDescription() == rows[1].cells[1].words
    QTest.keyClick(matrix.chart, Qt.Key.Key_Return)
    items = page.tabs.items
    running.qtbot.waitUntil(lambda: items.table.count == 12)
    assert page.tabs.currentWidget() is items and items.panel.arms == ("aligned", "aligned · plain")
    assert items.panel.row is not None and items.panel.row.id.endswith(".de")
    assert items.panel.row.answers["aligned · plain"].passed is not None


def test_that_the_matrix_has_a_table_twin_and_every_cell_in_its_export(running: Any) -> None:
    page = shown(running, 1)
    page.tabs.setCurrentWidget(page.tabs.matrix)
    card = page.tabs.matrix.cards["matrix"]
    running.context.actions.run("evaluate.table")
    assert card.table.isVisible() and not page.tabs.matrix.chart.isVisible()
    running.context.actions.run("evaluate.table")
    assert page.tabs.matrix.chart.isVisible()
    lines = card.values().splitlines()
    assert len(lines) == 1 + 2 * 4 * 4 and lines[0].startswith("Arm,Template,Language,Rate % [95 %],n,")
    assert "Bonferroni" not in lines[1] and all(line.count(",") >= 7 for line in lines)
    assert page.tabs.matrix.arm.currentText() == "aligned"


def test_that_without_templates_it_says_how_to_get_them(running: Any) -> None:
    page = shown(running, 2)
    page.tabs.setCurrentWidget(page.tabs.matrix)
    assert page.tabs.matrix.empty.isVisible() and not page.tabs.matrix.chart.isVisible()
    assert [button.text() for button in page.tabs.matrix.empty.buttons] == ["New evaluation…"]
    page = shown(running, 3)
    running.qtbot.waitUntil(lambda: page.tabs.matrix.chart.isVisible())
    assert page.tabs.matrix.alone.isVisible() and "--templates" in page.tabs.matrix.alone.text()
    assert [row.label for row in page.tabs.matrix.chart.rows] == ["ChatML", "Reference"]


def test_that_pairs_stand_by_template_and_language_also_where_no_suite_asks_in_several_languages(running: Any) -> None:
    page = shown(running, 4)
    page.tabs.setCurrentWidget(page.tabs.matrix)
    running.settle()
    matrix = page.tabs.matrix
    assert matrix.cards["pairs"].isVisible() and not matrix.cards["matrix"].isVisible()
    templates = page.data.evidence["suites"]["preferences v1"]["template_margins"]["aligned"]["templates"]
    labels = ["ChatML, training · all", "ChatML, training · German", "ChatML, training · English"]
    assert [row.label for row in matrix.pairs.rows[:3]] == labels and len(matrix.pairs.rows) == 6
    assert matrix.pairs.rows[1].value == pytest.approx(
        100 * templates["training"]["languages"]["de"]["accuracy"]["value"]
    )
    lines = matrix.cards["pairs"].values().splitlines()
    assert len(lines) == 1 + 6 and lines[0].startswith("Suite,Arm,Template,Language,Accuracy % [95 %],n,")
    assert "of 12 pairs of preferences v1 alike under all templates" in matrix.cards["pairs"].about.text()
    matrix.pairs.setFocus()
    QTest.keyClick(matrix.pairs, Qt.Key.Key_Down)
    QTest.keyClick(matrix.pairs, Qt.Key.Key_Down)
    QTest.keyClick(matrix.pairs, Qt.Key.Key_Return)
    german = [item.id for item in suites(12)[0].items if item.slices["language"] == "de"]
    running.qtbot.waitUntil(lambda: page.tabs.items.table.count == len(german))


def test_that_the_evidence_bridges_two_versions_of_a_suite(running: Any) -> None:
    page = shown(running, 4)
    page.tabs.setCurrentWidget(page.tabs.evidence)
    card = page.tabs.evidence.cards["bridge"]
    running.qtbot.waitUntil(lambda: bool(card.table.rows))
    running.settle()
    assert card.isVisible() and page.tabs.evidence.bridge.isVisible()
    rows = {row.cells[1]: row for row in card.table.rows}
    metrics = page.data.evidence["suites"]
    old, new = (metrics[f"asks v{n}"]["metrics"]["length"]["aligned"]["value"] for n in (1, 2))
    words = rows["length"].cells
    assert words[0] == "asks v1 → v2" and words[4].partition(" ")[0] == signed(new - old, 3)
    assert words[2].endswith("n 12") and words[5] == "16"
    assert card.values().startswith("Suite,Number,")
    page = shown(running, 1)
    page.tabs.setCurrentWidget(page.tabs.evidence)
    running.settle()
    assert not page.tabs.evidence.cards["bridge"].isVisible()


def test_that_a_bin_of_the_reliability_diagram_leads_to_its_pairs(running: Any) -> None:
    page = shown(running, 1)
    page.tabs.setCurrentWidget(page.tabs.evidence)
    chart, card = page.tabs.evidence.reliability, page.tabs.evidence.cards["reliability"]
    bins = page.data.evidence["suites"]["preferences v1"]["reliability"]["aligned"]["bins"]
    assert [point.predicted for point in chart.points] == [one["predicted"] for one in bins]
    assert sum(point.observed.n for point in chart.points) == 40
    assert "ECE" in card.about.text() and "chance alone gives" in card.about.text()
    assert card.table.rowCount() == len(bins)
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_Right)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    items = page.tabs.items
    wanted = bins[0]["items"]
    running.qtbot.waitUntil(lambda: items.table.count == len(wanted))
    assert items.panel.row is not None and items.panel.row.id in wanted
    assert "policy says" in items.part.text()
    QTest.mouseClick(items.part, Qt.MouseButton.LeftButton)
    assert items.table.count == 40


def test_that_length_and_macros_stand_in_the_evidence(running: Any) -> None:
    page = shown(running, 1)
    said = {row.cells[1]: row.cells[3] for row in page.tabs.evidence.beside.rows}
    assert "[" in said["prefers the longer answer"] or "(" in said["prefers the longer answer"]
    forest = page.tabs.evidence.forest.rows
    macros = page.data.evidence["suites"]["preferences v1"]["macro"]
    assert [row.label for row in forest if row.label.startswith("macro")] == [f"macro, {name}" for name in macros]


def test_that_the_matrix_fits_a_small_window_with_large_text(running: Any) -> None:
    page = shown(running, 1)
    page.tabs.setCurrentWidget(page.tabs.matrix)
    before = running.window.size()
    running.window.resize(1024, 700)
    running.context.settings.set("look.zoom", 200)
    running.settle()
    wrong = findings(running.window)
    running.context.settings.set("look.zoom", 100)
    running.window.resize(before)
    running.settle()
    assert not wrong, "\n".join(wrong)


def test_that_the_worst_case_says_whether_the_margin_of_the_gate_holds(running: Any) -> None:
    page = shown(running, 1)
    figures = Figures(page.data.evidence)
    assert matrices_of(figures) == [("languages v1", "checks_passed")]
    matrix = MatrixFigures(figures, "languages v1", "checks_passed", "aligned")
    words, is_warning = matrix.verdict()
    assert is_warning == words.startswith("Template overfit") and "5 points" in words
    rows = {row.cells[0]: row.cells[1:] for row in matrix.summary()}
    assert set(rows) == {
        "Worst template, %", "Decided alike under all, %", "Smallest Δ to training, points", "Cochran's Q",
    }  # fmt: skip
    assert all("n 36" in cell for cell in rows["Decided alike under all, %"])
