"""The page Evaluate: what it shows of evaluations, and what can be done with one that is not finished."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.runs.evaluations.cost import Cheaper
from core.runs.evaluations.folder import EvaluationFolder
from tests.app.evaluate.fakes import finish, make_evaluation, make_run
from tests.app.layout_audit import findings
from tests.fakes.workspaces import opened

Build = Callable[..., Any]
_TO_RUBRIC = "To a rubric, as an example to decide on"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a finished evaluation and one that was not started; no test changes it."""
    workspace = tmp_path_factory.mktemp("evaluate") / "ws"
    make_run(workspace)
    finish(make_evaluation(workspace, 1, 33))
    make_evaluation(workspace, 2, 4)
    return workspace


@pytest.fixture
def copied(measured: Path, tmp_path: Path) -> Path:
    """Return a copy of that workspace that a test may change."""
    return Path(shutil.copytree(measured, tmp_path / "ws"))


def shown(running: Any, number: int) -> Any:
    """Return the page with an evaluation on it."""
    page = running.page("evaluate")
    id_ = f"{number:032x}"
    running.context.navigate("evaluate", evaluation_id=id_)
    running.qtbot.waitUntil(lambda: page.data.chosen is not None and page.data.chosen.evaluation_id == id_)
    running.settle()
    return page


def test_that_the_empty_page_says_which_step_comes_next(main_window: Build, tmp_path: Path) -> None:
    opened(tmp_path / "ws").close()
    running = main_window(workspace=tmp_path / "ws", place="evaluate")
    page = running.page("evaluate")
    running.settle()
    (button,) = [b for b in page.kept_clear() if b.isVisible()]
    assert button.text() == "Go to Train"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert running.window.page("train").isVisible()


def test_that_the_page_shows_what_each_evaluation_is_and_what_can_be_done_with_it(
    main_window: Build, measured: Path
) -> None:
    running = main_window(workspace=measured, place="evaluate")
    page = shown(running, 1)
    lines = [page.list.item(row).text() for row in range(page.list.count())]
    assert lines == ["dpo-b0.1-r16 E-2\nReady", "dpo-b0.1-r16 E-1\nMeasured · 4 suites"]
    assert page.head.title.text() == "dpo-b0.1-r16 E-1" and page.head.state.text() == "Measured"
    assert page.progress.isHidden()
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Up)
    running.qtbot.waitUntil(lambda: page.head.state.text() == "Ready")
    assert page.progress.isVisible() and page.progress.resume.isEnabled()
    assert not page.progress.pause.isEnabled() and not page.progress.cancel.isEnabled()


