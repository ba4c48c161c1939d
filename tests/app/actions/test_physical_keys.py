"""Keys by their place on the keyboard, where the layout has no such letter or digit."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.actions.physical_keys import meant_by, place_of
from app.widgets.choice_dialog import ChoiceDialog

M = Qt.KeyboardModifier
NONE, CTRL, SHIFT = M.NoModifier, M.ControlModifier, M.ShiftModifier


def press(key: int, scan: int, modifiers: Qt.KeyboardModifier = NONE, text: str = "") -> QKeyEvent:
    """Return the event of a key as X11 reports it."""
    return QKeyEvent(QEvent.Type.KeyPress, key, modifiers, scan, 0, 0, text)


@pytest.mark.parametrize(
    ("layout", "key", "scan", "modifiers", "meant"),
    [
        ("AZERTY 6", ord("-"), 15, NONE, "6"),
        ("AZERTY 2", ord("É"), 11, NONE, "2"),
        ("AZERTY 6 with Shift", ord("6"), 15, SHIFT, ""),
        ("AZERTY A", ord("A"), 24, NONE, ""),
        ("AZERTY circumflex", int(Qt.Key.Key_Dead_Circumflex), 34, NONE, "["),
        ("Czech 1", ord("+"), 10, NONE, "1"),
        ("Russian D", ord("В"), 40, NONE, "D"),
        ("Russian J", ord("О"), 44, NONE, "J"),
        ("Russian Ctrl+Z", ord("Я"), 52, CTRL, "Z"),
        ("Russian [", ord("Х"), 34, NONE, "["),
        ("Greek R", ord("Ρ"), 27, NONE, "R"),
        ("Arabic digit", 0x0666, 15, NONE, "6"),
        ("Dvorak J, at the place of C", ord("J"), 54, NONE, ""),
        ("Dvorak apostrophe, at the place of Q", ord("'"), 24, NONE, ""),
        ("US 6", ord("6"), 15, NONE, ""),
        ("US 6 with Shift", ord("^"), 15, SHIFT, ""),
        ("German ü", ord("Ü"), 34, NONE, "["),
        ("German Ctrl+#, at the place of the backslash", ord("#"), 51, CTRL, "\\"),
        ("AZERTY Ctrl+*", ord("*"), 51, CTRL, "\\"),
        ("Russian backslash", ord("\\"), 51, CTRL, ""),
        ("AltGr", ord("@"), 24, M.GroupSwitchModifier, ""),
        ("Return", int(Qt.Key.Key_Return), 36, NONE, ""),
        ("keypad", ord("-"), 82, M.KeypadModifier, ""),
    ],
)
def test_that_a_key_means_what_stands_at_its_place_where_the_layout_has_no_such_key(
    layout, key, scan, modifiers, meant
):
    assert meant_by(press(key, scan, modifiers), "xcb") == meant, layout


def test_that_each_platform_names_places_in_its_own_way():
    assert place_of("wayland", 32, 0) == place_of("windows", 24, 0) == place_of("cocoa", 0, 31) == "O"
    assert place_of("xcb", 9, 0) == "" == place_of("windows", 28, 0)


def test_that_a_choice_takes_its_keys_by_place(theme, qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ChoiceDialog(parent, "Flag", "Which?", ["one", "two", "three"])
    QApplication.sendEvent(dialog.list, press(ord("É"), 11, text="é"))
    assert dialog.chosen == 1 and dialog.result() == 1
