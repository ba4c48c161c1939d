"""The bar under the texts of an audit and of a decision: choices, a line that tells something, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QIcon

from app.actions.registry import ActionRegistry
from app.theme.theme import Theme
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import Card
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.messages import announce


class TellingBar(Card):
    """A subclass adds its choices, then the lower rows.

    The line shows the last message; without one it says what was stored last.
    """

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(spacing=6)
        self._actions, self._theme = actions, theme
        self._stored = self._message = ""
        self.line = text_label("", "caption", wrap=True)
        self.line.hide()

    def flat(self, action_id: str, words: str) -> ActionButton:
        """Return a button of less weight, with its key."""
        button = action_button(self._actions, action_id, text=words, kind="flat", show_key=True, theme=self._theme)
        assert isinstance(button, ActionButton)  # only one without words is another
        return button

    def add_lower(self, lesser: Sequence[ActionButton], submit: str, words: str) -> ActionButton:
        """Append the line, and a row of lesser buttons with the main one at its right end, which is returned."""
        lower = FlowLayout(spacing=3, row_spacing=4)
        for button in lesser:
            lower.addWidget(button)
        lower.add_gap()
        main = ActionButton(self._actions, submit, words, "primary", True, self._theme)
        main.setIcon(QIcon())
        lower.addWidget(main)
        self.add(self.line)
        self.add(lower)
        return main

    def show_stored(self, words: str) -> None:
        """Say what was stored last."""
        self._stored = words
        self._print()
        announce(self, words)

    def show_message(self, words: str) -> None:
        """Tell something until something else is chosen."""
        self.set_message(words)
        announce(self, words)

    def set_message(self, words: str) -> None:
        """Show something that belongs to what is chosen, or again what was stored; it is not spoken."""
        self._message = words
        self._print()

    def _print(self) -> None:
        text = self._message or self._stored
        self.line.setText(text)
        self.line.setVisible(bool(text))
