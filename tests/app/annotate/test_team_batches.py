"""Batches in the window: a new one told before it is made, its policy and progress, what is due, slots handed over."""

from __future__ import annotations

import pytest

from app.annotate.team_batch_form import NewBatchWish, problem_of
from core.domain.errors import BadInput
from tests.app.annotate.test_team import choose, make_team
from tests.fakes.workspaces import fill


def test_that_a_batch_is_planned_made_shown_handed_over_and_labelled(tmp_path, main_window, qtbot):
    path = make_team(tmp_path / "ws")
    running = main_window(workspace=path)
    page, context = running.page("annotate"), running.context
    services = context.services
    fill(services.store, 8, "more")
    ann = services.reviewers.find("Ann")
    services.pairs.tags.change([9, 10, 11], ann.id, add=["hard"])
    context.session.set_reviewer(ann.id, ann.name)
    context.navigate("annotate")
    running.settle()
    choose(page.tabs, "Team")
    view = page.team.view
    qtbot.waitUntil(lambda: view.report is not None)
    assert view.batches.currentText() == "All labels" and not view.policy.isVisible()
    assert not context.actions.action("team.due").isEnabled()

    def new_batch(dialog):
        qtbot.waitUntil(lambda: dialog.plan.text().startswith("10 pairs become"))
        dialog.tag.setCurrentText("hard · 3 pairs")
        qtbot.waitUntil(lambda: dialog.plan.text().startswith("3 pairs become"))
        dialog.tag.setCurrentIndex(0)
        dialog.second.setValue(50)
        dialog.gold.setValue(10)
        qtbot.waitUntil(lambda: "15 slots: 10 first labels + 5 second labels." in dialog.plan.text())
        told = dialog.plan.text()
        assert "Ann gets" in told and "Bo gets" in told and "Fewer gold pairs than wanted: 0 of 1 for Ann" in told
        dialog.order.setCurrentIndex(dialog.order.findData("suspects"))
        qtbot.waitUntil(lambda: dialog.error.text().startswith("This order reads 1 run"))
        assert dialog.labels.currentData() == "any" and not dialog.plan.text()
        assert not dialog.of_runs.isHidden() and not dialog.share.isHidden()
        dialog.order.setCurrentIndex(dialog.order.findData("length"))
        assert dialog.of_runs.isHidden() and not dialog.share.isHidden(), "its random share is a choice, too"
        dialog.order.setCurrentIndex(0)
        assert dialog.share.isHidden()
        dialog.labels.setCurrentIndex(0)
        running.dialogs.answers.append("Close")
        dialog.command.click()
        assert "--second 0.5 --gold 0.1" in running.dialogs.asked[-1]
        dialog.name.setText("June")
        dialog.make.click()
        qtbot.waitUntil(lambda: dialog.result() == 1)
        return True

    running.dialogs.on_dialog = new_batch
    context.actions.run("team.new_batch")
    qtbot.waitUntil(lambda: view.batch is not None and view.policy.isVisible())
    running.settle()
    assert view.batches.currentText() == "June" and view.accounting.adds_up.text() == "✓ adds up by kind and reviewer"
    assert view.accounting.words.text().startswith("15 slots = 0 labelled + 0 skipped + 15 open   ·   10 pairs = 0")
    rows = {row.name: (row.words, row.count) for row in view.policy.rows}
    assert rows["Second label"] == ("50 % at random, kept apart", "5") and rows["Pairs"] == ("not labelled", "10")
    assert view.reviewers.lines[0].progress.startswith("0 labelled + 0 skipped + ")

    context.actions.run("team.due")
    running.settle()
    assert "Nothing is due in June." in [notice.text for notice in context.notices.kept]

    # Bo leaves: the card says so, and Bo's open first and second labels go to Ann.
    bo = services.reviewers.find("Bo").id
    services.reviewers.set_active(bo, False)
    context.actions.run("team.refresh")
    qtbot.waitUntil(lambda: any("Bo is inactive and has" in one for one in view.policy.warnings))

    def hand_over(dialog):
        assert dialog.giver.currentText().endswith("inactive") and dialog.taker.currentText() == "Ann"
        dialog.main.click()
        qtbot.waitUntil(lambda: dialog.result() == 1 or dialog.error.text() != "")
        assert not dialog.error.text()
        return True

    running.dialogs.on_dialog = hand_over
    context.actions.run("team.hand_over")
    running.settle()
    assert services.batches.state(1).by_reviewer["Ann"].open > 8
    context.actions.run("team.work")
    qtbot.waitUntil(lambda: page.state.choice.kind == "batch" and page.state.presentation is not None)
    assert page.state.choice.title == "June" and page.header.isVisible()


def test_that_a_form_says_what_is_missing():
    assert problem_of(NewBatchWish()) == "Publish a rubric that says what better means first, under Rubrics."
    assert problem_of(NewBatchWish(version_id=1)) == "Choose who labels."
    two = NewBatchWish(version_id=1, reviewers=(1,), order="disagreement", runs=("a", "a"))
    assert "choose two different ones" in problem_of(two)
    assert problem_of(NewBatchWish(version_id=1, reviewers=(1,), order="margin", runs=("a", ""))) == ""
    with pytest.raises(BadInput, match="somebody who labels"):
        NewBatchWish(version_id=1).policy()
