"""The base of the window's dialogs: parent, content, a row of buttons, keys and size in one place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from app.settings.store import Settings
from app.theme.styled_roots import style_window
from app.widgets.buttons import push_button
from app.widgets.typed_words import has_typed_words

SCREEN_SHARE = 0.94
"""The largest share of the screen's free width and height that a dialog takes."""
_ENTER = Qt.KeyboardModifier.ControlModifier | Qt.Key.Key_Return


class _ButtonRow(QDialogButtonBox):
    """The row of buttons. Qt puts it together again for every new style sheet, after which Tab passes over buttons."""

    def changeEvent(self, event: QEvent) -> None:
        """Stay as it is while it is seen: every sheet has the same order of buttons."""
        if event.type() != QEvent.Type.StyleChange or not self.isVisible():
            super().changeEvent(event)


class BaseDialog(QDialog):
    """A dialog with its content in ``column`` and its buttons below.

    Enter presses the main button, Ctrl+Enter does so from a field that needs Enter itself, Escape cancels. The first
    field has the focus. No dialog is larger than its screen.

    Args:
        parent: a widget of the window; the dialog stands over its window and takes its style sheet.
        title: of the dialog.
        size: in pixels; without it the content decides.
        settings: keeps the size for the next time; None does not keep it.

    Attributes:
        may_lose: asked before Escape or Cancel loses typed words; None loses them. ``Dialogs.run`` sets it.
    """

    def __init__(
        self, parent: QWidget, title: str, *, size: QSize | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__(parent)
        style_window(self)
        self.setWindowTitle(title)
        self.may_lose: Callable[[], bool] | None = None
        self._settings = settings
        self._size = self._kept_size() or size
        self.column = QVBoxLayout(self)
        self.buttons: QDialogButtonBox = _ButtonRow()
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def add_buttons(self, accept: str = "", reject: str = "Cancel", *, name: str = "") -> QPushButton:
        """Put the buttons under the content; call it last.

        Args:
            accept: label of the main button; empty where there is nothing to accept, as in a dialog that only shows.
            reject: label of the button that closes without doing anything.
            name: accessible name of the main button when its label says more than that.

        Returns:
            The main button; without ``accept`` the other one. Enter presses it.
        """
        main = cancel = push_button(reject)
        self.buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        if accept:
            main = push_button(accept, "primary", name=name)
            self.buttons.addButton(main, QDialogButtonBox.ButtonRole.AcceptRole)
            QShortcut(QKeySequence(_ENTER), self).activated.connect(main.click)
        self.column.addWidget(self.buttons)
        main.setDefault(True)  # last: a button reaches the dialog only once it is inside
        return main

    @property
    def holds_words(self) -> bool:
        """Whether closing now would lose words that somebody typed."""
        return has_typed_words(self)

    def reject(self) -> None:
        """Close without doing anything; ask first where typed words would be lost."""
        if self.may_lose is None or not self.isVisible() or not self.holds_words or self.may_lose():
            super().reject()

    def showEvent(self, event: QShowEvent) -> None:
        """Take the wanted size, as far as the screen has room for it, and give the first field the focus."""
        super().showEvent(event)
        if not event.spontaneous():
            room = self._room()
            self.setMinimumWidth(min(self.minimumWidth(), room.width()))
            self.resize((self._size or self.size()).boundedTo(room))
            self._grow()
            if self.focusWidget() is None and (first := self._first_field()) is not None:
                first.setFocus()

    def event(self, event: QEvent) -> bool:
        """Grow where the content needs more height than before."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self._grow()
        return done

    def done(self, result: int) -> None:
        """Close, and keep the size for the next time."""
        if self._settings is not None and self.isVisible():
            self._settings.set_state(self._state_key(self._settings), self.size())
        super().done(result)

    def _room(self) -> QSize:
        return self.screen().availableSize() * SCREEN_SHARE

    def _grow(self) -> None:
        """Take the height that lines need which break at this width; Qt asks for it only before a window is shown."""
        least = self.column.totalMinimumHeightForWidth(self.width()) if self.column.hasHeightForWidth() else 0
        if self.height() < (wanted := min(least, self._room().height())):
            self.resize(self.width(), wanted)

    def _first_field(self) -> QWidget | None:
        """Return what Tab reaches first and is no plain button; Enter in it presses the main button."""
        at = self.nextInFocusChain()
        while at is not None and at is not self:
            button = isinstance(at, QPushButton) and not at.isCheckable()
            reached = at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isEnabled() and at.isVisibleTo(self)
            if reached and not button:
                return at
            at = at.nextInFocusChain()
        return None

    def _kept_size(self) -> QSize | None:
        kept = self._settings.state(self._state_key(self._settings)) if self._settings is not None else None
        return kept if isinstance(kept, QSize) and kept.isValid() else None

    def _state_key(self, settings: Settings) -> str:
        """Return where the size is kept: for each text size its own, since content grows with the text."""
        return f"dialog/{type(self).__name__}/{settings.get('look.zoom')}"
