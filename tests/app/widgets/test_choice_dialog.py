"""The short list: one key takes an item."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget

from app.widgets.choice_dialog import ChoiceDialog

ITEMS = ("Personal data", "Unsafe content", "Truncated answer")


@pytest.fixture
def ask(qtbot, theme):
    """Return a function that shows the dialog: ``ask(keys="PUT")``."""

    window = QWidget()
    qtbot.addWidget(window)

    def show(**options):
        dialog = ChoiceDialog(window, "Flag this pair", "What is wrong with it?", ITEMS, **options)
        dialog.show()
        dialog.list.setFocus()
        return dialog

    return show


def test_that_a_letter_takes_its_item_at_once(ask, qtbot):
    dialog = ask(keys="PUT")
    qtbot.keyClick(dialog.list, Qt.Key.Key_T)
    assert dialog.chosen == 2 and dialog.result() == QDialog.DialogCode.Accepted


def test_that_numbers_take_items_where_no_letters_are_given(ask, qtbot):
    dialog = ask()
    qtbot.keyClick(dialog.list, Qt.Key.Key_2)
    assert dialog.chosen == 1 and dialog.result() == QDialog.DialogCode.Accepted


def test_that_arrows_and_enter_choose_and_escape_does_not(ask, qtbot):
    dialog = ask(current=1)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    assert dialog.chosen == 2 and dialog.result() == QDialog.DialogCode.Accepted
    other = ask()
    qtbot.keyClick(other.list, Qt.Key.Key_Escape)
    assert other.result() == QDialog.DialogCode.Rejected


def test_that_a_key_of_no_item_does_nothing(ask, qtbot):
    dialog = ask(keys="PUT")
    qtbot.keyClick(dialog.list, Qt.Key.Key_9)
    assert dialog.isVisible()
