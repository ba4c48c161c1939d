"""Edits, spans, flags and reasons: given by key, stored with the judgement, brought back by undo."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from app.annotate.judgement_form import canonical_side
from core.domain.judgement import CANNOT_JUDGE_REASONS, Verdict

CTRL = Qt.KeyboardModifier.ControlModifier


def keep_text(text):
    """Return an answer to the edit dialog: write ``text`` and keep it."""

    def keep(dialog):
        dialog.field.setPlainText(text)
        return True

    return keep


def test_that_an_edit_is_stored_with_the_judgement_and_comes_back_by_undo(labeling):
    session = labeling()
    shown = session.shown
    session.running.dialogs.on_dialog = keep_text("First, but better.")
    session.press(Qt.Key.Key_2, Qt.Key.Key_E, Qt.Key.Key_Return)
    session.stored()
    (label,) = session.labels()
    assert label.draft.edit == "First, but better."
    assert label.draft.preferred == canonical_side("left", shown.left_is)
    session.press(Qt.Key.Key_Z, modifier=CTRL)
    session.reach(lambda: session.shown.pair_id == shown.pair_id)
    assert session.form.edits == {"left": "First, but better."}
    assert session.labels() == []


def test_that_an_edit_needs_a_preferred_answer_and_stays_with_its_side(labeling):
    session = labeling()
    session.press(Qt.Key.Key_E)
    assert session.running.dialogs.asked == [] and "better answer first" in session.bar.line
    session.running.dialogs.on_dialog = keep_text("Second, improved.")
    session.press(Qt.Key.Key_6, Qt.Key.Key_E)
    session.label(Qt.Key.Key_2)
    (label,) = session.labels()
    assert label.draft.edit is None, "the improved text is of the other answer"


def test_that_an_edit_that_changes_nothing_is_none(labeling):
    session = labeling()
    session.running.dialogs.on_dialog = lambda _: True
    session.press(Qt.Key.Key_1, Qt.Key.Key_E)
    assert session.form.edits == {} and "No edit" in session.bar.line


def test_that_selected_words_become_a_span_by_key_and_are_stored_in_canonical_sides(labeling):
    session = labeling()
    shown = session.shown
    session.press(Qt.Key.Key_H)
    assert session.view.panes.shows_source and session.running.dialogs.asked == []
    session.select("right", 0, 6)
    session.running.dialogs.answers.append("Factual error")
    session.press(Qt.Key.Key_H)
    assert [(s.side, s.start, s.end, s.tag) for s in session.form.spans] == [("right", 0, 6, "error")]
    session.label(Qt.Key.Key_1)
    (label,) = session.labels()
    (span,) = label.draft.spans
    assert (span["side"], span["start"], span["end"]) == (canonical_side("right", shown.left_is), 0, 6)


def test_that_the_button_of_a_span_removes_it(labeling, qtbot):
    session = labeling()
    session.add_span("left", 0, 5, "Good")
    (button,) = session.panel.flags_and_spans.findChildren(QToolButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.form.spans == []


def test_that_edit_and_spans_survive_as_a_draft(labeling):
    session = labeling()
    shown = session.shown
    session.running.dialogs.on_dialog = keep_text("Better.")
    session.press(Qt.Key.Key_2, Qt.Key.Key_E)
    session.add_span("left", 0, 5, "Good")
    session.page.can_leave()
    session.running.settle()
    kept = session.draft(shown)
    assert kept["edits"] == {"left": "Better."} and kept["spans"] == [["left", 0, 5, "good", ""]]


def test_that_cannot_judge_stores_its_reason(labeling):
    session = labeling()
    session.running.dialogs.answers.append(CANNOT_JUDGE_REASONS["language"])
    session.press(Qt.Key.Key_N)
    assert session.bar.line == CANNOT_JUDGE_REASONS["language"]
    session.press(Qt.Key.Key_Return)
    session.stored()
    (label,) = session.labels()
    assert label.draft.verdict is Verdict.CANNOT_JUDGE and label.draft.reason == "language"


def test_that_a_flag_is_set_and_removed(labeling):
    session = labeling()
    session.running.dialogs.answers += [0, 0]
    session.press(Qt.Key.Key_F)
    assert session.form.flags == {"pii"}
    session.press(Qt.Key.Key_F)
    assert session.form.flags == set()
