"""The base of the window's dialogs: parent, content, a row of buttons, keys and size in one place."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from app.settings.store import Settings
from app.theme.styled_roots import style_window
from app.widgets.buttons import push_button

SCREEN_SHARE = 0.94
"""The largest share of the screen's free width and height that a dialog takes."""
_ENTER = Qt.KeyboardModifier.ControlModifier | Qt.Key.Key_Return


class BaseDialog(QDialog):
    """A dialog with its content in ``column`` and its buttons below.

    Enter presses the main button, Ctrl+Enter does so from a field that needs Enter itself, Escape cancels. No dialog
    is larger than its screen.

    Args:
        parent: a widget of the window; the dialog stands over its window and takes its style sheet.
        title: of the dialog.
        size: in pixels; without it the content decides.
        settings: keeps the size for the next time; None does not keep it.
    """

    def __init__(
        self, parent: QWidget, title: str, *, size: QSize | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__(parent)
        style_window(self)
        self.setWindowTitle(title)
        self._settings = settings
        self._size = self._kept_size() or size
        self.column = QVBoxLayout(self)
        self.buttons = QDialogButtonBox()
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

    def showEvent(self, event: QShowEvent) -> None:
        """Take the wanted size, as far as the screen has room for it."""
        super().showEvent(event)
        if not event.spontaneous():
            room = self.screen().availableSize() * SCREEN_SHARE
            self.resize((self._size or self.size()).boundedTo(room))

    def done(self, result: int) -> None:
        """Close, and keep the size for the next time."""
        if self._settings is not None and self.isVisible():
            self._settings.set_state(self._state_key(self._settings), self.size())
        super().done(result)

    def _kept_size(self) -> QSize | None:
        kept = self._settings.state(self._state_key(self._settings)) if self._settings is not None else None
        return kept if isinstance(kept, QSize) and kept.isValid() else None

    def _state_key(self, settings: Settings) -> str:
        """Return where the size is kept: for each text size its own, since content grows with the text."""
        return f"dialog/{type(self).__name__}/{settings.get('look.zoom')}"
