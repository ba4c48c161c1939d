"""The flow of labelling: double presses, skipped pairs, looking back, settings, the guide, other queues."""

from __future__ import annotations

from PySide6.QtCore import Qt

from core.domain.judgement import from_screen


def test_that_a_pair_with_a_kept_draft_is_not_submitted_by_a_double_enter(labeling):
    session = labeling()
    session.stop_clock()
    first = session.label(Qt.Key.Key_1)
    session.press(Qt.Key.Key_2)
    session.look_back()
    assert session.shown.pair_id == first.pair_id
    session.press(Qt.Key.Key_7, Qt.Key.Key_Return)
    assert session.form.complete, "the draft stands on the next pair"
    session.press(Qt.Key.Key_Return)
    session.stored()
    assert len(session.labels()) == 1


def test_that_a_held_key_does_not_repeat(labeling):
    actions = labeling().context.actions
    for name in ("submit", "skip", "left1", "neither", "undo"):
        assert not actions.action(f"annotate.{name}").autoRepeat(), name
    assert actions.action("annotate.scroll").autoRepeat()


def test_that_skipped_pairs_come_again_when_the_others_are_done(labeling):
    session = labeling(pairs=3)
    skipped = session.shown.pair_id
    session.press(Qt.Key.Key_S)
    session.running.settle()
    session.label(Qt.Key.Key_1)
    session.label(Qt.Key.Key_1)
    session.reach(lambda: session.missing_screen is not None)
    session.missing_screen.buttons[0].click()
    session.reach_pair()
    assert session.shown.pair_id == skipped
    session.label(Qt.Key.Key_4)
    assert len(session.labels()) == 3


def test_that_looking_back_keeps_what_was_filled_in_and_leads_forward_again(labeling):
    session = labeling()
    done = session.label(Qt.Key.Key_1)
    present = session.shown.pair_id
    session.press(Qt.Key.Key_6)
    session.look_back()
    assert session.shown.pair_id == done.pair_id and session.form.strength == -3
    session.press(Qt.Key.Key_BracketRight)
    assert session.shown.pair_id == present and session.form.strength == 2


def test_that_enter_on_an_unchanged_earlier_decision_amends_nothing(labeling):
    session = labeling()
    done = session.label(Qt.Key.Key_1)
    session.look_back()
    session.press(Qt.Key.Key_Return)
    assert session.state.earlier_id is None and session.shown.pair_id != done.pair_id
    assert session.state.saving == 0


def test_that_a_changed_earlier_decision_is_amended(labeling):
    session = labeling()
    done = session.label(Qt.Key.Key_1)
    session.look_back()
    session.press(Qt.Key.Key_7, Qt.Key.Key_A)
    session.stored()
    (label,) = session.labels()
    assert label.draft.strength == from_screen(3, done.left_is)


def test_that_a_verdict_is_asked_for_before_it_can_be_stored(labeling):
    session = labeling()
    session.press(Qt.Key.Key_Return)
    assert "verdict first" in session.bar.line and session.labels() == []


def test_that_the_verdict_key_submits_by_itself_where_the_setting_says_so(labeling):
    session = labeling()
    session.context.settings.set("annotate.auto_advance", True)
    session.stop_clock()
    first = session.shown.pair_id
    session.rate_all()
    session.press(Qt.Key.Key_1)
    session.reach(lambda: session.shown is not None and session.shown.pair_id != first)
    session.press(Qt.Key.Key_1)
    assert session.form.verdict is None, "the same key, pressed twice"
    session.reach(lambda: len(session.labels()) == 1)


def test_that_settings_of_the_answers_are_in_force_at_once(labeling):
    session = labeling()
    settings, panes = session.context.settings, session.view.panes
    settings.set("annotate.view", "source")
    assert panes.left.text.mode == "source"
    settings.set("annotate.layout", "rows")
    assert panes.orientation() == Qt.Orientation.Vertical
    settings.set("annotate.diff", True)
    assert panes.right.text.mode == "diff"
    assert session.context.actions.action("annotate.diff").isChecked()


def test_that_the_guide_shows_the_rubric_until_the_rationale_is_written(labeling):
    session = labeling()
    session.press(Qt.Key.Key_G)
    guide = session.view.guide
    assert guide.isVisible() and not session.panel.isVisible()
    assert all(c.question in guide.text.toPlainText() for c in session.state.rubric.body.criteria)
    session.press(Qt.Key.Key_J, Qt.Key.Key_R)
    session.reach(session.panel.rationale.hasFocus)
    assert session.panel.isVisible() and not session.context.actions.action("annotate.guide").isChecked()


def test_that_a_bookmarked_pair_says_so_and_can_be_gone_back_to(labeling):
    session = labeling()
    bookmarked = session.shown.pair_id
    session.press(Qt.Key.Key_M, Qt.Key.Key_S)
    session.running.settle()
    assert not session.context.actions.action("annotate.bookmark").isChecked()
    session.page.take_queue("bookmarks")
    session.reach(lambda: session.shown is not None and session.shown.pair_id == bookmarked)
    session.running.settle()
    assert session.context.actions.action("annotate.bookmark").isChecked()


def test_that_a_pair_labelled_already_is_shown_to_be_amended_when_it_is_asked_for(labeling):
    session = labeling()
    done = session.label(Qt.Key.Key_1)
    session.context.navigate("annotate", pair_ids=(done.pair_id,))
    session.reach(lambda: session.state.earlier_id is not None)
    assert session.shown.pair_id == done.pair_id and session.form.strength == -3


def test_that_a_paused_screen_takes_no_answer(labeling):
    session = labeling()
    session.press(Qt.Key.Key_P, Qt.Key.Key_1, Qt.Key.Key_0)
    assert session.form.verdict is None and not session.view.panes.isVisible()
    session.press(Qt.Key.Key_P)
    assert session.view.panes.isVisible()
