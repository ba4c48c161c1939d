"""What a dialog, a key on a focused control or a failed saving must not do to a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from core.domain.changes import Changes
from core.domain.errors import UserError
from core.domain.rubric import ChangeLevel
from tests.fakes.drafts import stored_draft

ANOTHER = "Another pair"


def leave_meanwhile(hands, answer):
    """Return an answer to a question during which the next pair comes onto the desk."""

    def choose(*_args, **_rest):
        hands.page.next_pair()
        return answer

    return choose


@pytest.mark.parametrize("act", ["flag", "cannot_judge", "highlight"])
def test_that_the_answer_to_a_question_never_lands_on_another_pair(sit_down, monkeypatch, act):
    hands = sit_down()
    page = hands.page
    if act == "highlight":
        monkeypatch.setattr(page.panes, "selected", lambda: ("left", 0, 5))
    monkeypatch.setattr(hands.running.dialogs, "choose", leave_meanwhile(hands, 0))
    getattr(page.answering, act)()
    assert not page.desk.touched and ANOTHER in page.bar.line


def test_that_an_edit_never_lands_on_another_pair(sit_down):
    hands = sit_down()
    hands.press(Qt.Key.Key_1)

    def write(dialog):
        dialog.field.setPlainText("Better.")
        hands.page.next_pair()
        return True

    hands.running.dialogs.on_dialog = write
    hands.press(Qt.Key.Key_E)
    assert hands.page.desk.answer.edits == {} and ANOTHER in hands.page.bar.line


@pytest.mark.parametrize("act", ["flag", "cannot_judge", "edit", "rationale", "to_rationale"])
def test_that_nothing_is_submitted_by_itself_while_more_is_being_said(sit_down, monkeypatch, act):
    hands = sit_down()
    page, running = hands.page, []
    page.answering.advance.setInterval(60_000)
    hands.running.context.settings.set("annotate.auto_advance", True)
    for row in page.panel.rows:
        page.answering.rate(row.criterion.id, 0)
    hands.press(Qt.Key.Key_1)
    assert page.answering.advance.isActive()
    look = lambda *_args, **_rest: running.append(page.answering.advance.isActive())  # noqa: E731
    monkeypatch.setattr(hands.running.dialogs, "choose", look)
    monkeypatch.setattr(hands.running.dialogs, "run", look)
    if act == "rationale":
        page.panel.rationale.setPlainText("be")
    else:
        (page.to_rationale if act == "to_rationale" else getattr(page.answering, act))()
    assert not any(running) and not page.answering.advance.isActive()


def test_that_enter_on_a_focused_cross_takes_the_flag_back_and_labels_nothing(sit_down, qtbot):
    hands = sit_down()
    page = hands.page
    page.answering.toggle_flag("pii")
    hands.press(Qt.Key.Key_1)
    cross = next(b for b in page.panel.found.findChildren(type(page.prompt._fold)) if b.accessibleName())
    cross.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(cross, Qt.Key.Key_Return)
    assert page.desk.answer.flags == set() and page.commits.under_way == 0
    assert hands.labels() == []


def test_that_the_cross_of_a_mark_takes_it_back(sit_down, qtbot):
    hands = sit_down()
    page = hands.page
    page.desk.mark("left", 0, 5, "good")
    page.show_answer()
    (cross,) = page.panel.found.findChildren(type(page.prompt._fold))
    qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)
    assert page.desk.answer.spans == []


def test_that_enter_opens_the_highlighted_recent_decision(sit_down, qtbot):
    hands = sit_down()
    done = hands.label(Qt.Key.Key_1)
    recent = hands.page.panel.recent
    hands.reach(lambda: recent.count() == 1)
    recent.setFocus(Qt.FocusReason.TabFocusReason)
    recent.setCurrentRow(0)
    qtbot.keyClick(recent, Qt.Key.Key_Return)
    hands.reach(lambda: hands.page.desk.looking_back is not None)
    assert hands.page.desk.current.pair_id == done.pair_id
    assert not recent.hasFocus(), "Enter amends now"


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_that_the_button_of_an_empty_screen_is_pressed_by_key(sit_down, qtbot, monkeypatch, key):
    hands = sit_down()
    ran = []
    monkeypatch.setattr(hands.running.context.actions, "run", ran.append)
    hands.running.context.session.set_reviewer(None)
    hands.reach(lambda: hands.page._stack.currentIndex() == 0)
    button = hands.page._stack.widget(0).buttons[0]
    qtbot.keyClick(button, key)
    assert ran == ["global.reviewer"]


def test_that_enter_submits_after_a_clause_was_answered_by_mouse(sit_down, qtbot):
    hands = sit_down()
    hands.press(Qt.Key.Key_1)
    left = hands.page.panel.rows[0].choice.buttons()[0]
    qtbot.mouseClick(left, Qt.MouseButton.LeftButton)
    left.clearFocus()
    left.setFocus(Qt.FocusReason.MouseFocusReason)
    first = hands.page.panel.rows[0].criterion.id
    assert hands.page.desk.answer.criteria == {first: -2}
    qtbot.keyClick(left, Qt.Key.Key_Return)
    hands.reach(lambda: hands.page.commits.under_way == 0 and len(hands.labels()) == 1)
    assert first in hands.labels()[0].draft.criteria


def test_that_a_label_whose_saving_failed_is_a_draft_by_the_time_the_window_closes(sit_down, monkeypatch):
    hands = sit_down()
    page, service = hands.page, hands.running.context.services.annotation

    def refuse(uid, draft):
        raise UserError("The disk is full.")

    shown = page.desk.current
    page.panel.rationale.setPlainText("So it is.")
    with monkeypatch.context() as patch:
        patch.setattr(service, "commit", refuse)
        hands.press(Qt.Key.Key_6)
        hands.press(Qt.Key.Key_Return)
        hands.reach(lambda: page.commits.under_way == 0)
    assert page.desk.current is shown and page.desk.touched
    page.can_leave()
    hands.running.settle()
    kept = stored_draft(hands.running.context.services.store, shown.presentation_uid)
    assert (kept["strength"], kept["rationale"]) == (2, "So it is.")


def test_that_a_label_whose_saving_failed_waits_for_its_own_reviewer(sit_down, monkeypatch):
    hands = sit_down()
    page, service = hands.page, hands.running.context.services.annotation
    bo = hands.running.context.services.reviewers.add("bo").value
    shown, session = page.desk.current, hands.running.context.session

    def refuse(uid, draft):
        raise UserError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(service, "commit", refuse)
        hands.press(Qt.Key.Key_6)
        hands.press(Qt.Key.Key_Return)
        session.set_reviewer(bo.id, bo.name)
        hands.reach(lambda: page.desk.current is not None and page.commits.under_way == 0)
        hands.running.settle()
    assert page.queue.settings.reviewer_id == bo.id and page.desk.answer.verdict is None
    assert stored_draft(hands.running.context.services.store, shown.presentation_uid)["strength"] == 2


@pytest.mark.parametrize("leave", ["pause", "undo"])
def test_that_what_was_typed_a_moment_ago_is_kept(sit_down, leave):
    hands = sit_down()
    hands.label(Qt.Key.Key_1)
    shown = hands.page.desk.current
    hands.page.panel.rationale.setPlainText("Half a sent")
    hands.page.leave_field()
    hands.page.pause(True) if leave == "pause" else hands.page.commits.undo()
    hands.running.settle()
    kept = stored_draft(hands.running.context.services.store, shown.presentation_uid)
    assert kept["rationale"] == "Half a sent"


def test_that_saved_is_said_when_everything_is_saved(sit_down):
    hands = sit_down()
    commits, bar = hands.page.commits, hands.page.bar
    commits.under_way = 2
    bar.set_saved("Saving…")
    commits._saved(None)
    assert bar.line == "Saving…"
    commits._saved(None)
    assert bar.line.startswith("Saved")


def test_that_an_earlier_decision_is_shown_under_the_clauses_it_was_made_under(sit_down):
    hands = sit_down()
    page, rubrics = hands.page, hands.running.context.services.rubrics
    old = rubrics.version(page.desk.current.rubric_version_id)
    page.answering.rate(page.panel.rows[0].criterion.id, 2)
    hands.label(Qt.Key.Key_6)
    draft = rubrics.new_draft(old.rubric_id).value
    (clause, *_) = old.body.criteria
    rubrics.save_draft(
        draft.id, replace(draft.body, criteria=(replace(clause, id="other", name="Other"),), priority=())
    )
    new = rubrics.publish(draft.id, ChangeLevel.MAJOR, "Other clauses").value
    page.changed(Changes.RUBRICS)
    hands.reach(lambda: page.panel.version_id == new.id)
    hands.running.settle()
    hands.press(Qt.Key.Key_BracketLeft)
    hands.reach(lambda: page.desk.looking_back is not None)
    assert page.panel.version_id == old.id and old.title in page.bar.line
    assert page.panel.rows[0].choice.value == 2
    hands.press(Qt.Key.Key_BracketRight)
    hands.reach(lambda: page.desk.looking_back is None and page.desk.current is not None)
    assert page.panel.version_id == new.id
