"""The flow of labelling: double presses, skipped pairs, looking back, settings, the guide, other queues."""

from __future__ import annotations

from PySide6.QtCore import Qt

from core.domain.judgement import Verdict, from_screen


def test_that_a_pair_with_a_kept_draft_is_not_submitted_by_a_double_enter(sit_down):
    hands = sit_down()
    hands.running.context.settings.set("annotate.guard_ms", 2000)
    hands.page.commits.clock = lambda: 0.0
    desk = hands.page.desk
    desk.ahead[0] = type(desk.ahead[0])(**{**plain(desk.ahead[0]), "draft": {"strength": -3, "verdict": "prefer"}})
    hands.press(Qt.Key.Key_1)
    hands.press(Qt.Key.Key_Return)
    assert desk.answer.complete, "the draft stands on the next pair"
    hands.press(Qt.Key.Key_Return)
    hands.reach(lambda: hands.page.commits.under_way == 0)
    assert len(hands.labels()) == 1


def plain(showing):
    """Return the fields of a frozen showing."""
    return {name: getattr(showing, name) for name in showing.__dataclass_fields__}


def test_that_a_held_key_does_not_repeat(sit_down):
    actions = sit_down().running.context.actions
    for name in ("submit", "skip", "left1", "neither", "undo"):
        assert not actions.action(f"annotate.{name}").autoRepeat(), name
    assert actions.action("annotate.scroll").autoRepeat()


def test_that_skipped_pairs_come_again_when_the_others_are_done(sit_down):
    hands = sit_down(pairs=3)
    skipped = hands.page.desk.current.pair_id
    hands.press(Qt.Key.Key_S)
    hands.running.settle()
    hands.label(Qt.Key.Key_1)
    hands.label(Qt.Key.Key_1)
    hands.reach(lambda: hands.page._stack.currentIndex() == 0)
    hands.page.take_queue("skipped")
    hands.reach(lambda: hands.page.desk.current is not None)
    assert hands.page.desk.current.pair_id == skipped
    hands.label(Qt.Key.Key_4)
    assert len(hands.labels()) == 3


def test_that_looking_back_keeps_what_was_filled_in_and_leads_forward_again(sit_down):
    hands = sit_down()
    done = hands.label(Qt.Key.Key_1)
    present = hands.page.desk.current.pair_id
    hands.press(Qt.Key.Key_6)
    hands.press(Qt.Key.Key_BracketLeft)
    hands.reach(lambda: hands.page.desk.current.pair_id == done.pair_id)
    assert hands.page.desk.answer.strength == -3
    hands.press(Qt.Key.Key_BracketRight)
    assert hands.page.desk.current.pair_id == present and hands.page.desk.answer.strength == 2


def test_that_enter_on_an_unchanged_earlier_decision_amends_nothing(sit_down):
    hands = sit_down()
    done = hands.label(Qt.Key.Key_1)
    hands.press(Qt.Key.Key_BracketLeft)
    hands.reach(lambda: hands.page.desk.looking_back is not None)
    hands.press(Qt.Key.Key_Return)
    assert hands.page.desk.looking_back is None and hands.page.desk.current.pair_id != done.pair_id
    hands.press(Qt.Key.Key_BracketLeft)
    hands.reach(lambda: hands.page.desk.looking_back is not None)
    hands.press(Qt.Key.Key_7)
    hands.press(Qt.Key.Key_A)
    hands.reach(lambda: hands.page.commits.under_way == 0)
    (label,) = hands.labels()
    assert label.draft.strength == from_screen(3, done.left_is)


def test_that_a_verdict_is_asked_for_before_it_can_be_stored(sit_down):
    hands = sit_down()
    hands.press(Qt.Key.Key_Return)
    assert "verdict first" in hands.page.bar.line and hands.labels() == []


def test_that_the_verdict_key_submits_by_itself_where_the_setting_says_so(sit_down):
    hands = sit_down()
    hands.running.context.settings.set("annotate.auto_advance", True)
    hands.running.context.settings.set("annotate.guard_ms", 2000)
    hands.page.commits.clock = lambda: 0.0
    first = hands.page.desk.current.pair_id
    for row in hands.page.panel.rows:
        hands.page.answering.rate(row.criterion.id, 0)
    hands.press(Qt.Key.Key_1)
    hands.reach(lambda: hands.page.desk.current is not None and hands.page.desk.current.pair_id != first)
    hands.press(Qt.Key.Key_1)
    assert hands.page.desk.answer.verdict is None, "the same key, still held by an impatient finger"
    hands.reach(lambda: len(hands.labels()) == 1)


