"""Filters of Inspect that were saved for a workspace: which pairs, between which margins, with which words."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QToolButton

from app.context import AppContext
from app.widgets.buttons import icon_button
from app.widgets.labels import short
from core.domain.counting import counted

_MOST, _MOST_LETTERS = 20, 60


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """Pairs of a kind with a margin from ``low`` to ``high`` (None for no bound) whose prompt holds ``words``."""

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    words: str = ""

    def line(self) -> str:
        """Return it as it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def read(cls, line: str) -> SavedFilter | None:
        """Return the filter of a line; None for a line of another form."""
        try:
            row = json.loads(line)
            bounds = [None if row[name] is None else float(row[name]) for name in ("low", "high")]
            return cls(str(row["name"]), str(row["kind"]), bounds[0], bounds[1], str(row["words"]))
        except (ValueError, KeyError, TypeError):
            return None


def bound(value: float) -> float | None:
    """Return a bound as it is kept: None where there is none."""
    return value if math.isfinite(value) else None


class SavedFilters(QObject):
    """The button beside the search: saves what is shown now, and brings it back.

    Attributes:
        button: to be put beside the search.

    Signals:
        wanted(SavedFilter): one was chosen.
        asked(): what is shown now shall be saved; the page answers by :meth:`keep`.
    """

    wanted = Signal(object)
    asked = Signal()

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.button = icon_button(context.theme, "filter", "Saved filters")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.button)
        self._menu.aboutToShow.connect(self.fill)
        self.button.setMenu(self._menu)

    @property
    def _key(self) -> str:
        return f"inspect/filters/{self._context.session.workspace}"

    def kept(self) -> list[SavedFilter]:
        """Return the filters of this workspace, in the order in which they were saved."""
        found = (SavedFilter.read(line) for line in self._context.settings.state_list(self._key))
        return [one for one in found if one is not None]

    def keep(self, kind: str, low: float, high: float, words: str) -> None:
        """Ask for a name and save a filter under it, in place of one with the same name."""
        name = self._context.dialogs.text("Save this filter", "Name", words[:_MOST_LETTERS], accept="Save", needed=True)
        if name is None:
            return
        name = name.strip()
        others = [one for one in self.kept() if one.name != name]
        self._store([*others, SavedFilter(name, kind, bound(low), bound(high), words)][-_MOST:])
        self._context.notices.post(f"Filter “{short(name)}” saved", "ok")

    def remove(self, name: str) -> None:
        """Remove a filter; the notice brings it back."""
        before = self.kept()
        self._store([one for one in before if one.name != name])
        self._context.notices.post(
            f"Filter “{short(name)}” removed", "ok", action="Undo", run=lambda: self._store(before)
        )

    def _store(self, filters: list[SavedFilter]) -> None:
        self._context.settings.set_state(self._key, [one.line() for one in filters])

    def fill(self) -> QMenu:
        """Make the menu anew and return it."""
        menu, found = self._menu, self.kept()
        menu.clear()
        menu.addAction("Save what is shown…", self.asked.emit)
        menu.addSeparator()
        for one in found:
            menu.addAction(_escaped(one.name), lambda wanted=one: self.wanted.emit(wanted))
        if found:
            menu.addSeparator()
            removal = menu.addMenu(f"Remove one of {counted(len(found), 'filter')}")
            for one in found:
                removal.addAction(_escaped(one.name), lambda name=one.name: self.remove(name))
        return menu


def _escaped(name: str) -> str:
    """Return a name whose & is no mnemonic."""
    return short(name, _MOST_LETTERS).replace("&", "&&")
