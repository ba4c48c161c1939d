"""The base of the dialogs: keys, buttons, size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QPlainTextEdit, QWidget

from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.dialog import SCREEN_SHARE, BaseDialog

ACCEPTED, REJECTED = QDialog.DialogCode.Accepted, QDialog.DialogCode.Rejected


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def dialog(window: QWidget, theme: Theme, qtbot: Any) -> BaseDialog:
    """Return a shown dialog with a line, a text and two buttons."""
    made = BaseDialog(window, "Name it")
    for field in (QLineEdit(), QPlainTextEdit()):
        made.column.addWidget(field)
    made.add_buttons("Store")
    with qtbot.waitActive(made):
        made.show()
    made.setResult(-1)
    return made


def test_that_it_stands_over_its_parent_and_has_a_title(dialog: BaseDialog, window: QWidget) -> None:
    assert dialog.parentWidget() is window and dialog.windowTitle() == "Name it"


def test_that_enter_in_a_line_presses_the_main_button(dialog: BaseDialog, qtbot: Any) -> None:
    qtbot.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Return)
    assert dialog.result() == ACCEPTED and not dialog.isVisible()


def test_that_a_text_field_keeps_enter_and_ctrl_enter_presses_the_main_button(dialog: BaseDialog, qtbot: Any) -> None:
    text = dialog.findChild(QPlainTextEdit)
    text.setFocus()
    qtbot.keyClick(text, Qt.Key.Key_Return)
    assert dialog.isVisible() and text.toPlainText() == "\n"
    qtbot.keyClick(text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.result() == ACCEPTED and not dialog.isVisible()


def test_that_a_disabled_main_button_lets_no_key_accept(dialog: BaseDialog, qtbot: Any) -> None:
    for button in dialog.buttons.buttons():
        if button.text() == "Store":
            button.setEnabled(False)
    line = dialog.findChild(QLineEdit)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.keyClick(line, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.isVisible()


def test_that_escape_rejects(dialog: BaseDialog, qtbot: Any) -> None:
    qtbot.keyClick(dialog.findChild(QLineEdit), Qt.Key.Key_Escape)
    assert dialog.result() == REJECTED and not dialog.isVisible()


def test_that_tab_reaches_the_buttons_and_enter_presses_the_one_with_the_focus(dialog: BaseDialog, qtbot: Any) -> None:
    dialog.findChild(QLineEdit).setFocus()
    (cancel,) = [button for button in dialog.buttons.buttons() if button.text() == "Cancel"]
    dialog.findChild(QPlainTextEdit).setTabChangesFocus(True)
    for _ in range(4):
        if dialog.focusWidget() is cancel:
            break
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert dialog.focusWidget() is cancel
    qtbot.keyClick(cancel, Qt.Key.Key_Return)
    assert dialog.result() == REJECTED and not dialog.isVisible()


def test_that_the_main_button_stands_at_the_right(window: QWidget, theme: Theme) -> None:
    theme.style(window)
    dialog = BaseDialog(window, "Name it")
    main = dialog.add_buttons("Store")
    dialog.show()
    (cancel,) = [button for button in dialog.buttons.buttons() if button.text() == "Cancel"]
    assert cancel.x() < main.x()
    dialog.close()


def test_that_a_dialog_that_only_shows_is_closed_by_enter(window: QWidget, theme: Theme, qtbot: Any) -> None:
    dialog = BaseDialog(window, "Keys")
    assert dialog.add_buttons(reject="Close").text() == "Close"
    dialog.show()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not dialog.isVisible()


def test_that_the_size_is_kept_for_the_next_time(window: QWidget, theme: Theme, tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    for wanted, found in ((QSize(400, 300), QSize(400, 300)), (QSize(400, 300), QSize(500, 350))):
        dialog = BaseDialog(window, "Import", size=wanted, settings=settings)
        dialog.show()
        assert dialog.size() == found
        dialog.resize(500, 350)
        dialog.reject()


def test_that_no_dialog_is_larger_than_its_screen(window: QWidget, theme: Theme) -> None:
    dialog = BaseDialog(window, "Freeze", size=QSize(9000, 9000))
    dialog.show()
    room = dialog.screen().availableSize() * SCREEN_SHARE
    assert dialog.size() == room
    dialog.close()
