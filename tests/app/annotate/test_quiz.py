"""The quiz at the screen: an answer, then right or wrong with the reason, until no item is left; and practising."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from core.domain.adjudication import DecisionDraft
from core.domain.judgement import Task
from core.services.annotation.views import QueueSettings
from tests.fakes.workspaces import prefer

TWO, SIX, ENTER = Qt.Key.Key_2, Qt.Key.Key_6, Qt.Key.Key_Return


@pytest.fixture
def session(labeling):
    """Return the screen of mira with two gold items: ann and ben disagreed, and cy decided for answer A."""
    session = labeling(pairs=4)
    app, version = session.context.services, session.state.rubric
    people = [app.reviewers.add(name).value.id for name in ("ann", "ben", "cy")]
    for key, strength, task in zip(people, (-2, 2, -3), (Task.LABEL, Task.LABEL, Task.ADJUDICATE), strict=True):
        queue = app.annotation.open_queue(QueueSettings(key, version.id, task=task))
        for shown in app.annotation.next(queue, 2):
            draft = prefer(strength, rationale="A *answers* the question." if task is Task.ADJUDICATE else "")
            app.annotation.commit(shown.presentation_uid, draft)
            if task is Task.ADJUDICATE:
                app.adjudication.decide(shown.pair_id, version.id, key, DecisionDraft("reviewer_slip", "gold"))
    return session


def test_that_each_answer_is_followed_by_right_or_wrong_and_the_reason_until_the_quiz_is_over(session) -> None:
    service, mode, actions = session.context.services.qualification, session.page.quiz, session.context.actions
    service.set_quiz(session.state.rubric.id, pass_mark=0.5)
    actions.run("annotate.quiz")
    session.reach(lambda: session.shown is not None and session.shown.task is Task.GOLD)
    first = session.shown
    session.press(TWO if first.left_is == "A" else SIX, ENTER)
    session.reach(lambda: mode.on)
    view = mode.view
    assert actions.place == "quiz" and view.verdict.text() == "✓ right"
    assert "The decision: " in view.said.text() and view.said.text().endswith("much better.")
    assert view.why.toPlainText().strip() == "A answers the question." and view.clauses.isHidden()
    assert view.count.text() == "1 of 2 items answered, 1 right"
    session.press(ENTER)
    session.reach(lambda: not mode.on)
    session.reach_pair()
    second = session.shown
    assert second.pair_id != first.pair_id and actions.place == "annotate"
    session.press(SIX if second.left_is == "A" else TWO, ENTER)
    session.reach(lambda: mode.on)
    assert view.verdict.text() == "✕ wrong" and view.count.text() == "passed: 1 of 2 right, pass mark 50 %"
    session.press(ENTER)
    session.reach(lambda: session.missing_screen is not None and not mode.on)
    one = service.of_version(session.state.rubric.id).of(session.context.session.reviewer_id)
    assert one.status == "passed" and one.wrong == (second.pair_id,)


def test_that_the_quiz_stands_under_what_to_label_and_can_be_left_for_pairs(session) -> None:
    session.context.services.qualification.set_quiz(session.state.rubric.id)

    def choose(dialog) -> bool:
        texts = [dialog.kinds.itemText(n) for n in range(dialog.kinds.count())]
        dialog.kinds.setCurrentIndex(texts.index("Quiz of House rules 1.0.0, 2 left"))
        assert not dialog.versions.isEnabled()
        return True

    session.running.dialogs.on_dialog = choose
    session.press(Qt.Key.Key_B, modifier=Qt.KeyboardModifier.ControlModifier)
    session.reach(lambda: session.state.choice.kind == "quiz" and session.shown is not None)
    session.press(TWO, ENTER)
    session.reach(lambda: session.page.quiz.on)
    session.press(Qt.Key.Key_Escape)
    session.reach(lambda: session.state.choice.kind == "all" and session.shown is not None)
    assert not session.page.quiz.on and session.shown.task is Task.LABEL


def test_that_without_a_quiz_and_without_practice_the_screen_says_so(session) -> None:
    for action, title in (
        ("annotate.quiz", "No item of the quiz is left for you"),
        ("annotate.practise", "Nothing is left to practise"),
    ):
        session.context.actions.run(action)
        session.reach(lambda title=title: session.missing_screen is not None and title in _texts(session))


def _texts(session) -> list[str]:
    return [label.text() for label in session.missing_screen.findChildren(QLabel)]
