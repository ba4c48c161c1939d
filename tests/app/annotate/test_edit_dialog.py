"""The dialog in which an answer is improved: text that was not changed stays as it is, and no edit is lost unasked."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QWidget

from app.annotate.edit_dialog import EditDialog

ODD = "Two\u00a0words\r\nand a line\r\nof Windows"


@pytest.fixture
def edit_dialog(theme, qtbot):
    """Return a function that makes the dialog."""
    parent = QWidget()
    qtbot.addWidget(parent)

    def make(original, text=None):
        return EditDialog(parent, theme, "left", original, original if text is None else text)

    return make


def test_that_an_untouched_text_comes_back_character_by_character(edit_dialog):
    dialog = edit_dialog(ODD)
    assert dialog.text == ODD and not dialog.changed
    dialog = edit_dialog(ODD, "Else.")
    dialog.reset.click()
    assert dialog.text == ODD


def test_that_typing_leaves_the_rest_of_the_text_as_it_is(edit_dialog):
    dialog = edit_dialog(ODD)
    dialog.field.insertPlainText("x")
    assert dialog.text == "x" + ODD


def test_that_escape_asks_before_writing_is_lost(edit_dialog):
    asked = []
    dialog = edit_dialog("Text")
    dialog.may_lose = lambda: bool(asked.append(True))
    dialog.show()
    dialog.field.insertPlainText("x")
    dialog.reject()
    assert asked == [True] and dialog.isVisible()
    dialog.field.setPlainText("Text")
    dialog.reject()
    assert asked == [True] and not dialog.isVisible()
