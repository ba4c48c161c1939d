"""The tools of the header as one button with a menu, where there is no room for a button each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton

from app.actions.registry import ActionRegistry
from app.theme.styled_roots import ICON_PROPERTY
from app.theme.theme import Theme

HEADER_ACTIONS = (
    "annotate.layout",
    "annotate.diff",
    "annotate.link",
    "annotate.source",
    "annotate.guide",
    "annotate.queue",
    "global.cheat_sheet",
)
"""Of the labelling screen, in the order of the header."""


class ToolMenu(QToolButton):
    """Shows the actions as a menu; ``name`` is its tooltip and its accessible name."""

    def __init__(self, actions: ActionRegistry, theme: Theme, action_ids: Sequence[str], name: str) -> None:
        super().__init__()
        self.setIcon(theme.icons.icon("more"))
        self.setProperty(ICON_PROPERTY, 20)
        theme.fit_icon(self)
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._actions, self._shown = actions, tuple[str, ...]()
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.show_actions(action_ids)
        self.hide()

    def show_actions(self, action_ids: Sequence[str]) -> None:
        """List these actions; without one the button is hidden."""
        if tuple(action_ids) != self._shown:
            self._shown = tuple(action_ids)
            self._menu.clear()
            self._menu.addActions([self._actions.action(action_id) for action_id in action_ids])
        if self.parentWidget() is not None:  # without one it would be shown as a window of its own
            self.setVisible(bool(action_ids))
