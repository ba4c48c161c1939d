"""What the labelling screen shows of its own state: folds, the header, the verdict buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt


def test_that_the_fold_of_the_prompt_and_its_action_say_the_same(sit_down):
    hands = sit_down()
    action = hands.running.context.actions.action("annotate.prompt")
    hands.page.prompt._fold.click()
    assert not action.isChecked()
    hands.press(Qt.Key.Key_T)
    assert hands.page.prompt._open and action.isChecked()


def test_that_going_to_the_rationale_says_that_the_panel_is_shown(sit_down):
    hands = sit_down()
    action = hands.running.context.actions.action("annotate.panel")
    action.trigger()
    assert hands.page.side.isHidden() and not action.isChecked()
    hands.page.to_rationale()
    assert not hands.page.side.isHidden() and action.isChecked()


def test_that_an_empty_screen_has_no_empty_parts_in_its_header(sit_down):
    hands = sit_down()
    hands.running.context.session.set_reviewer(None)
    hands.reach(lambda: hands.page._stack.currentIndex() == 0)
    assert not hands.page.standing.bar.isVisible()
    hands.page._rubric_chip.setText("")
    hands.page._folding.fit()
    assert not hands.page._rubric_chip.isVisible()


def test_that_the_key_of_a_verdict_is_no_part_of_its_words(sit_down):
    hands = sit_down()
    for button in hands.page.bar.buttons.values():
        button.set_stacked(True)
        assert not any(letter.isdigit() for letter in button.shown_words())
        words, key = button._places()
        assert words.right() < key.left() and words.left() >= 0 and key.right() <= button.width()


def test_that_the_verdicts_are_read_in_full_in_a_small_window(sit_down):
    hands = sit_down()
    hands.page.window().resize(1280, 800)
    words = [button.shown_words() for button in hands.page.bar.buttons.values()]
    assert not any("…" in text for text in words), words
