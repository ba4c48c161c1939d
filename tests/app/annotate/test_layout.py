"""What the labelling screen shows of itself: folded turns, the header, the verdict buttons, what has no room."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from app.widgets.verdict_button import Wording


def test_that_the_button_of_the_prompt_and_its_action_say_the_same(labeling, qtbot):
    session = labeling()
    action = session.context.actions.action("annotate.prompt")
    (button,) = session.view.prompt.findChildren(QToolButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not action.isChecked()
    session.press(Qt.Key.Key_T)
    assert action.isChecked()


def test_that_going_to_the_rationale_says_that_the_panel_is_shown(labeling):
    session = labeling()
    action = session.context.actions.action("annotate.panel")
    action.trigger()
    assert session.view.side.isHidden() and not action.isChecked()
    session.press(Qt.Key.Key_R)
    assert not session.view.side.isHidden() and action.isChecked()


def test_that_an_empty_screen_has_no_empty_parts_in_its_header(main_window, tmp_path):
    running = main_window(workspace=tmp_path / "empty", create=True, place="annotate")
    progress = running.page("annotate").progress
    running.settle()
    assert not progress.bar.isVisible() and not progress.rubric.isVisible()
    assert progress.blind.isVisible()


def test_that_the_key_of_a_verdict_is_no_part_of_its_label(labeling):
    for button in labeling().bar.buttons.values():
        button.show_as(Wording.TWO_LINES)
        assert not any(letter.isdigit() for letter in button.shown_words())


def test_that_the_verdicts_are_read_in_full_in_a_small_window(labeling):
    session = labeling()
    session.page.window().resize(1280, 800)
    labels = [button.shown_words() for button in session.bar.buttons.values()]
    assert not any("…" in label for label in labels), labels


def test_that_a_notice_never_covers_the_verdict_buttons(labeling):
    session = labeling()
    session.context.notices.post("A run has ended.")
    toast = session.page.window().toasts.toasts[-1]
    bar = session.bar
    assert toast.mapToGlobal(toast.rect().bottomLeft()).y() < bar.mapToGlobal(bar.rect().topLeft()).y()


def test_that_the_panel_is_hidden_where_large_text_leaves_no_room_and_comes_back(labeling):
    session = labeling()
    settings, side = session.context.settings, session.view.side
    session.page.window().resize(1024, 700)
    settings.set("look.zoom", 200)
    session.reach(side.isHidden)
    assert not session.context.actions.action("annotate.panel").isChecked()
    settings.set("look.zoom", 100)
    session.reach(lambda: not side.isHidden())
