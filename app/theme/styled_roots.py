"""Which widgets carry the style sheet, and in which order they take a new one.

The style sheet is not set on the application but on *roots*: the parts of the window, each page, each dialog. Qt
polishes every widget below a sheet when the sheet changes and again when a widget gets a parent there. With one sheet
for the application a page spent 40 to 150 ms on polishing while it was put together, and a change of theme 200 to
450 ms in one piece. A root is put together without a sheet and styled once, in 2 to 20 ms.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import shiboken6
from PySide6.QtCore import QChildEvent, QEvent, QObject, QSize, Signal
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton, QWidget

from app.background.idle_queue import IdleQueue
from app.theme.icons import Icons, width_beside

ICON_PROPERTY = "icon_px"
_STYLED_BY = "styled_by"
"""Property of a page whose parts carry the style sheet: who styles its windows."""
_ACTIONS = 12
"""Actions of a window that take new icons in one piece; for a new colour that is a file each."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a root takes: the text of the style sheet, and the text zoom for the icons of buttons (1.0 = 100 %)."""

    text: str = ""
    zoom: float = 1.0


class StyledRoots(QObject):
    """Styles roots: the first that is shown at once; the others that are shown, then the hidden ones, in later turns.

    A turn of the event loop takes one root. A hidden one that is shown before its turn is styled then.

    ``shown_styled`` fires after a change, when all that are shown have the new sheet.
    """

    shown_styled = Signal()

    def __init__(self, parent: QObject, icons: Icons) -> None:
        super().__init__(parent)
        self._icons, self._sheet = icons, Sheet()
        self._roots: list[weakref.ref[QWidget]] = []
        self._outdated: list[QWidget] = []
        self._followers: list[weakref.WeakMethod[Callable[[], object]]] = []
        self.queue = IdleQueue(self)

    @property
    def sheet(self) -> Sheet:
        """What roots take now."""
        return self._sheet

    def add(self, root: QWidget) -> None:
        """Style a widget and all in it now and after each change; below a root there is no other root."""
        self._roots = [ref for ref in self._roots if _alive(ref()) and ref() is not root]
        self._roots.append(weakref.ref(root))
        self._style(root)

    def add_windows_of(self, parent: QWidget) -> None:
        """Style each dialog, menu and popup that gets this parent, where no widget above it carries the sheet.

        A dialog that is put together after :func:`style_window` has the buttons of the style in their order.
        """
        parent.setProperty(_STYLED_BY, self)
        parent.installEventFilter(self)

    def follow(self, restyle: Callable[[], object]) -> None:
        """Call a widget's method after each change, as one piece of its own."""
        self._followers = [ref for ref in self._followers if _owner(ref()) is not None]
        self._followers.append(weakref.WeakMethod(restyle))

    def take(self, sheet: Sheet) -> None:
        """Take another sheet; the colours of the icons may have changed too."""
        self._sheet = sheet
        self.queue.clear()
        self._outdated.clear()
        roots = [root for ref in self._roots if (root := ref()) is not None and shiboken6.isValid(root)]
        shown = [root for root in roots if root.isVisible()]
        for root in shown[:1]:
            self._style(root)
        for root in shown[1:]:
            self._style_later(root)
        if len(shown) > 1:
            self.queue.add(self.shown_styled.emit)
        else:
            self.shown_styled.emit()
        self._queue_followers(shown=True)
        for window in QApplication.topLevelWidgets():
            actions = window.actions()
            for first in range(0, len(actions), _ACTIONS):
                self.queue.add(partial(self._icons.follow_actions, actions[first : first + _ACTIONS]), window)
        for root in roots:
            if root not in shown:
                self._style_later(root)
        self._queue_followers(shown=False)

    def _style_later(self, root: QWidget) -> None:
        self._outdated.append(root)
        root.installEventFilter(self)
        self.queue.add(lambda: self._catch_up(root), root)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Style a root that is shown before its turn, and a window that is about to be shown for a part of ours."""
        if event.type() == QEvent.Type.Show and watched in self._outdated:
            self._catch_up(cast(QWidget, watched))
        elif event.type() == QEvent.Type.ChildPolished:
            child = cast(QChildEvent, event).child()
            if isinstance(child, QWidget) and child.isWindow() and not _is_styled(child):
                self.add(child)
        return False

    def fit_icon(self, widget: QWidget) -> None:
        """Give a button with the property ``icon_px`` the icon size of the present zoom."""
        side = widget.property(ICON_PROPERTY)
        if side and isinstance(widget, QAbstractButton):
            pixels = max(1, round(side * self._sheet.zoom))
            wide = width_beside(pixels) if isinstance(widget, QPushButton) else pixels
            widget.setIconSize(QSize(wide, pixels))

    def _catch_up(self, root: QWidget) -> None:
        if root in self._outdated:
            root.removeEventFilter(self)
            self._outdated.remove(root)
            self._style(root)

    def _style(self, root: QWidget) -> None:
        if root.styleSheet() != self._sheet.text:
            root.setStyleSheet(self._sheet.text)
        self.fit_part(root)

    def fit_part(self, part: QWidget) -> None:
        """Give a part that was put below a root, and all in it, the icons of the present colours and zoom."""
        widgets = [part, *part.findChildren(QWidget)]
        self._icons.follow_theme(widgets)
        for widget in widgets:
            self.fit_icon(widget)

    def _queue_followers(self, *, shown: bool) -> None:
        for ref in self._followers:
            method = ref()
            owner = _owner(method)
            if method is not None and owner is not None and owner.isVisible() is shown:
                self.queue.add(method, owner)


def style_window(window: QWidget) -> None:
    """Style a dialog that has a parent and no content yet, where no widget above it carries the style sheet."""
    above = window.parentWidget()
    while above is not None and not above.styleSheet():
        if isinstance(roots := above.property(_STYLED_BY), StyledRoots):
            roots.add(window)
            return
        above = above.parentWidget()


def _is_styled(widget: QWidget | None) -> bool:
    while widget is not None and not widget.styleSheet():
        widget = widget.parentWidget()
    return widget is not None


def _alive(widget: QWidget | None) -> bool:
    return widget is not None and shiboken6.isValid(widget)


def _owner(method: Callable[[], object] | None) -> QWidget | None:
    """Return the widget whose method this is, or None once it is deleted."""
    owner = getattr(method, "__self__", None)
    return owner if isinstance(owner, QWidget) and shiboken6.isValid(owner) else None
