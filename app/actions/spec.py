"""What an action is: one row of the catalog."""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = "global"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing a user can do.

    Attributes:
        id: ``place.verb``; the place is where its shortcut works, ``global`` for everywhere.
        title: what it is called in menus and in the palette, in the imperative.
        shortcut: keys in portable form ("Ctrl+K"), several separated by "; ", empty for none.
        icon: a drawing's name, or empty.
        tooltip: one sentence more than the title says; the shortcut is added by itself.
        menu: top menu it stands in, empty for none.
        checkable: whether it is on or off.
        palette: whether the command palette lists it.
        repeats: whether it runs again and again while its key is held down. Off, so that a key that rests
            under a hand never does a thing twice; on for moving about.
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
