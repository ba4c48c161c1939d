"""The pages of the open workspace: made when first shown, kept until another workspace is opened."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget

from app.context import AppContext
from app.main_window.history import History
from app.main_window.page import Page
from app.main_window.page_factory import make_page
from app.places import BY_ID
from core.domain.changes import Changes


class PageStack(QStackedWidget):
    """Shows one page at a time and remembers the way back.

    ``place_changed(place)`` fires when another page is in front, before the page reads what it shows.
    """

    place_changed = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._pages: dict[str, Page] = {}
        self._history = History()
        self.place = ""

    def navigate(self, place: str, **what: Any) -> None:
        """Show a place, and in it the item that the keywords name (see ``Page.show_item``)."""
        self._history.visit(place, what)
        self._show(place, what)

    def go(self, step: int) -> None:
        """Go back (-1) or forward (+1); does nothing at the end of the history."""
        if visit := self._history.go(step):
            self._show(*visit)

    def page(self, place: str) -> Page:
        """Return the page of a place, made when it is first asked for."""
        if place not in self._pages:
            page = make_page(BY_ID[place], self._context)
            self._pages[place] = page
            self.addWidget(page)
            self._context.theme.style(page)
        return self._pages[place]

    def may_leave(self) -> bool:
        """Ask every page whether it may be left for good."""
        return all(page.can_leave() for page in self._pages.values())

    def handle_changes(self, changes: Changes, initiator: object) -> None:
        """Hand an announcement of the change bus to every page."""
        for page in list(self._pages.values()):
            page.handle_changes(changes, initiator)

    def start_over(self, context: AppContext) -> None:
        """Delete all pages and forget the history: another workspace was opened, or none is."""
        self._context = context
        context.actions.unbind_places()
        for page in self._pages.values():
            page.on_hidden()
            self.removeWidget(page)
            page.deleteLater()
        self._pages.clear()
        self._history.clear()
        self.place = ""

    def _show(self, place: str, what: dict[str, Any]) -> None:
        page, old = self.page(place), self._pages.get(self.place)
        if page is not old:
            if old is not None:
                old.on_hidden()
            self.place = place
            self.setCurrentWidget(page)
            self._context.actions.set_place(place)
            self.place_changed.emit(place)
            page.come_to_front()
            (page.first_focus() or page).setFocus(Qt.FocusReason.OtherFocusReason)
        if what:
            page.show_item(**what)
        for name, step in (("back", -1), ("forward", 1)):
            self._context.actions.set_enabled(f"global.{name}", self._history.can(step))
