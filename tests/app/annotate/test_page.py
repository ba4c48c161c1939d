"""The labelling screen by keyboard, against a real workspace."""

from __future__ import annotations

from PySide6.QtCore import Qt

from core.domain.judgement import Verdict, from_screen

CTRL = Qt.KeyboardModifier.ControlModifier
KEYS = {
    Qt.Key.Key_1: -3,
    Qt.Key.Key_2: -2,
    Qt.Key.Key_3: -1,
    Qt.Key.Key_4: 0,
    Qt.Key.Key_5: 1,
    Qt.Key.Key_6: 2,
    Qt.Key.Key_7: 3,
    Qt.Key.Key_0: None,
}


def test_that_twenty_pairs_are_labelled_by_keys_and_stored_in_canonical_sides(labeling):
    session = labeling()
    keys = (list(KEYS) * 3)[:20]
    given = [(session.label(key), KEYS[key]) for key in keys]
    stored = {label.pair_id: label.draft for label in session.labels()}
    assert len(stored) == 20
    for shown, strength in given:
        draft = stored[shown.pair_id]
        if strength is None:
            assert draft.verdict is Verdict.NEITHER and draft.strength is None
        elif strength == 0:
            assert draft.verdict is Verdict.TIE
        else:
            assert draft.verdict is Verdict.PREFER
            assert draft.strength == from_screen(strength, shown.left_is)
    assert {shown.left_is for shown, _ in given} == {"A", "B"}


def test_that_a_second_enter_labels_nothing(labeling):
    session = labeling()
    session.stop_clock()
    session.press(Qt.Key.Key_1, Qt.Key.Key_Return, Qt.Key.Key_Return)
    session.stored()
    assert len(session.labels()) == 1
    assert session.shown is not None and not session.form.complete


def test_that_undo_brings_the_pair_back_and_redo_labels_it_again(labeling):
    session = labeling()
    shown = session.label(Qt.Key.Key_7)
    following = session.shown.pair_id
    session.press(Qt.Key.Key_Z, modifier=CTRL)
    session.reach(lambda: session.shown.pair_id == shown.pair_id)
    assert session.labels() == []
    assert session.form.strength == 3 and session.shown.left_is == shown.left_is
    session.running.settle()
    session.press(Qt.Key.Key_Y, modifier=CTRL)
    session.reach(lambda: session.shown.pair_id == following)
    assert [label.draft.strength for label in session.labels()] == [from_screen(3, shown.left_is)]


def test_that_undo_in_the_rationale_takes_back_words_and_no_label(labeling):
    session = labeling()
    session.label(Qt.Key.Key_7)
    session.press(Qt.Key.Key_R)
    session.reach(session.panel.rationale.hasFocus)
    session.qtbot.keyClicks(session.panel.rationale, "word")
    session.press(Qt.Key.Key_Z, modifier=CTRL)
    assert session.panel.rationale.toPlainText() == "" == session.form.rationale
    session.running.settle()
    assert len(session.labels()) == 1


def test_that_criteria_and_rationale_are_given_without_the_mouse(labeling):
    session = labeling()
    shown, first = session.shown, session.state.criterion_ids[0]
    session.press(Qt.Key.Key_J)
    assert session.state.focused_id == first
    session.press(Qt.Key.Key_2)
    assert session.form.criteria == {first: -2} and session.form.verdict is None
    while session.state.focused >= 0:
        session.press(Qt.Key.Key_K)
    session.write("7 is shorter")
    assert session.form.verdict is None
    session.label(Qt.Key.Key_6)
    (label,) = session.labels()
    assert label.draft.criteria == {first: from_screen(-2, shown.left_is)}
    assert label.draft.rationale == "7 is shorter"
    assert label.draft.strength == from_screen(2, shown.left_is)


def test_that_saved_is_said_only_after_the_commit(labeling, monkeypatch):
    session = labeling()
    said, commit = [], session.service.commit

    def note_and_commit(uid, draft):
        said.append(session.bar.line)
        return commit(uid, draft)

    monkeypatch.setattr(session.service, "commit", note_and_commit)
    session.press(Qt.Key.Key_6, Qt.Key.Key_Return)
    assert session.bar.line == "Saving…"
    session.stored()
    assert said == ["Saving…"] and session.bar.line.startswith("Saved ")


def test_that_the_page_says_what_is_missing(main_window, tmp_path):
    running = main_window(workspace=tmp_path / "empty", create=True, place="annotate")
    page = running.page("annotate")
    running.settle()
    assert page.state.presentation is None and not page.view.shows_pair
    assert not running.context.actions.action("annotate.submit").isEnabled()


def test_that_the_page_fits_a_small_window(labeling):
    hint = labeling().page.window().minimumSizeHint()
    assert hint.width() <= 1024 and hint.height() <= 700


def test_that_a_scale_of_three_points_offers_three_verdicts(labeling):
    session = labeling(scale=3)
    offered = [strength for strength, button in session.bar.buttons.items() if button.isVisible()]
    assert offered == [-2, 0, 2]
    session.press(Qt.Key.Key_1)
    assert session.form.verdict is None
    session.press(Qt.Key.Key_4)
    assert session.form.verdict is Verdict.TIE
