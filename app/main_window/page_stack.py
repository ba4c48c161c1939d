"""The pages of the open workspace: made when first shown, kept until another workspace is opened."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.background.idle_queue import IdleQueue
from app.context import AppContext
from app.main_window.history import History
from app.main_window.page import Page
from app.main_window.page_factory import make_page
from app.places import BY_ID
from core.domain.changes import Changes


class PageStack(QStackedWidget):
    """Shows one page at a time and remembers the way back.

    A page that is not made yet is made, styled and shown in turns of the event loop of their own, one for each of its
    slices and styled parts; the page before stays in front until then.

    ``place_changed(place)`` fires when another page was asked for.
    """

    place_changed = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._pages: dict[str, Page] = {}
        self._making: dict[str, Generator[None, None, Page]] = {}
        self._styled: set[str] = set()
        self._history = History()
        self._opening = IdleQueue(self)
        self._coming, self._items = "", list[dict[str, Any]]()
        self._front = ""

    @property
    def place(self) -> str:
        """The place in front, or the one that is coming there."""
        return self._coming or self._front

    def navigate(self, place: str, **what: Any) -> None:
        """Show a place, and in it the item that the keywords name (see ``Page.show_item``)."""
        self._history.visit(place, what)
        self._go_to(place, what)

    def go(self, step: int) -> None:
        """Go back (-1) or forward (+1); does nothing at the end of the history."""
        if visit := self._history.go(step):
            self._go_to(*visit)

    def page(self, place: str) -> Page:
        """Return the page of a place, made when it is first asked for; one that is coming comes in front at once."""
        if place == self._coming:
            self._arrive()
        return self._ready(place)

    def may_leave(self) -> bool:
        """Ask every page whether it may be left for good."""
        return all(page.can_leave() for page in self._pages.values())

    def handle_changes(self, changes: Changes, initiator: object) -> None:
        """Hand an announcement of the change bus to every page."""
        for page in list(self._pages.values()):
            page.handle_changes(changes, initiator)

    def start_over(self, context: AppContext) -> None:
        """Delete all pages and forget the history: another workspace was opened, or none is."""
        self._forget_coming()
        self._context = context
        context.actions.unbind_places()
        for page in self._pages.values():
            page.on_hidden()
            self.removeWidget(page)
            page.deleteLater()
        self._pages.clear()
        self._making.clear()
        self._styled.clear()
        self._history.clear()
        self._front = ""

    def _go_to(self, place: str, what: dict[str, Any]) -> None:
        """Show a page now if it is made, else in the next turns of the event loop."""
        for name, step in (("back", -1), ("forward", 1)):
            self._context.actions.set_enabled(f"global.{name}", self._history.can(step))
        if place == self._coming:
            self._items.append(what)
            return
        self._forget_coming()
        if place in self._styled:
            self._show(place, what)
            return
        self._coming, self._items = place, [what]
        self.place_changed.emit(place)
        self._opening.add(partial(self._take_step, partial(self._make_slice, place)))

    def _take_step(self, step: Callable[[], object]) -> None:
        """Make a page further; one that cannot be made is left out, so that it can be asked for again."""
        try:
            step()
        except Exception:
            self._forget_coming()
            self.place_changed.emit(self._front)
            raise

    def _forget_coming(self) -> None:
        self._opening.clear()
        self._coming, self._items = "", []

    def _make_slice(self, place: str) -> None:
        """Make the page of a place further; once it is there, style its parts and show it in the next turns."""
        if not self._advance(place):
            steps: list[Callable[[], object]] = [partial(self._make_slice, place)]
        else:
            page = self._pages[place]
            style = self._context.theme.style
            steps = [partial(self._add, place), *(partial(style, part) for part in page.styled_parts()), self._arrive]
        for step in steps:
            self._opening.add(partial(self._take_step, step))

    def _advance(self, place: str) -> bool:
        """Make one slice of a page; return whether the page is whole."""
        if place not in self._pages:
            making = self._making.pop(place, None) or make_page(BY_ID[place], self._context)
            try:
                next(making)
                self._making[place] = making
            except StopIteration as made:
                self._pages[place] = made.value
        return place in self._pages

    def _add(self, place: str) -> None:
        if self.indexOf(self._pages[place]) < 0:
            self._context.theme.style_windows_of(self._pages[place])
            self.addWidget(self._pages[place])

    def _ready(self, place: str) -> Page:
        """Return the page of a place, made and styled."""
        while not self._advance(place):
            pass
        page = self._pages[place]
        if place not in self._styled:
            self._styled.add(place)
            self._add(place)
            for part in page.styled_parts():
                self._style(part)
        return page

    def _style(self, part: QWidget) -> None:
        """Style a part of a page that was not styled in a turn of its own."""
        if not part.styleSheet():
            self._context.theme.style(part)

    def _arrive(self) -> None:
        """Bring the page that is coming to the front, with the items that were asked for meanwhile."""
        place, items = self._coming, self._items
        self._forget_coming()
        if place:
            for what in items:
                self._show(place, what)

    def _show(self, place: str, what: dict[str, Any]) -> None:
        page, old = self._ready(place), self._pages.get(self._front)
        if page is not old:
            if old is not None:
                old.on_hidden()
            self._front = place
            self.setCurrentWidget(page)
            self._context.actions.set_place(place)
            self.place_changed.emit(place)
            page.come_to_front()
            (page.first_focus() or page).setFocus(Qt.FocusReason.OtherFocusReason)
        if what:
            page.show_item(**what)
