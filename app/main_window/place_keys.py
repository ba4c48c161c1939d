"""Keys that no widget and no shortcut knew: taken by the place that they have on the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit

from app.actions.physical_keys import is_other_script, meant_by
from app.actions.registry import ActionRegistry


def press_by_place(actions: ActionRegistry, event: QKeyEvent) -> bool:
    """Let a text field edit (copy, undo), else run the action whose keys are meant; return whether either did."""
    if is_other_script(event.key()):
        actions.latin_layout = False
    sign = meant_by(event, latin=actions.latin_layout)
    if not sign:
        return False
    held = event.modifiers()
    if held & Qt.KeyboardModifier.ControlModifier and _edits(sign, held):
        return True
    return actions.press(sign, held, printed=event.text(), repeated=event.isAutoRepeat())


def _edits(sign: str, held: Qt.KeyboardModifier) -> bool:
    """Hand a key to the text field that has the keyboard as Qt does: it says first whether it takes it."""
    field = QApplication.focusWidget()
    if not isinstance(field, QLineEdit | QPlainTextEdit | QTextEdit):
        return False
    question = QKeyEvent(QEvent.Type.ShortcutOverride, ord(sign), held)
    question.ignore()
    QApplication.sendEvent(field, question)
    if not question.isAccepted():
        return False
    QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, ord(sign), held))
    return True
