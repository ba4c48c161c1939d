"""People are asked from the page Evaluate, vote blind in Annotate, and the win rate arrives on the tab Votes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.evaluate.length_chart import LengthChart, LengthItem, LengthMark, LengthPicture
from app.evaluate.votes_chart import VoteMark, VotesChart
from core.domain.pair_table import PairFilter
from core.domain.suite import Suite
from tests.app.annotate.conftest import LabelingSession
from tests.app.evaluate.fakes import finish, make_evaluation, make_run, suites

Build = Callable[..., Any]
EVALUATION = f"{1:032x}"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("votes") / "ws"
    make_run(workspace)
    preferences = suites(6)[0]
    finish(make_evaluation(workspace, 1, made=(Suite("asks", 1, preferences.items),)))
    return workspace


def test_that_people_are_asked_vote_blind_and_see_what_the_votes_come_to(
    main_window: Build, measured: Path, qtbot: Any
) -> None:
    running = main_window(workspace=measured)
    services = running.context.services
    ann = services.reviewers.list()[0]
    running.context.session.set_reviewer(ann.id, ann.name)
    page = running.page("evaluate")
    running.context.navigate("evaluate", evaluation_id=EVALUATION)
    qtbot.waitUntil(lambda: page.parts.currentWidget() is page.tabs)
    votes = page.tabs.votes

    def fill(dialog: Any) -> bool:
        dialog.show()
        qtbot.waitUntil(lambda: "6 items, 6 votes in all." in dialog.plan.text())
        assert "Planned n: 194 decisive items detect a win rate of 60 % (power 80 %)." in dialog.plan.text()
        dialog.second.setCurrentText("aligned")
        dialog.start.click()
        assert dialog.error.text() == "Choose two different arms."
        dialog.second.setCurrentText("reference")
        dialog.detects.setCurrentIndex(3)
        dialog.votes.setValue(1)
        qtbot.waitUntil(lambda: "Planned n: 47" in dialog.plan.text())
        dialog.start.click()
        qtbot.waitUntil(lambda: dialog.isHidden())
        return True

    running.dialogs.on_dialog = fill
    page.tabs.setCurrentWidget(votes)
    (button,) = [b for b in votes.nobody.buttons if b.isVisible()]
    button.click()
    qtbot.waitUntil(lambda: votes.data.chosen is not None)
    assert "No item is decided yet" in votes.said.text()

    running.window.activateWindow()
    running.context.actions.run("evaluate.vote")
    session = LabelingSession(running, qtbot)
    session.reach(lambda: session.shown is not None and session.state.choice.kind == "votes")
    session.page.first_focus().setFocus()
    assert session.page.progress.queue.text() == votes.data.chosen.round.name
    for _ in range(2):
        session.label(Qt.Key.Key_1)
    running.context.navigate("evaluate", evaluation_id=EVALUATION)
    page.tabs.setCurrentWidget(votes)
    qtbot.waitUntil(lambda: len(votes.chart.marks) == 2)
    assert votes.cards["path"].table.rowCount() == 2
    won = services.votes.results(votes.data.chosen.round.id).rate
    assert votes.said.text().startswith(f"aligned wins {100 * won.value:.1f} [")
    assert any("at equal style" in row.cells[0] for row in votes.numbers.rows)

    votes.chart.opened.emit(votes.chart.marks[0].key)
    running.settle()
    items = page.tabs.items
    assert page.tabs.currentWidget() is items and items.count.text() == "1 of 6 items"
    gate = page.tabs.gate
    page.tabs.setCurrentWidget(gate)
    qtbot.waitUntil(lambda: gate.decision is not None)
    assert [mark.n for mark in gate.votes.marks] == [1, 2] and "Planned: 47" in gate.votes.accessibleDescription()
    assert gate.votes_card.table.rowCount() == 2
    words = [button.text() for button in gate.banner.buttons]
    assert words[:3] == ["Show what failed", "Vote now", "Open the failures"]
    assert words[3:] == (["What n would decide"] if won.value > 0.5 else []), "no n decides at a half or less"
    gate.votes.opened.emit(gate.votes.marks[0].key)
    qtbot.waitUntil(lambda: items.count.text() == "1 of 6 items")
    assert page.tabs.currentWidget() is items
    items.search.reset()
    items.look_for("pair")
    qtbot.waitUntil(lambda: items.count.text() == "6 of 6 items")
    shown = {row.id: row for row in items._found}
    waiting = [row for row in shown.values() if row.waits_for_vote]
    assert len(waiting) == 4 and all(not row.answers for row in waiting)
    items.panel.show_row(waiting[0])
    assert "You may still vote on this item." in items.panel.left.about.text()
    assert services.pairs.count(PairFilter()) == 6 + 6


def test_that_without_a_published_rubric_asking_people_says_so_before_it_is_pressed(
    main_window: Build, measured: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = main_window(workspace=measured)
    actions, page = running.context.actions, running.page("evaluate")
    with monkeypatch.context() as patch:
        patch.setattr(running.context.services.rubrics, "published", lambda **_: [])
        running.context.navigate("evaluate", evaluation_id=EVALUATION)
        qtbot.waitUntil(lambda: page.parts.currentWidget() is page.tabs)
        votes = page.tabs.votes
        page.tabs.setCurrentWidget(votes)
        qtbot.waitUntil(lambda: actions.why_not("evaluate.ask_people").startswith("No rubric is published."))
        (button,) = votes.nobody.buttons
        assert not button.isEnabled() and "under Rubrics" in button.toolTip() and votes.nobody.refusal.isVisible()
        assert (
            not actions.action("evaluate.ask_people").isEnabled() and not actions.action("evaluate.judge").isEnabled()
        )
        assert "No rubric is published." in votes.ask.toolTip()
    page.refresh()
    qtbot.waitUntil(lambda: actions.action("evaluate.ask_people").isEnabled())
    assert button.isEnabled() and not votes.nobody.refusal.isVisible() and "Not now" not in votes.ask.toolTip()


def test_that_the_chart_tells_its_marks_to_the_keyboard(main_window: Build, tmp_path: Path, qtbot: Any) -> None:
    running = main_window()
    chart = VotesChart(running.context.theme)
    qtbot.addWidget(chart)
    chart.resize(400, 240)
    marks = [VoteMark(n, 60.0, 20.0, 90.0, n, f"item {n}: 60.0 %") for n in (1, 2, 3)]
    chart.show_marks(marks, planned=194, arm="aligned")
    assert chart.accessibleDescription() == "item 3: 60.0 %. Planned: 194 decisive items."
    opened: list[object] = []
    chart.opened.connect(opened.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        qtbot.keyClick(chart, key)
    assert opened == [2] and chart.accessibleDescription() == "item 2: 60.0 %"
    by_length = LengthChart(running.context.theme)
    qtbot.addWidget(by_length)
    by_length.resize(400, 240)
    items = [LengthItem(10.0 * n, 100.0 * (n % 2), n, f"item {n}") for n in (-1, 1, 2)]
    band = [LengthMark(x, 50 + x, 40 + x, 60 + x, f"{x:+.0f} tokens: 50 %, n 3") for x in (-10.0, 20.0)]
    by_length.show_picture(LengthPicture("aligned", band, band, items, 66.7, 50.0))
    assert by_length.accessibleDescription() == "-10 tokens: 50 %, n 3. +20 tokens: 50 %, n 3"
    by_length.opened.connect(opened.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        qtbot.keyClick(by_length, key)
    assert opened == [2, 1], "a tick opens its item"
    by_length.show_picture(LengthPicture())
    by_length.grab()
    assert by_length.spots == []
