"""A key acts on the pair that is seen, and on no other: pauses, earlier decisions, steps under way, hidden criteria."""

from __future__ import annotations

from threading import Event

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton

from core.domain.judgement import from_screen
from tests.patience import LIMIT_S

CTRL = Qt.KeyboardModifier.ControlModifier
K = Qt.Key


def test_that_a_pause_covers_the_pair_and_takes_no_verdict(labeling):
    session = labeling()
    shown = session.shown
    session.press(K.Key_P)
    cover = session.view.cover
    assert cover.isVisible() and not session.panel.isVisible() and not session.bar.isVisible()
    assert cover.words.startswith("for ") and "P" in cover.button.text() and cover.button.hasFocus()
    session.press(K.Key_1, K.Key_0, K.Key_J, K.Key_S, K.Key_BracketLeft, K.Key_Tab, K.Key_3)
    assert session.shown is shown and session.form.verdict is None and session.state.focused == -1
    session.press(K.Key_P, K.Key_5, K.Key_Return)
    session.stored()
    (label,) = session.labels()
    assert (label.pair_id, label.draft.strength) == (shown.pair_id, from_screen(1, shown.left_is))


def test_that_enter_in_a_pause_goes_on_and_chooses_and_stores_nothing(labeling, qtbot):
    session = labeling()
    session.stop_clock()
    session.press(K.Key_6, K.Key_P)
    qtbot.keyClick(QApplication.focusWidget(), K.Key_Return)
    assert session.view.shows_pair and session.form.strength == 2
    session.press(K.Key_Return)
    session.stored()
    assert session.labels() == [], "the Enter that went on is no answer"
    assert session.view.panes.hasFocus()


def test_that_another_reviewer_ends_the_pause(labeling):
    session = labeling()
    bo = session.context.services.reviewers.add("bo").value
    session.press(K.Key_P)
    session.context.session.set_reviewer(bo.id, bo.name)
    session.reach(lambda: session.shown is not None)
    assert session.view.shows_pair and not session.state.paused


def test_that_two_steps_back_a_and_a_verdict_amend_the_decision_that_is_seen(labeling):
    session = labeling()
    answered = [session.label(key) for key in (K.Key_1, K.Key_2, K.Key_3)]
    present, second = session.shown.pair_id, answered[1]
    session.press(K.Key_BracketLeft, K.Key_BracketLeft, K.Key_A)
    assert session.shown.pair_id == second.pair_id
    assert f"pair {second.pair_id}" in session.view.strip.words and "Amending" in session.view.strip.words
    session.press(K.Key_6)
    assert session.bar.submit.text().startswith("Store the change")
    session.press(K.Key_Return)
    session.stored()
    strengths = {label.pair_id: label.draft.strength for label in session.labels()}
    assert strengths[second.pair_id] == from_screen(2, second.left_is)
    assert strengths == strengths | {
        p.pair_id: from_screen(s, p.left_is) for p, s in zip(answered[::2], (-3, -1), strict=True)
    }
    assert session.shown.pair_id == present and not session.view.strip.isVisible()


def test_that_a_on_an_unchanged_decision_stays_at_it_and_leaving_it_is_said(labeling):
    session = labeling()
    done = session.label(K.Key_1)
    session.press(K.Key_BracketLeft, K.Key_A, K.Key_A)
    assert session.shown.pair_id == done.pair_id and session.state.amending
    session.press(K.Key_7, K.Key_BracketRight)
    assert "not submitted" in session.bar.line and len(session.labels()) == 1
    assert session.labels()[0].draft.strength == from_screen(-3, done.left_is)


def test_that_a_filled_in_pair_that_comes_back_after_an_amendment_is_not_submitted_by_the_next_enter(labeling):
    session = labeling()
    session.context.settings.set("annotate.guard_ms", 0)
    session.label(K.Key_1)
    session.press(K.Key_6, K.Key_BracketLeft, K.Key_7, K.Key_A, K.Key_Return)
    session.stored()
    assert len(session.labels()) == 1 and "Enter submits it" in session.bar.line
    session.label(K.Key_2)
    assert len(session.labels()) == 2