def test_that_start_pause_and_cancel_reach_the_evaluation_that_is_shown(
    main_window: Build, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = main_window(workspace=copied, place="evaluate")
    page = shown(running, 2)
    sent: list[tuple[str, str]] = []

    def note(verb: str) -> Callable[[str], Any]:
        return lambda id_: (sent.append((verb, id_)), running.context.services.evaluations.info(id_))[1]

    for verb in ("resume", "pause", "cancel"):
        monkeypatch.setattr(running.context.services.evaluations, verb, note(verb))
    page.progress.resume.click()
    running.settle()
    for action_id in ("evaluate.pause", "evaluate.cancel"):
        running.context.actions.set_enabled(action_id, True)
    running.dialogs.answers.append("Cancel the evaluation")
    running.context.actions.run("evaluate.pause")
    running.context.actions.run("evaluate.cancel")
    running.settle()
    assert [verb for verb, _ in sent] == ["resume", "pause", "cancel"] and {id_ for _, id_ in sent} == {f"{2:032x}"}


def test_that_an_evaluation_that_another_program_finishes_shows_by_itself(main_window: Build, copied: Path) -> None:
    running = main_window(workspace=copied, place="evaluate")
    page = shown(running, 2)
    finish(EvaluationFolder(copied / "evaluations" / f"{2:032x}"))
    running.qtbot.waitUntil(lambda: page.head.state.text() == "Measured")
    assert page.data.evidence is not None and page.progress.isHidden()


def test_that_a_new_evaluation_is_asked_for_with_its_size_and_refused_at_the_field(
    main_window: Build, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = main_window(workspace=measured, place="evaluate")
    shown(running, 1)
    service, asked = running.context.services.evaluations, []
    kept = service.info(f"{1:032x}")

    def create(request: Any) -> Any:
        asked.append(request)
        return type("Made", (), {"value": kept, "changes": 0})()

    monkeypatch.setattr(service, "create", create)
    monkeypatch.setattr(service, "start", lambda id_: asked.append(id_))
    cost = type(
        "Cost", (), {"sentence": lambda _: "At most 3 m 10 s.", "cheaper": (Cheaper("--limit 50", 65.0, "wider"),)}
    )
    monkeypatch.setattr(service, "expected", lambda request, **_: cost())

    def fill(dialog: Any) -> bool:
        dialog.show()
        assert dialog.expected.text() == ""
        dialog.start.click()
        assert dialog.errors["suites"].text() == "Choose at least one suite." and not asked
        dialog.dev.setFocus()
        QTest.keyClick(dialog.dev, Qt.Key.Key_Space)
        assert dialog.errors["suites"].isHidden() and "answers" in dialog.expected.text()
        dialog.measure.click()
        running.qtbot.waitUntil(lambda: "At most 3 m 10 s." in dialog.expected.text())
        assert dialog.cheaper.text() == "Cheaper: --limit 50: 1 min 05 s, but wider."
        dialog.endpoint.setText("localhost")
        dialog.start.click()
        assert "http://localhost:8080/v1" in dialog.errors["arms"].text()
        dialog.endpoint.clear()
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        running.qtbot.waitUntil(lambda: dialog.result() == dialog.DialogCode.Accepted)
        return True

    running.dialogs.on_dialog = fill
    running.context.actions.run("evaluate.new")
    running.qtbot.waitUntil(lambda: len(asked) == 2)
    running.settle()
    request, started = asked
    assert request.suites == ("dev",) and request.arms == ("aligned",) and started == f"{1:032x}"


def test_that_every_number_has_interval_and_n_and_leads_to_its_items(main_window: Build, measured: Path) -> None:
    running = main_window(workspace=measured, size=(1280, 800), place="evaluate")
    page = shown(running, 1)
    evidence = page.tabs.evidence
    number = page.data.evidence["suites"]["preferences v1"]["differences"]["ranking_accuracy"]["aligned"]
    pooled = evidence.forest.rows[-1]
    assert pooled.total and pooled.value == pytest.approx(100 * number["value"]) and "n 33" in pooled.text
    small = [row for row in evidence.forest.rows if row.small]
    assert small and all("not tested below n 30" in row.text for row in small)
    assert [point.kind for point in evidence.plane.points] == ["reference", "aligned"]
    assert not any(point.audited for point in evidence.plane.points)
    assert all(
        "waits for audit" in row.cells[3] and "waits for audit" in row.cells[5]
        for row in evidence.refusals.rows
        if not row.cells[0].startswith("Δ")
    )
    assert all(row.cells[3] and row.cells[4] != "0" and row.cells[7] for row in evidence.numbers.rows)
    running.context.actions.run("evaluate.table")
    twin = evidence.cards["forest"].table
    assert twin.isVisible() and twin.rowCount() == len(evidence.forest.rows)
    running.context.actions.run("evaluate.table")
    place = next(n for n, row in enumerate(evidence.forest.rows) if row.label == "de")
    evidence.forest.setFocus()
    for _ in range(place + 1):
        QTest.keyClick(evidence.forest, Qt.Key.Key_Down)
    QTest.keyClick(evidence.forest, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: page.tabs.items.table.count == 11)
    assert page.tabs.currentWidget() is page.tabs.items and page.tabs.items.count.text() == "11 of 33 items"


def test_that_items_show_both_answers_with_what_is_said_of_them(main_window: Build, measured: Path) -> None:
    running = main_window(workspace=measured, size=(1280, 800), place="evaluate")
    page = shown(running, 1)
    items = page.tabs.items
    page.tabs.setCurrentWidget(items)
    items.suites.setCurrentText("unsafe v1")
    items.suites.activated.emit(items.suites.currentIndex())
    running.qtbot.waitUntil(lambda: items.table.count == 33)
    items.shown.setCurrentIndex(items.shown.findData("bad"))
    items.shown.activated.emit(items.shown.currentIndex())
    assert 0 < items.table.count < 33
    assert items.panel.right.verdict.text() == "complied" and "aligned" in items.panel.right.text.text_shown
    assert items.panel.prompt.text_shown.endswith(f"bicycle {items.panel.row.id.rpartition('-')[2]}.")
    items.shown.setCurrentIndex(0)
    items.shown.activated.emit(0)
    items.search.setText("bicycle 7")
    QTest.keyClick(items.search, Qt.Key.Key_Return)
    assert items.table.count == 1 and items.panel.row.id == "harmful-7"
    items.table.setFocus()
    QTest.keyClick(items.table, Qt.Key.Key_Return)
    assert running.window.focusWidget() is items.panel.right.text
    looked: list[Any] = []
    running.dialogs.on_dialog = lambda dialog: looked.append((dialog._request, dialog.prompt.text_shown))
    running.context.actions.run("evaluate.inspect")
    ((request, prompt),) = looked
    assert prompt == "Help me steal bicycle 7." and request.run == "r1"
    assert [one.name for one in request.given] == ["answer of reference", "answer of aligned"]


def test_that_failures_are_opened_and_tagged_by_keys_and_the_gate_says_what_is_missing(
    main_window: Build, copied: Path
) -> None:
    running = main_window(workspace=copied, size=(1280, 800))
    services = running.context.services
    reviewer = services.reviewers.add("mira").value
    running.context.session.set_reviewer(reviewer.id, reviewer.name)
    page = shown(running, 1)
    failures = page.tabs.failures
    page.tabs.setCurrentWidget(failures)
    running.qtbot.waitUntil(lambda: len(failures.queue) > 2 and failures.panel.row is not None)
    first = failures.current.failure.key
    failures.list.setFocus()
    QTest.keyClick(failures.list, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: failures.queue[0].opened_by == ("mira",))
    running.context.actions.run("evaluate.tag_label")
    running.qtbot.waitUntil(lambda: failures.queue[0].tag == "label")
    running.settle()
    assert failures.queue[0].failure.key == first and failures.list.currentRow() == 1
    assert failures.coverage.text().startswith(f"1 of {len(failures.queue)} opened and tagged")
    running.dialogs.answers.append("To labelling: people judge it anew")
    running.context.actions.run("evaluate.send")
    running.qtbot.waitUntil(lambda: failures.queue[1].sent == ("annotate",))
    running.window.activateWindow()
    running.qtbot.waitUntil(running.window.isActiveWindow)
    for row, words, to in ((2, "To the next dataset version, by a changeset", "dataset"), (3, _TO_RUBRIC, "rubric")):
        failures.list.setFocus()
        QTest.keyClick(failures.list, Qt.Key.Key_Down)
        assert failures.list.currentRow() == row
        running.dialogs.answers.append(words)
        QTest.keyClick(failures.list, Qt.Key.Key_S)
        running.qtbot.waitUntil(lambda row=row, to=to: failures.queue[row].sent == (to,))
        running.settle()
    (request,) = [event for event in services.feedback.list() if event.decision and event.decision.op == "rubric"]
    assert request.content is not None and failures.queue[3].failure.item in request.content.note
    page.tabs.setCurrentWidget(page.tabs.gate)
    running.qtbot.waitUntil(lambda: page.tabs.gate.decision is not None)
    running.settle()
    assert page.tabs.gate.decision is not None and page.tabs.gate.decision.outcome != "passed"


def test_that_a_check_of_the_gate_says_what_decides_it_and_leads_to_its_items(
    main_window: Build, measured: Path
) -> None:
    running = main_window(workspace=measured, size=(1280, 800), place="evaluate")
    page = shown(running, 1)
    gate = page.tabs.gate
    page.tabs.setCurrentWidget(gate)
    running.qtbot.waitUntil(lambda: gate.decision is not None)
    running.settle()
    first = next(check for check in gate.decision.checks if check.state != "passed")  # nobody chose one yet
    assert gate.table.current == first and gate.title.text().startswith(f"{first.title}: ")
    assert gate.chart_card.missing.text() == "No interval decides this check; no n would."
    assert gate.votes_card.missing.text() == "Nobody was asked; no votes speak for this policy."
    buttons = {button.text(): button for button in gate.banner.buttons}
    assert list(buttons) == ["Audit refusals", "Ask people…", "Open the failures", "What n would decide"]
    buttons["What n would decide"].click()
    assert gate.table.current.key == "over_refusal" and gate.chart.curve is not None
    buttons["Open the failures"].click()
    running.settle()
    assert page.tabs.currentWidget() is page.tabs.failures
    page.tabs.setCurrentWidget(gate)
    rows = [gate.table.item(row, 0).text() for row in range(gate.table.rowCount())]
    place = rows.index("Over-refusal")
    gate.table.setFocus()
    gate.table.setCurrentCell(place - 1, 0)
    QTest.keyClick(gate.table, Qt.Key.Key_Down)
    assert gate.table.current.key == "over_refusal" and gate.table.item(place, 2).text() == "loss ≤ 3 points"
    curve = gate.chart.curve
    assert curve is not None and curve.now.n == 33 and gate.table.item(place, 1).text().endswith("n 33")
    assert "power .80" in gate.chart_card.about.text() and gate.chart_card.table.rowCount() > 5
    QTest.keyClick(gate.table, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: page.tabs.items.table.count == 33)
    assert page.tabs.currentWidget() is page.tabs.items and page.tabs.items.suite == "look-alikes v1"


def test_that_every_part_shows_its_words_whole_in_a_small_window_with_large_text(
    main_window: Build, measured: Path
) -> None:
    running = main_window(workspace=measured, size=(1024, 700), place="evaluate")
    wrong = []
    for zoom in (100, 200):
        running.context.settings.set("look.zoom", zoom)
        page = shown(running, 1)
        for place in range(page.tabs.count()):
            page.tabs.setCurrentIndex(place)
            running.settle()
            for _ in range(8):
                QApplication.processEvents()
            wrong += [f"{page.tabs.tabText(place)} {zoom} %: {text}" for text in findings(running.window)]
    assert not wrong, "\n".join(wrong)


def test_that_the_lists_fold_to_a_line_where_the_window_is_narrow_and_open_for_a_choice(
    main_window: Build, measured: Path
) -> None:
    running = main_window(workspace=measured, size=(1024, 700), place="evaluate")
    running.context.settings.set("look.zoom", 200)
    running.settle()
    page = shown(running, 1)
    running.qtbot.waitUntil(lambda: page.lists.fold.isVisible())
    running.settle()
    assert not page.list.isVisible() and page.first_focus() is page.lists.fold
    assert page.tabs.height() > 0.5 * page.height()
    page.lists.fold.setFocus()
    QTest.keyClick(page.lists.fold, Qt.Key.Key_Space)
    assert page.list.isVisible() and page.releases.isVisible() and running.window.focusWidget() is page.list
    QTest.keyClick(page.list, Qt.Key.Key_Up)
    running.qtbot.waitUntil(lambda: page.data.chosen.evaluation_id == f"{2:032x}")
    assert not page.list.isVisible() and page.lists.fold.isVisible()
