"""Parts of a page, such as tabs, that are made when they are first shown or asked for.

Most visits of a page see one of its tabs. A part costs 20 to 100 ms of the UI thread, half of it for the style sheet,
so that a page with all its tabs made at once would hold the thread for half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.background.idle_queue import IdleQueue
from app.theme.theme import Theme
from app.widgets.controls import TabWidget

PartT = TypeVar("PartT", bound=QWidget)


class LazyPart(QWidget, Generic[PartT]):
    """The place of one part.

    When the place is first shown, the part is made, put in its place (where it takes the style sheet) and handed to
    ``begin``, each in a turn of the event loop of its own. Who asks for ``part`` before that gets it at once.

    Args:
        theme: gives the buttons of the part their icons.
        make: makes the part.
        begin: connects the part and tells it what to show; called once, when it is in its place.
        queue: makes several parts that are shown at once, one after the other; without it the place has its own.

    Signals:
        placed(QWidget): the part is in its place.
    """

    placed = Signal(QWidget)

    def __init__(
        self,
        theme: Theme,
        make: Callable[[], PartT],
        begin: Callable[[PartT], object] | None = None,
        *,
        queue: IdleQueue | None = None,
    ) -> None:
        super().__init__()
        self._theme, self._make, self._begin = theme, make, begin
        self._unplaced: PartT | None = None
        self._part: PartT | None = None
        self._is_asked_for = self._has_begun = False
        self._queue = queue if queue is not None else IdleQueue(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    @property
    def made(self) -> PartT | None:
        """The part, or None while nobody has needed it."""
        return self._part if self._has_begun else None

    @property
    def part(self) -> PartT:
        """The part, made at once where it is not there yet."""
        self._make_it()
        part = self._place_it()
        self._begin_it()
        return part

    def showEvent(self, event: QShowEvent) -> None:
        """Make the part in the next turns of the event loop."""
        super().showEvent(event)
        if self._part is None and not self._is_asked_for:
            self._is_asked_for = True
            for piece in (self._make_it, self._place_it, self._begin_it):
                self._queue.add(piece, self)

    def _make_it(self) -> None:
        if self._part is None and self._unplaced is None:
            self._unplaced = self._make()

    def _place_it(self) -> PartT:
        if self._part is None:
            assert self._unplaced is not None
            self._part, self._unplaced = self._unplaced, None
            self._column.addWidget(self._part)
            self._part.show()  # the layout would show it in a later turn
            self._theme.fit_part(self._part)
            self.placed.emit(self._part)
        return self._part

    def _begin_it(self) -> None:
        if not self._has_begun and self._part is not None:
            self._has_begun = True
            if self._begin is not None:
                self._begin(self._part)


class LazyTabs(TabWidget):
    """Tabs whose parts are made when they are first shown or asked for."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def add_part(
        self, words: str, make: Callable[[], PartT], begin: Callable[[PartT], object] | None = None
    ) -> LazyPart[PartT]:
        """Append a tab with these words as its title; see :class:`LazyPart`."""
        place = LazyPart(self._theme, make, begin)
        self.addTab(place, words)
        return place

    def currentWidget(self) -> QWidget | None:  # pyright: ignore[reportIncompatibleMethodOverride] - Qt's may be None
        """Return the part in front, None while it is not made."""
        place = super().currentWidget()
        return _made_in(place) if isinstance(place, LazyPart) else place

    def setCurrentWidget(self, widget: QWidget) -> None:
        """Bring a part to the front."""
        place = widget.parentWidget()
        super().setCurrentWidget(place if isinstance(place, LazyPart) else widget)


def _made_in(place: LazyPart[Any]) -> QWidget | None:
    return place.made
