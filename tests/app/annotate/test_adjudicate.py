"""Adjudication at the screen: first pick blind, then the votes; cause and outcome by keys, undo, amend."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from core.domain.judgement import JudgementDraft, Verdict
from core.services.annotation.views import QueueSettings
from tests.fakes.workspaces import prefer

ONE, TWO, SEVEN, EIGHT = Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_7, Qt.Key.Key_8


@pytest.fixture
def session(labeling):
    """Return the screen of mira, who labelled nothing; ann and ben disagree on three pairs."""
    session = labeling(pairs=3)
    app, version = session.context.services, session.state.rubric
    clause = version.body.criteria[0].id
    for name, sign in (("ann", -1), ("ben", 1)):
        key = app.reviewers.add(name).value.id
        for shown in app.annotation.next(app.annotation.open_queue(QueueSettings(key, version.id)), 3):
            mark = {"side": "A", "start": 0, "end": 6, "tag": "good" if sign < 0 else "unclear"}
            draft = prefer(2 * sign, criteria={clause: sign}, rationale=f"Said by {name}'s hand.", spans=(mark,))
            app.annotation.commit(shown.presentation_uid, draft)
    session.context.actions.run("annotate.adjudicate")
    session.reach(lambda: session.state.queue is not None and session.state.queue.settings.task == "adjudicate")
    session.reach_pair()
    return session


def decisions(session):
    return [one.decision for one in session.context.services.adjudication.conflicts()]


def test_that_the_votes_are_shown_after_the_first_pick_and_decided_by_keys(session) -> None:
    mode, actions = session.page.adjudicate, session.context.actions
    shown = session.shown
    session.press(TWO, Qt.Key.Key_Return)
    session.reach(lambda: mode.on)
    view = mode.view
    assert actions.place == "adjudicate" and "strengths 4 apart" in view.why.text()
    assert view.bar.verdict.text() == "Left better" and view.bar.first.text() == "your first pick stands"
    marks = {one.who: one.strength for one in view.panel.line.marks}
    assert marks["You"] == -2 and {marks["R1"], marks["R2"]} == {-2, 2} and not view.panel.line.apart
    assert "You: Left better" in view.panel.line.accessibleDescription()
    pane = view.panes.left if shown.left_is == "A" else view.panes.right
    assert pane.text.mark_notes in (["R1 good R2 unclear"], ["R1 unclear R2 good"])
    texts = [label.text() for label in view.panel.findChildren(type(view.why)) if label.isVisible()]
    assert {"You", "R1", "R2"} <= set(texts) and "ann" not in {text.lower() for text in texts}
    session.press(Qt.Key.Key_Return)
    assert view.bar.line.text() == "Choose a cause first: keys 1 to 6."
    session.press(TWO, EIGHT)
    assert view.bar.causes["rubric_gap"].isChecked() and view.bar.request.hasFocus()
    session.qtbot.keyClicks(view.bar.request, "Say more.")
    session.press(Qt.Key.Key_Return)
    session.reach(lambda: not mode.on)
    made = next(one for one in decisions(session) if one is not None)
    assert (made.pair_id, made.cause, made.outcome) == (shown.pair_id, "rubric_gap", "change_request")
    (request,) = session.context.services.rubrics.requests()
    assert (request.text, request.clause) == ("Say more.", session.state.rubric.body.criteria[0].id)
    assert session.bar.line == f"Pair {shown.pair_id} decided: rubric change request"
    session.reach_pair()
    assert session.shown.pair_id != shown.pair_id


def test_that_a_verdict_is_amended_a_decision_taken_back_and_then_the_pick(session) -> None:
    mode, first = session.page.adjudicate, session.shown
    session.press(TWO, Qt.Key.Key_Return)
    session.reach(lambda: mode.on)
    session.running.dialogs.answers.append("Neither valid")
    session.press(Qt.Key.Key_A)
    session.reach(lambda: mode.view.bar.verdict.text() == "Neither valid")
    assert mode.view.bar.first.text() == "amended after you saw the votes"
    assert mode.view.panel.line.apart == "You: neither valid"
    session.press(Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    session.reach(lambda: mode.view.bar.verdict.text() == "Left better")
    assert mode.on and mode.view.bar.first.text() == "your first pick stands"
    session.running.dialogs.answers.append("Neither valid")
    session.press(Qt.Key.Key_A)
    session.reach(lambda: mode.view.bar.verdict.text() == "Neither valid")
    session.press(ONE, SEVEN, Qt.Key.Key_Return)
    session.reach(lambda: not mode.on)
    session.press(Qt.Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    session.reach(lambda: mode.on)
    assert mode.controller.shown.opened.pair_id == first.pair_id and not any(decisions(session))
    session.press(Qt.Key.Key_S)
    session.reach(lambda: not mode.on)
    assert session.context.services.adjudication.picked(session.context.session.reviewer_id, session.state.rubric.id)
    (pick,) = session.service.recent(session.context.session.reviewer_id)
    assert pick.draft == JudgementDraft(Verdict.NEITHER, process=pick.draft.process)
