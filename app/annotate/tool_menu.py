"""The tools of the header as one button with a menu, where there is no room for a button each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QToolButton

from app.actions.registry import ActionRegistry
from app.theme.styled_roots import ICON_PROPERTY
from app.theme.theme import Theme

NAME = "More tools"


class ToolMenu(QToolButton):
    """Shows the actions as a menu."""

    def __init__(self, actions: ActionRegistry, theme: Theme, action_ids: Sequence[str]) -> None:
        super().__init__()
        self.setIcon(theme.icons.icon("more"))
        self.setProperty(ICON_PROPERTY, 20)
        theme.fit_icon(self)
        self.setToolTip(NAME)
        self.setAccessibleName(NAME)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self)
        menu.addActions([actions.action(action_id) for action_id in action_ids])
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.hide()
