"""Buttons: push buttons in the design's kinds, icon buttons, and buttons that follow an action of the catalog."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QSizePolicy, QToolButton, QWidget

from app.actions.registry import ActionRegistry
from app.theme.icons import width_beside
from app.theme.styled_roots import ICON_PROPERTY
from app.theme.theme import Theme

ICON_GAP_PX = 4
"""What Qt adds to the width of a button for the gap between icon and words."""
ButtonKind = Literal["", "primary", "danger", "flat", "link", "big", "status"]


def push_button(
    text: str,
    kind: ButtonKind = "",
    *,
    theme: Theme | None = None,
    icon: str = "",
    tooltip: str = "",
    name: str = "",
    icon_last: bool = False,
) -> QPushButton:
    """Return a push button.

    Args:
        text: its label.
        kind: primary for the main button of a screen, danger, flat, link, big or status.
        theme: needed for an icon.
        icon: name of a drawing.
        tooltip: one sentence.
        name: accessible name when the label alone does not say enough.
        icon_last: the icon stands behind the label.
    """
    button = QPushButton(text)
    if icon_last:
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    if kind:
        button.setProperty("kind", kind)
    if icon and theme is not None:
        colour = {"primary": "on_accent", "danger": "bad"}.get(kind, "text2")
        button.setIcon(theme.icons.icon(icon, colour, room="left" if icon_last else "right"))
        button.setProperty(ICON_PROPERTY, 18)
        theme.fit_icon(button)
    button.setToolTip(tooltip)
    button.setAccessibleName(name or text or tooltip)
    return button


def icon_button(theme: Theme, icon: str, name: str, *, checkable: bool = False, size: int = 20) -> QToolButton:
    """Return a square button of an icon; ``name`` is its tooltip and its accessible name."""
    button = QToolButton()
    button.setIcon(theme.icons.icon(icon))
    button.setProperty(ICON_PROPERTY, size)
    theme.fit_icon(button)
    button.setCheckable(checkable)
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def action_button(
    actions: ActionRegistry,
    action_id: str,
    *,
    text: str | None = None,
    kind: ButtonKind = "",
    icon_only: bool = False,
    show_key: bool = False,
    theme: Theme | None = None,
) -> QPushButton | QToolButton:
    """Return a button of an action of the catalog: same title, tooltip, icon, state and keys.

    Args:
        actions: the registry.
        action_id: the catalog's id.
        text: another label than the title.
        kind: as in :func:`push_button`.
        icon_only: a square icon button.
        show_key: print the first shortcut behind the label.
        theme: recolours the icon to suit ``kind``.
    """
    action = actions.action(action_id)
    if icon_only:
        return _ActionToolButton(action, actions.specs[action_id].title, theme)
    return ActionButton(actions, action_id, text, kind, show_key, theme)


def show_keys_whole(parent: QWidget) -> None:
    """Make every action's button under a widget as wide as its label with its key, for rows that break where needed."""
    for button in parent.findChildren(ActionButton):
        button.setMinimumWidth(button.sizeHint().width())


class _ActionToolButton(QToolButton):
    """A square button that shows and runs an action."""

    def __init__(self, action: QAction, name: str, theme: Theme | None) -> None:
        super().__init__()
        self.setDefaultAction(action)
        self.setIconSize(QSize(20, 20))
        self.setProperty(ICON_PROPERTY, 20)
        if theme is not None:
            theme.fit_icon(self)
        self.setAccessibleName(name.rstrip("…"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)


class ActionButton(QPushButton):
    """A push button that follows its action."""

    def __init__(
        self,
        actions: ActionRegistry,
        action_id: str,
        text: str | None,
        kind: ButtonKind,
        show_key: bool,
        theme: Theme | None,
    ) -> None:
        super().__init__()
        self._actions, self._id, self._text, self._show_key = actions, action_id, text, show_key
        self._room_for_key = True
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._action = actions.action(action_id)
        if kind:
            self.setProperty("kind", kind)
        if self._action.isCheckable():
            self.setCheckable(True)
        spec = actions.specs[action_id]
        if spec.icon and theme is not None:
            colour = {"primary": "on_accent", "danger": "bad"}.get(kind, "text2")
            self.setIcon(theme.icons.icon(spec.icon, colour, room="right"))
        elif spec.icon:
            self.setIcon(actions.icon_beside_words(action_id))
        self.setIconSize(QSize(width_beside(18), 18))
        self.setProperty(ICON_PROPERTY, 18)
        if theme is not None:
            theme.fit_icon(self)
        self.clicked.connect(self._action.trigger)
        self._action.changed.connect(self._follow)
        actions.keys_changed.connect(self._follow)
        self._follow()

    def minimumSizeHint(self) -> QSize:
        """Ask for the label; the key can be left out."""
        base, keys = super().minimumSizeHint(), self._actions.key_text(self._id)
        if not (self._show_key and self._room_for_key and keys):
            return base
        return QSize(base.width() - self.fontMetrics().horizontalAdvance(f"   {keys}"), base.height())

    def set_room_for_key(self, on: bool) -> None:
        """Leave out the key where there is no room for it; the tooltip has it still."""
        if on != self._room_for_key:
            self._room_for_key = on
            self._follow()

    def width_for(self, *, key: bool, icon_px: int) -> int:
        """Return how wide it would be with or without its key, with an icon of a size or none."""
        keys = self._actions.key_text(self._id) if key and self._show_key else ""
        words = self._label_words()
        text = f"{words}   {keys}" if keys else words
        now = 0 if self.icon().isNull() else self.iconSize().width() + ICON_GAP_PX
        then = 0 if self.icon().isNull() or not icon_px else width_beside(icon_px) + ICON_GAP_PX
        advance = self.fontMetrics().horizontalAdvance
        return super().sizeHint().width() + advance(text) - advance(self.text()) + then - now

    def _label_words(self) -> str:
        return self._text if self._text is not None else self._action.text()

    def set_label(self, text: str) -> None:
        """Take another label than the title."""
        if text != self._text:
            self._text = text
            self._follow()

    def _follow(self) -> None:
        title = self._label_words()
        keys = self._actions.key_text(self._id) if self._show_key and self._room_for_key else ""
        self.setText(f"{title}   {keys}" if keys else title)
        self.setToolTip(self._action.toolTip())
        self.setAccessibleName(title.rstrip("…").replace("&&", "and"))
        self.setEnabled(self._action.isEnabled())
        if self._action.isCheckable():
            self.setChecked(self._action.isChecked())
