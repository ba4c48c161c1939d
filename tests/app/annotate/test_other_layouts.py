"""Labelling on a keyboard whose layout has no Latin letters, or no digits without Shift."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


def test_that_labelling_works_on_a_keyboard_without_latin_letters_or_plain_digits(labeling):
    session = labeling()
    shown = session.shown

    def type_key(key, scan, modifiers=NONE, text=""):
        event = QKeyEvent(QEvent.Type.KeyPress, key, modifiers, scan, 0, 0, text)
        QApplication.sendEvent(QApplication.focusWidget(), event)

    type_key(ord("О"), 44, text="о")  # J
    assert session.state.focused == 0
    type_key(ord("Л"), 45, text="л")  # K
    type_key(ord("-"), 15, text="-")  # 6
    assert session.form.strength == 2
    type_key(ord("К"), 27, text="к")  # R
    session.reach(session.panel.rationale.hasFocus)
    type_key(ord("В"), 40, text="в")
    assert session.panel.rationale.toPlainText() == "в", "in a text field it is a letter"
    type_key(ord("Я"), 52, CTRL)
    assert session.panel.rationale.toPlainText() == ""
    session.press(Qt.Key.Key_Escape)
    session.press(Qt.Key.Key_Return)
    session.stored()
    type_key(ord("Я"), 52, CTRL)
    session.reach(lambda: session.shown.pair_id == shown.pair_id)
    actions = session.context.actions
    assert actions.key_text("annotate.next_criterion") == "О"
    assert actions.key_text("annotate.right2") == "6" and actions.key_text("annotate.undo").startswith("Ctrl+")


WINDOW = {  # what is pressed: key, X11 code and text of J, K, 6 and R, and what J's button is printed with afterwards
    "AZERTY": (("J", 44, "j"), ("K", 45, "k"), ("-", 15, "-"), ("R", 27, "r"), "J"),
    "QWERTZ": (("J", 44, "j"), ("K", 45, "k"), ("6", 15, "6"), ("R", 27, "r"), "J"),
    "Cyrillic": (("О", 44, "о"), ("Л", 45, "л"), ("6", 15, "6"), ("К", 27, "к"), "О"),
    "Greek": (("Ξ", 44, "ξ"), ("Κ", 45, "κ"), ("6", 15, "6"), ("Ρ", 27, "ρ"), "Ξ"),
    "Dvorak": (("J", 54, "j"), ("K", 55, "k"), ("6", 15, "6"), ("R", 32, "r"), "J"),
    "Hebrew": (("ח", 44, "ח"), ("ל", 45, "ל"), ("6", 15, "6"), ("ר", 27, "ר"), "ח"),
    "Turkish": (("J", 44, "j"), ("K", 45, "k"), ("6", 15, "6"), ("R", 27, "r"), "J"),
}


LIKE_OTHERS = ("QWERTZ", "Greek", "Hebrew", "Turkish")  # what is pressed there differs in no kind from the others


@pytest.mark.parametrize(
    "layout", [pytest.param(name, marks=[pytest.mark.slow] * (name in LIKE_OTHERS)) for name in WINDOW]
)
def test_that_a_label_is_given_on_every_layout_and_buttons_print_its_keys(labeling, layout):
    session = labeling()
    down, up, six, rationale, printed = WINDOW[layout]

    def strike(what):
        key, scan, text = what
        event = QKeyEvent(QEvent.Type.KeyPress, ord(key), NONE, scan, 0, 0, text)
        QApplication.sendEvent(QApplication.focusWidget(), event)

    actions = session.context.actions

    def by_letter(what):
        """Press a key; offscreen, Qt looks up no shortcut for a sent event, so one that matches as it is is run."""
        if ord(what[0]) < 0x7F and what[0].isalnum():
            session.press(getattr(Qt.Key, f"Key_{what[0]}"))
        else:
            strike(what)

    by_letter(down)
    assert session.state.focused == 0
    by_letter(up)
    by_letter(six)
    assert session.form.strength == 2
    by_letter(rationale)
    session.reach(session.panel.rationale.hasFocus)
    assert actions.key_text("annotate.next_criterion") == printed
    assert actions.key_text("annotate.right2") == "6"
    if layout == "Hebrew":
        session.press(Qt.Key.Key_Escape)
        strike(("'", 25, "'"))  # at the place of W
        assert session.view.panes.shows_source
