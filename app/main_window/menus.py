"""The menu bar, made from the catalog; Alt shows it where the setting hides it."""

from __future__ import annotations

from PySide6.QtWidgets import QMenuBar

from app.actions.catalog import MENUS
from app.actions.registry import ActionRegistry


def fill_menu_bar(bar: QMenuBar, actions: ActionRegistry) -> None:
    """Put every action that names a menu into it, in the order of the catalog."""
    for title in MENUS:
        menu = bar.addMenu(f"&{title}")
        for spec in actions.specs.values():
            if spec.menu == title:
                menu.addAction(actions.action(spec.id))
