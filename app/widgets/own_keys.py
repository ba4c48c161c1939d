"""Keys that a focused control needs for itself, kept from the page's single-key shortcuts.

Qt asks the focused widget first whether it wants a key that is also a shortcut, and only text fields say yes. So on a
page where Space, Enter or the arrows are shortcuts, nobody could press a button or move a slider by keyboard.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QListView,
    QTabBar,
    QTextEdit,
    QWidget,
)

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
_KEYS: tuple[tuple[type[QWidget], tuple[Qt.Key, ...]], ...] = (
    (QAbstractButton, (Qt.Key.Key_Space, *_ENTER)),
    (QAbstractSlider, (*_ARROWS, *_ENDS)),
    (QTabBar, (Qt.Key.Key_Left, Qt.Key.Key_Right, *_ENDS)),
    (QComboBox, (Qt.Key.Key_Space, Qt.Key.Key_Up, Qt.Key.Key_Down, *_ENDS)),
    (QListView, _ENDS),
    (QAbstractItemView, (*_ENTER, *_ENDS)),
    (QTextEdit, _ENDS),
)
"""First match decides. A list leaves Enter to the page, where it names the point under the crosshair."""
_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class OwnKeys(QObject):
    """Says yes for the controls it watches; make one with the page as its parent."""

    def keep(self, root: QWidget) -> None:
        """Watch every control under ``root``; call it again for controls that were made later."""
        for widget in (root, *root.findChildren(QWidget)):
            if _keys_of(widget):
                widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept the key before shortcuts see it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & _MODIFIERS
            if plain and isinstance(watched, QWidget) and event.key() in _keys_of(watched):
                event.accept()
                return True
        return False


def _keys_of(widget: QWidget) -> tuple[Qt.Key, ...]:
    return next((keys for kind, keys in _KEYS if isinstance(widget, kind)), ())
