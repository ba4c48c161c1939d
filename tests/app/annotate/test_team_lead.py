"""What a lead does in the Team tab: figures of one batch, the quiz, a change of a clause, consent of a reviewer."""

from __future__ import annotations

import pytest

from core.domain.batch import BatchPolicy
from tests.fakes.gold_items import make_gold
from tests.fakes.workspaces import opened, person, prefer


@pytest.fixture
def team(tmp_path, main_window, qtbot):
    """Return a window that shows a team: three gold items, and a batch of two pairs that Ann and Bo labelled."""
    with opened(tmp_path / "ws", 8) as app:
        bo = make_gold(app, 3)["Bo"]
        policy = BatchPolicy((1, bo), limit=2, second_share=1.0, gold_share=0, retest_share=0)
        batch = app.batches.create("Week 1", 1, policy).value.id
        for who in (1, bo):
            queue = app.annotation.open_queue(app.batches.queue(batch, who))
            while shown := app.annotation.next(queue):
                app.annotation.commit(shown[0].presentation_uid, prefer(2, criteria={"help": 2}))
        person(app.store, "Dee")
    running = main_window(workspace=tmp_path / "ws")
    page = running.page("annotate")
    running.context.session.set_reviewer(1, "Ann")
    running.context.navigate("annotate", team=True)
    qtbot.waitUntil(lambda: page.team.view.report is not None)
    running.settle()
    return running, page.team.view


def test_that_the_figures_follow_the_chosen_batch(team, qtbot) -> None:
    _, view = team
    assert view.report.quality.everything.items == 5
    view.batches.setCurrentIndex(1)
    view.batches.activated.emit(1)
    qtbot.waitUntil(lambda: view.report.quality.everything.items == 2)
    assert [line.pairs for line in view.clauses.lines] == ["2", "2"] and view.clauses.lines[0].split == "0 %"
    assert view.reviewers.lines[0].share.endswith("of its labels")
    view.batches.setCurrentIndex(0)
    view.batches.activated.emit(0)
    qtbot.waitUntil(lambda: view.report.quality.everything.items == 5)


def test_that_the_lead_sets_a_quiz_explains_an_item_and_waives_it(team, qtbot) -> None:
    running, view = team
    assert view.quiz.lines[0].startswith("No quiz is set.")

    def lead(dialog) -> bool:
        qtbot.waitUntil(lambda: dialog.choices is not None)
        buttons = {button.text(): button for button in dialog.findChildren(type(dialog.buttons.buttons()[0]))}
        dialog.mark.setValue(60)
        buttons["&Set the quiz"].click()
        qtbot.waitUntil(lambda: dialog.gold.item(0) is not None and dialog.gold.item(0).text().startswith("●"))
        running.dialogs.answers.append("It solves the task.")
        buttons["&Explain…"].click()
        qtbot.waitUntil(lambda: dialog.gold.item(0).text() == "● pair 1: It solves the task.")
        names = [dialog.people.item(n).text() for n in range(dialog.people.count())]
        dialog.people.setCurrentRow(next(n for n, name in enumerate(names) if name.startswith("Dee")))
        running.dialogs.answers.append("Wrote the rubric")
        buttons["&Waive…"].click()
        qtbot.waitUntil(lambda: "Dee: waived by Ann" in [dialog.people.item(n).text() for n in range(4)])
        return True

    running.dialogs.on_dialog = lead
    running.context.actions.run("team.quiz")
    qtbot.waitUntil(lambda: "Dee: waived by Ann" in view.quiz.lines)
    assert view.quiz.lines[0] == "Helpful 1.0.0: 3 items, pass mark 60 %" and "Bo: nothing to ask" in view.quiz.lines


def test_that_a_change_of_a_clause_becomes_the_note_of_the_next_draft(team, qtbot) -> None:
    running, _ = team
    running.dialogs.answers += [0, "Say what helping is."]
    answered = running.dialogs.answers
    running.context.actions.run("team.ask")
    service = running.context.services.rubrics
    qtbot.waitUntil(lambda: len(service.requests()) == 1)
    running.settle()
    (request,) = service.requests()
    assert (request.clause, request.text, request.author_id) == ("help", "Say what helping is.", 1)
    assert request.pair_id in (1, 2, 3) and not answered
