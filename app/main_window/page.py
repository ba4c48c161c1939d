"""The base of every page: header, body, actions, and when to read again.

A page is a view; it asks a presenter of its own package what to show, and reads or changes the workspace only
through ``context.tasks`` and ``context.ops``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, ClassVar, Self

from PySide6.QtWidgets import QLayout, QPushButton, QVBoxLayout, QWidget

from app.background.idle_queue import IdleQueue
from app.context import AppContext
from app.places import BY_ID
from app.widgets.header import PageHeader
from core.domain.changes import Changes


class Page(QWidget):
    """One place of the window.

    Class attributes to set:
        place: id of its row in ``app.places``, also the first part of its action ids.
        watches: kinds of changes after which ``changed`` is called.
    """

    place: ClassVar[str] = ""
    watches: ClassVar[Changes] = Changes.NOTHING

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.context = context
        self._pending = Changes.NOTHING
        self.setObjectName(f"page_{self.place}")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.header = PageHeader(BY_ID[self.place].title if self.place else "")
        self._column.addWidget(self.header)

    @classmethod
    def made_in_slices(cls, context: AppContext) -> Generator[None, None, Self]:
        """Make the page; one with costly parts yields after each, and goes on in another turn of the event loop."""
        yield from ()
        return cls(context)

    def styled_parts(self) -> Sequence[QWidget]:
        """Return what carries the style sheet: the page, or its parts where it is large.

        A part takes a style sheet in one piece, about 0.2 ms a widget. What lies between the page and its parts must
        look right without one: plain widgets, stacks, scrolled columns and our splitters do.
        """
        return (self,)

    @property
    def is_built(self) -> bool:
        """Whether all parts are made; a page that makes some in later turns of the event loop says when it has."""
        return not any(queue.busy for queue in self.findChildren(IdleQueue))

    def set_body(self, body: QWidget | QLayout, margin: int = 12) -> None:
        """Put the content under the header, ``margin`` pixels from the edges."""
        if isinstance(body, QWidget) and margin == 0:
            self._column.addWidget(body, 1)
            return
        frame = QVBoxLayout()
        frame.setContentsMargins(margin, margin, margin, margin)
        if isinstance(body, QWidget):
            frame.addWidget(body, 1)
        else:
            frame.addLayout(body, 1)
        self._column.addLayout(frame, 1)

    def on(self, action_id: str, handler: Callable[..., object]) -> None:
        """Bind an action of the catalog to a method; a checkable one gets its new state."""
        self.context.actions.bind(action_id, handler)

    def on_shown(self) -> None:
        """Called each time the page comes to the front, before changes that waited for it."""

    def on_hidden(self) -> None:
        """Called when another page comes to the front."""

    def changed(self, changes: Changes, /) -> None:
        """Called with the watched kinds that changed; never while hidden: those wait until the page is shown."""

    def show_item(self, **what: Any) -> None:
        """Show an item: the keywords of ``context.navigate(place, **what)``."""

    def can_leave(self) -> bool:
        """Whether the window may close now; a page with unsaved text asks first."""
        return True

    def first_focus(self) -> QWidget | None:
        """The widget that gets the keyboard when the page is shown; None for the page itself, so that its keys work."""
        return None

    def kept_clear(self) -> list[QWidget]:
        """The controls that notices must never cover: the main buttons that are shown; a page may add its own."""
        buttons = self.findChildren(QPushButton)
        return [button for button in buttons if button.property("kind") == "primary" and button.isVisible()]

    def handle_changes(self, changes: Changes, initiator: object | None) -> None:
        """Call ``changed`` with the watched kinds, or keep them until the page is shown (called by the window)."""
        if wanted := changes & self.watches:
            if initiator is self:
                return
            if self.isVisible():
                self.changed(wanted)
            else:
                self._pending |= wanted

    def come_to_front(self) -> None:
        """Call ``on_shown``, then ``changed`` with what changed while the page was hidden (called by the window)."""
        self.on_shown()
        pending, self._pending = self._pending, Changes.NOTHING
        if pending:
            self.changed(pending)