def test_that_settings_of_the_answers_are_in_force_at_once(sit_down):
    hands = sit_down()
    settings, panes = hands.running.context.settings, hands.page.panes
    settings.set("annotate.view", "source")
    assert panes.left.text.mode == "source"
    settings.set("annotate.layout", "rows")
    assert panes.orientation() == Qt.Orientation.Vertical
    settings.set("annotate.diff", True)
    assert panes.right.text.mode == "diff"
    assert hands.running.context.actions.action("annotate.diff").isChecked()


def test_that_the_guide_shows_the_rubric_and_the_focused_clause(sit_down):
    hands = sit_down()
    hands.press(Qt.Key.Key_G)
    text = hands.page.guide.text.toPlainText()
    assert all(row.criterion.question in text for row in hands.page.panel.rows)
    hands.press(Qt.Key.Key_J)
    hands.press(Qt.Key.Key_R)
    hands.reach(hands.page.panel.rationale.hasFocus)
    assert not hands.running.context.actions.action("annotate.guide").isChecked()


def test_that_a_scale_of_three_points_offers_three_verdicts(sit_down):
    hands = sit_down(scale=3)
    shown = [strength for strength, button in hands.page.bar.buttons.items() if button.isVisible()]
    assert shown == [-2, 0, 2]
    hands.press(Qt.Key.Key_1)
    assert hands.page.desk.answer.verdict is None
    hands.press(Qt.Key.Key_4)
    assert hands.page.desk.answer.verdict is Verdict.TIE


def test_that_a_bookmarked_pair_says_so_and_can_be_gone_back_to(sit_down):
    hands = sit_down()
    marked = hands.page.desk.current.pair_id
    hands.press(Qt.Key.Key_M)
    hands.press(Qt.Key.Key_S)
    hands.running.settle()
    assert not hands.running.context.actions.action("annotate.bookmark").isChecked()
    hands.page.take_queue("bookmarks")
    hands.reach(lambda: hands.page.desk.current is not None and hands.page.desk.current.pair_id == marked)
    hands.running.settle()
    assert hands.running.context.actions.action("annotate.bookmark").isChecked()


def test_that_a_pair_labelled_already_is_shown_to_be_amended_when_it_is_asked_for(sit_down):
    hands = sit_down()
    done = hands.label(Qt.Key.Key_1)
    hands.running.context.navigate("annotate", pair_ids=(done.pair_id,))
    hands.reach(lambda: hands.page.desk.looking_back is not None)
    assert hands.page.desk.current.pair_id == done.pair_id and hands.page.desk.answer.strength == -3


def test_that_a_paused_desk_takes_no_answer(sit_down):
    hands = sit_down()
    hands.press(Qt.Key.Key_P)
    for key in (Qt.Key.Key_1, Qt.Key.Key_0):
        hands.press(key)
    assert hands.page.desk.answer.verdict is None and not hands.page.panes.isVisible()
    hands.press(Qt.Key.Key_P)
    assert hands.page.panes.isVisible()


def test_that_a_notice_never_covers_the_verdict_buttons(sit_down):
    hands = sit_down()
    hands.running.context.notices.post("A run has ended.")
    (toast,) = hands.page.window().toasts.toasts
    bar = hands.page.bar
    assert toast.mapToGlobal(toast.rect().bottomLeft()).y() < bar.mapToGlobal(bar.rect().topLeft()).y()


def test_that_the_panel_folds_where_large_text_leaves_no_room_and_comes_back(sit_down, qtbot):
    hands = sit_down()
    settings, page = hands.running.context.settings, hands.page
    settings.set("look.zoom", 175)
    qtbot.waitUntil(lambda: page.side.isHidden())
    assert not hands.running.context.actions.action("annotate.panel").isChecked()
    settings.set("look.zoom", 100)
    qtbot.waitUntil(lambda: not page.side.isHidden())