def test_that_a_step_back_right_after_enter_shows_the_judgement_that_is_being_stored(labeling):
    session = labeling()
    shown = session.shown
    session.press(K.Key_1, K.Key_Return, K.Key_BracketLeft, K.Key_7)
    assert session.form.verdict is None, "the key was meant for the pair that is about to be shown"
    session.reach(lambda: session.state.earlier_id is not None)
    assert session.shown.pair_id == shown.pair_id and session.form.strength == -3


def test_that_the_answer_to_another_pair_than_the_one_on_the_screen_is_refused(labeling):
    session = labeling()
    session.press(K.Key_1)
    session.state.on_screen = "another one"
    session.press(K.Key_Return)
    session.stored()
    assert session.labels() == [] and "another pair than the one on the screen" in session.bar.line


def test_that_an_undo_of_the_former_reviewer_shows_the_next_one_nothing(labeling, monkeypatch):
    session = labeling()
    session.label(K.Key_1)
    bo = session.context.services.reviewers.add("bo").value
    undo, gate = session.service.undo, Event()

    def wait_and_undo(reviewer_id):
        assert gate.wait(LIMIT_S)
        return undo(reviewer_id)

    monkeypatch.setattr(session.service, "undo", wait_and_undo)
    session.press(K.Key_Z, modifier=CTRL)
    session.press(K.Key_6, K.Key_Return)
    assert session.form.verdict is None and session.state.saving == 0
    session.context.session.set_reviewer(bo.id, bo.name)
    gate.set()
    session.reach_pair()
    session.running.settle()
    assert session.state.queue.settings.reviewer_id == bo.id and session.form.verdict is None


def test_that_a_criterion_is_brought_into_sight_before_it_is_answered(labeling):
    session = labeling()
    session.context.actions.action("annotate.panel").trigger()
    assert session.view.side.isHidden()
    session.press(K.Key_J)
    assert not session.view.side.isHidden() and session.state.focused == 0
    session.context.actions.action("annotate.panel").trigger()
    assert session.state.focused == -1, "out of sight the keys answer the overall question"
    session.press(K.Key_1)
    assert session.form.criteria == {} and session.form.strength == -3


def test_that_enter_submits_after_the_edit_dialog_was_opened_by_its_button(labeling, qtbot):
    session = labeling()
    session.running.dialogs.on_dialog = lambda dialog: dialog.field.setPlainText("Better.") or True
    session.press(K.Key_1)
    edit = next(b for b in session.view.panes.left.findChildren(QToolButton) if "Edit" in b.accessibleName())
    edit.setFocus(Qt.FocusReason.TabFocusReason)
    session.press(K.Key_E)
    assert session.form.edits == {"left": "Better."}
    qtbot.keyClick(edit, K.Key_Return)
    session.stored()
    assert [label.draft.edit for label in session.labels()] == ["Better."]


@pytest.mark.parametrize("key", [K.Key_W, K.Key_H])
def test_that_a_switch_of_the_view_ends_with_its_pair(labeling, key):
    session = labeling()
    session.press(key)
    assert session.view.panes.shows_source
    session.label(K.Key_1)
    assert session.view.panes.left.text.mode == "rendered"
    assert not session.context.actions.action("annotate.source").isChecked()


def test_that_the_keys_act_on_the_next_pair_after_ctrl_enter_in_the_rationale(labeling, qtbot):
    session = labeling()
    session.press(K.Key_1, K.Key_R)
    session.reach(session.panel.rationale.hasFocus)
    qtbot.keyClicks(session.panel.rationale, "sound")
    session.press(K.Key_Return, modifier=CTRL)
    session.stored()
    session.label(K.Key_5)
    assert [label.draft.rationale for label in session.labels()] == ["", "sound"]
