"""What a dialog, a key on a focused control or a failed commit must not do to a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from core.domain.changes import Changes
from core.domain.errors import UserError
from core.domain.rubric import ChangeLevel

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def refuse_commits(monkeypatch):
    """Return a function that lets no commit of a session succeed, as when the disk is full."""

    def refuse(session):
        def commit(_uid, _draft):
            raise UserError("The disk is full.")

        monkeypatch.setattr(session.service, "commit", commit)

    return refuse


def test_that_an_edit_never_lands_on_another_pair(labeling):
    session = labeling()
    session.press(Qt.Key.Key_1)

    def write_while_the_pair_is_skipped(dialog):
        dialog.field.setPlainText("Better.")
        session.context.actions.run("annotate.skip")
        return True

    session.running.dialogs.on_dialog = write_while_the_pair_is_skipped
    session.press(Qt.Key.Key_E)
    assert session.form.edits == {} and "Another pair" in session.bar.line
    session.running.settle()


def test_that_space_presses_a_focused_button_and_enter_submits_wherever_the_focus_is(labeling, qtbot):
    session = labeling()
    session.running.dialogs.answers.append("Personal data")
    session.press(Qt.Key.Key_F, Qt.Key.Key_1)
    (button,) = session.panel.flags_and_spans.findChildren(QToolButton)
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert session.form.flags == set() and session.labels() == []
    verdict = session.bar.buttons[3]
    verdict.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(verdict, Qt.Key.Key_Return)
    session.stored()
    (label,) = session.labels()
    assert abs(label.draft.strength) == 3 and session.form.verdict is None


def test_that_space_opens_the_selected_recent_decision(labeling, qtbot):
    session = labeling()
    done = session.label(Qt.Key.Key_1)
    recent = session.panel.recent
    session.reach(lambda: recent.count() == 1)
    recent.setFocus(Qt.FocusReason.TabFocusReason)
    recent.setCurrentRow(0)
    qtbot.keyClick(recent, Qt.Key.Key_Space)
    session.reach(lambda: session.state.earlier_id is not None)
    assert session.shown.pair_id == done.pair_id
    assert not recent.hasFocus(), "Enter amends now"


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_that_the_button_of_an_empty_screen_is_pressed_by_key(labeling, qtbot, monkeypatch, key):
    session = labeling()
    ran = []
    monkeypatch.setattr(session.context.actions, "run", ran.append)
    session.context.session.set_reviewer(None)
    session.reach(lambda: session.missing_screen is not None)
    qtbot.keyClick(session.missing_screen.buttons[0], key)
    assert ran == ["global.reviewer"]


def test_that_enter_submits_after_a_criterion_was_answered_by_mouse(labeling, qtbot):
    session = labeling()
    session.press(Qt.Key.Key_1)
    left = session.panel.rows[0].choice.buttons()[0]
    qtbot.mouseClick(left, Qt.MouseButton.LeftButton)
    left.clearFocus()
    left.setFocus(Qt.FocusReason.MouseFocusReason)
    first = session.state.criterion_ids[0]
    assert session.form.criteria == {first: -2}
    qtbot.keyClick(left, Qt.Key.Key_Return)
    session.reach(lambda: session.state.saving == 0 and len(session.labels()) == 1)
    assert first in session.labels()[0].draft.criteria


def test_that_a_label_whose_commit_failed_comes_back_and_is_a_draft_when_the_window_closes(labeling, refuse_commits):
    session = labeling()
    shown = session.shown
    session.write("So it is.")
    refuse_commits(session)
    session.press(Qt.Key.Key_6, Qt.Key.Key_Return)
    session.reach(lambda: session.state.saving == 0)
    assert session.shown is shown and session.form.strength == 2
    assert "Not saved" in session.bar.line
    session.page.can_leave()
    session.running.settle()
    kept = session.draft(shown)
    assert (kept["strength"], kept["rationale"]) == (2, "So it is.")


def test_that_a_label_whose_commit_failed_waits_for_its_own_reviewer(labeling, refuse_commits):
    session = labeling()
    bo = session.context.services.reviewers.add("bo").value
    shown = session.shown
    refuse_commits(session)
    session.press(Qt.Key.Key_6, Qt.Key.Key_Return)
    session.context.session.set_reviewer(bo.id, bo.name)
    session.reach(lambda: session.shown is not None and session.state.saving == 0)
    session.running.settle()
    assert session.state.queue.settings.reviewer_id == bo.id and session.form.verdict is None
    assert session.draft(shown)["strength"] == 2


@pytest.mark.parametrize("leave", ["pause", "undo"])
def test_that_what_was_typed_a_moment_ago_is_kept(labeling, leave):
    session = labeling()
    session.label(Qt.Key.Key_1)
    shown = session.shown
    session.write("Half a sent")
    if leave == "pause":
        session.press(Qt.Key.Key_P)
    else:
        session.press(Qt.Key.Key_Z, modifier=CTRL)
    session.running.settle()
    assert session.draft(shown)["rationale"] == "Half a sent"


def test_that_saved_is_said_when_everything_is_saved(labeling):
    session = labeling()
    saved = []
    session.page.controller.signals.save_state_changed.connect(
        lambda text, _spoken: saved.append((text.split()[0], session.state.saving))
    )
    session.press(Qt.Key.Key_1, Qt.Key.Key_Return, Qt.Key.Key_7, Qt.Key.Key_Return)
    session.stored()
    assert saved == [("Saving…", 1), ("Saving…", 2), ("Saved", 0)] and len(session.labels()) == 2


def test_that_an_earlier_decision_is_shown_under_the_criteria_it_was_made_under(labeling):
    session = labeling()
    page, rubrics = session.page, session.context.services.rubrics
    old = rubrics.version(session.shown.rubric_version_id)
    session.press(Qt.Key.Key_J, Qt.Key.Key_6, *(Qt.Key.Key_K for _ in old.body.criteria))
    session.label(Qt.Key.Key_6)
    draft = rubrics.new_draft(old.rubric_id).value
    (criterion, *_) = old.body.criteria
    other = replace(criterion, id="other", name="Other")
    rubrics.save_draft(draft.id, replace(draft.body, criteria=(other,), priority=()))
    new = rubrics.publish(draft.id, ChangeLevel.MAJOR, "Other criteria").value
    page.changed(Changes.RUBRICS)
    session.reach(lambda: session.panel.version_id == new.id)
    session.running.settle()
    session.look_back()
    assert session.panel.version_id == old.id and old.title in session.bar.line
    assert session.panel.rows[0].choice.value == 2
    session.press(Qt.Key.Key_BracketRight)
    session.reach(lambda: session.state.earlier_id is None and session.shown is not None)
    assert session.panel.version_id == new.id
