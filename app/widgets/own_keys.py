"""Keys that a focused control needs for itself, kept from the page's single-key shortcuts.

Qt first asks the focused widget whether it takes a key that is also a shortcut, and only text fields do. So on a page
where Space, Enter or the arrows are shortcuts, buttons and sliders could not be used by keyboard.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QListView,
    QListWidget,
    QPushButton,
    QTabBar,
    QTextEdit,
    QToolButton,
    QWidget,
)

from app.widgets.containers import Pressable, ScrollColumn
from app.widgets.lazy_part import LazyPart

OPENS_BY_SPACE = "opens_by_space"
"""A property of a list that opens its item by Space, on a page where Enter is always the page's."""
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
_KEYS: tuple[tuple[type[QWidget], tuple[Qt.Key, ...]], ...] = (
    (QAbstractButton, (Qt.Key.Key_Space, *_ENTER)),
    (Pressable, (Qt.Key.Key_Space, *_ENTER)),
    (QAbstractSlider, (*_ARROWS, *_ENDS)),
    (QTabBar, (Qt.Key.Key_Left, Qt.Key.Key_Right, *_ENDS)),
    (QComboBox, (Qt.Key.Key_Space, Qt.Key.Key_Up, Qt.Key.Key_Down, *_ENDS)),
    (QListView, _ENDS),
    (QAbstractItemView, (*_ENTER, *_ENDS)),
    (QTextEdit, _ENDS),
)
"""First match decides."""
_MODIFIERS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


class OwnKeys(QObject):
    """Takes the keys that the watched controls need; make one with the page as its parent.

    Args:
        page: the parent.
        after_click: whether a button keeps its keys also when it got the focus by a click. False where the page is
            used by single keys throughout: a click does not change what they do.
        enter: tells whether Enter belongs to the focused control now. Where Enter submits, it must do so wherever
            the focus is; Space still presses a button and opens an item.
    """

    def __init__(self, page: QWidget, *, after_click: bool = True, enter: Callable[[], bool] = lambda: True) -> None:
        super().__init__(page)
        self._after_click, self._enter, self._clicked = after_click, enter, False

    def keep(self, root: QWidget) -> None:
        """Watch every control under ``root``, those that come later too; call it for others made later."""
        for widget in (root, *root.findChildren(QWidget)):
            if _keys_of(widget):
                widget.installEventFilter(self)
            elif (isinstance(widget, LazyPart) and widget.made is None) or isinstance(widget, ScrollColumn):
                widget.placed.connect(self.keep)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept the key before shortcuts see it; let Enter press a button, which Qt leaves to Space."""
        if not isinstance(event, QKeyEvent):  # every event of a watched control comes here
            if isinstance(event, QFocusEvent) and event.gotFocus():
                self._clicked = event.reason() == Qt.FocusReason.MouseFocusReason
            return False
        if not self._wants(watched, event):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        if isinstance(watched, QAbstractButton) and event.key() in _ENTER:
            if not event.isAutoRepeat():
                watched.click()
            return True
        if watched.property(OPENS_BY_SPACE) and event.key() == Qt.Key.Key_Space and isinstance(watched, QListWidget):
            if (item := watched.currentItem()) is not None and not event.isAutoRepeat():
                watched.itemActivated.emit(item)
            return True
        return False

    def _wants(self, watched: QObject, event: QKeyEvent) -> bool:
        """Whether a watched control takes a key."""
        if event.modifiers() & _MODIFIERS or not isinstance(watched, QWidget) or event.key() not in _keys_of(watched):
            return False
        if event.key() in _ENTER and not self._enter():
            return False
        return self._after_click or not self._clicked or not isinstance(watched, QAbstractButton)


def _keys_of(widget: QWidget) -> tuple[Qt.Key, ...]:
    found = next((keys for kind, keys in _KEYS if isinstance(widget, kind)), ())
    return (*found, Qt.Key.Key_Space) if widget.property(OPENS_BY_SPACE) else found


def press_focused(event: QKeyEvent, inside: QWidget) -> bool:
    """Let Enter press the button that has the focus, which Qt leaves to Space; return whether there was one.

    For what no shortcut took. Of radio buttons and check boxes Enter is not the key.
    """
    button = QApplication.focusWidget()
    if event.key() not in _ENTER or event.modifiers() & _MODIFIERS or not isinstance(button, QPushButton | QToolButton):
        return False
    if not inside.isAncestorOf(button):
        return False
    if not event.isAutoRepeat():
        button.click()
    return True
