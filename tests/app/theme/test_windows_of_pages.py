from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.dialog import BaseDialog


def page_with_styled_parts(theme: Theme, qtbot: Any) -> QWidget:
    page, part = QWidget(), QPushButton("A part")
    qtbot.addWidget(page)
    QVBoxLayout(page).addWidget(part)
    theme.style_windows_of(page)
    theme.style(part)
    return page


def test_that_a_dialog_of_a_page_without_a_sheet_of_its_own_is_styled_from_its_beginning(
    theme: Theme, qtbot: Any
) -> None:
    page = page_with_styled_parts(theme, qtbot)
    dialog = BaseDialog(page, "Fork")
    assert not page.styleSheet() and dialog.styleSheet()
    before = dialog.styleSheet()
    theme.apply("dark", 100)
    dialog.show()
    qtbot.waitUntil(lambda: theme.settled)
    assert dialog.styleSheet() not in ("", before)


def test_that_a_menu_of_such_a_page_is_styled_when_it_is_shown(theme: Theme, qtbot: Any) -> None:
    page = page_with_styled_parts(theme, qtbot)
    menu = QMenu(page)
    menu.addAction("Export")
    menu.show()
    assert menu.styleSheet()
    menu.close()


def test_that_a_dialog_below_a_sheet_takes_that_one(theme: Theme, qtbot: Any) -> None:
    page = page_with_styled_parts(theme, qtbot)
    part = page.findChild(QPushButton)
    assert part is not None and not BaseDialog(part, "Fork").styleSheet()
