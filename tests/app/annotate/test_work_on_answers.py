"""Edits, marked stretches, flags and reasons: given by key, stored with the judgement, brought back by undo."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor

from app.annotate.answer import canonical_side
from core.domain.judgement import CANNOT_JUDGE_REASONS, Verdict
from tests.fakes.drafts import stored_draft

CTRL = Qt.KeyboardModifier.ControlModifier


def write(text):
    """Return an answer to the edit dialog: write ``text`` and keep it."""

    def keep(dialog):
        dialog.field.setPlainText(text)
        return True

    return keep


def select(pane, start, end):
    """Select a stretch of the shown text."""
    cursor = pane.text.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    pane.text.setTextCursor(cursor)


def test_that_an_edit_is_stored_with_the_judgement_and_comes_back_by_undo(sit_down):
    hands = sit_down()
    shown = hands.page.desk.current
    hands.press(Qt.Key.Key_2)
    hands.running.dialogs.on_dialog = write("First, but better.")
    hands.press(Qt.Key.Key_E)
    hands.press(Qt.Key.Key_Return)
    hands.reach(lambda: hands.page.commits.under_way == 0)
    (label,) = hands.labels()
    assert label.draft.edit == "First, but better."
    assert label.draft.preferred == canonical_side("left", shown.left_is)
    hands.running.settle()
    hands.press(Qt.Key.Key_Z, CTRL)
    hands.reach(lambda: hands.page.desk.current.pair_id == shown.pair_id)
    assert hands.page.desk.answer.edits == {"left": "First, but better."}
    assert hands.labels() == []


def test_that_an_edit_needs_a_preferred_answer_and_stays_with_its_side(sit_down):
    hands = sit_down()
    hands.press(Qt.Key.Key_E)
    assert hands.running.dialogs.asked == [] and "better answer first" in hands.page.bar.line
    hands.press(Qt.Key.Key_6)
    hands.running.dialogs.on_dialog = write("Second, improved.")
    hands.press(Qt.Key.Key_E)
    hands.label(Qt.Key.Key_2)
    (label,) = hands.labels()
    assert label.draft.edit is None, "the improved text is of the other answer"


def test_that_an_edit_that_changes_nothing_is_none(sit_down):
    hands = sit_down()
    hands.press(Qt.Key.Key_1)
    hands.running.dialogs.on_dialog = lambda dialog: True
    hands.press(Qt.Key.Key_E)
    assert hands.page.desk.answer.edits == {}


def test_that_selected_words_are_marked_by_key_and_stored_in_canonical_sides(sit_down):
    hands = sit_down()
    page, shown = hands.page, hands.page.desk.current
    hands.press(Qt.Key.Key_H)
    assert page.panes.shows_source and hands.running.dialogs.asked == []
    select(page.panes.right, 0, 6)
    hands.running.dialogs.answers.append("Factual error")
    hands.press(Qt.Key.Key_H)
    assert [(s.side, s.start, s.end, s.tag) for s in page.desk.answer.spans] == [("right", 0, 6, "error")]
    hands.label(Qt.Key.Key_1)
    (label,) = hands.labels()
    (span,) = label.draft.spans
    assert (span["side"], span["start"], span["end"]) == (canonical_side("right", shown.left_is), 0, 6)


def test_that_a_mark_is_taken_back_by_its_cross(sit_down):
    hands = sit_down()
    hands.page.desk.mark("left", 0, 5, "good")
    hands.page.show_answer()
    hands.page.panel.found.mark_dropped.emit(hands.page.desk.answer.spans[0])
    assert hands.page.desk.answer.spans == []


def test_that_edit_and_marks_survive_as_a_draft(sit_down):
    hands = sit_down()
    page, shown = hands.page, hands.page.desk.current
    hands.press(Qt.Key.Key_2)
    page.desk.mark("left", 0, 5, "good")
    page.desk.set_edit("left", "Better.")
    page.can_leave()
    hands.running.settle()
    kept = stored_draft(hands.running.context.services.store, shown.presentation_uid)
    assert kept["edits"] == {"left": "Better."} and kept["spans"] == [["left", 0, 5, "good", ""]]


def test_that_cannot_judge_stores_its_reason(sit_down):
    hands = sit_down()
    hands.running.dialogs.answers.append(CANNOT_JUDGE_REASONS["language"])
    hands.press(Qt.Key.Key_N)
    assert hands.page.bar.line == CANNOT_JUDGE_REASONS["language"]
    hands.press(Qt.Key.Key_Return)
    hands.reach(lambda: hands.page.commits.under_way == 0)
    (label,) = hands.labels()
    assert label.draft.verdict is Verdict.CANNOT_JUDGE and label.draft.reason == "language"


def test_that_a_flag_is_set_and_taken_back(sit_down):
    hands = sit_down()
    hands.running.dialogs.answers += [0, 0]
    hands.press(Qt.Key.Key_F)
    assert hands.page.desk.answer.flags == {"pii"}
    hands.press(Qt.Key.Key_F)
    assert hands.page.desk.answer.flags == set()
