"""What an action is: one row of the catalog."""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = "global"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing a user can do.

    Attributes:
        id: ``place.verb``; the place is where its shortcut works, ``global`` for everywhere.
        title: its name in menus and in the palette, in the imperative.
        shortcut: keys in portable form ("Ctrl+K"), several separated by "; ", empty for none.
        icon: a drawing's name, or empty.
        tooltip: a sentence that adds to the title; the shortcut is appended automatically.
        menu: title of its top menu, empty for none.
        checkable: whether it is on or off.
        palette: whether the command palette lists it.
        repeats: whether it runs repeatedly while its key is held down. Off for actions that change something, so
            that a held key never runs one twice; on for moving the focus or the view.
    """

    id: str
    title: str
    shortcut: str = ""
    icon: str = ""
    tooltip: str = ""
    menu: str = ""
    checkable: bool = False
    palette: bool = True
    repeats: bool = False

    @property
    def place(self) -> str:
        """Where it works: ``global`` or a page's place."""
        return self.id.split(".", 1)[0]

    @property
    def keys(self) -> tuple[str, ...]:
        """Its shortcuts, one by one."""
        return tuple(part.strip() for part in self.shortcut.split("; ") if part.strip())
