"""What Annotate leaves out where it is narrow: first words of the header, then the panel beside the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.widgets.labels import Chip

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage


class Folding:
    """Folds when there is too little room and unfolds when there is enough again.

    A panel that the reviewer hid stays hidden, and one that was asked for is shown whatever the room.
    """

    def __init__(self, page: AnnotatePage, desk: QWidget, spare: Sequence[QWidget]) -> None:
        """Args: page: whose parts they are. desk: what stays. spare: parts of the header, least needed first."""
        self._page, self._desk, self._spare = page, desk, spare
        self._by_itself = False
        page.context.theme.changed.connect(page.fit_soon)

    def fit(self) -> None:
        """Fold or unfold for the present width."""
        self._fit_header()
        page = self._page
        side = max(page.side.minimumWidth(), page.side.minimumSizeHint().width())
        narrow = self._room() < self._desk.minimumSizeHint().width() + side
        if narrow != self._by_itself and (page.side.isHidden() == self._by_itself):
            self._by_itself = narrow
            page.side.setVisible(not narrow)
            page.context.actions.set_checked("annotate.panel", not narrow)

    def _fit_header(self) -> None:
        header = self._page.header
        for widget in self._spare:
            widget.setVisible(self._says_something(widget))
        for widget in self._spare:
            if header.minimumSizeHint().width() <= self._room():
                break
            widget.hide()

    def _says_something(self, widget: QWidget) -> bool:
        """Whether a part of the header has anything to show: a chip its text, the bar a queue."""
        return bool(widget.text()) if isinstance(widget, Chip) else self._page.queue is not None

    def _room(self) -> int:
        """Return how wide the window lets the page be; the page itself is never narrower than its parts ask for."""
        page, window = self._page, self._page.window()
        return window.width() - page.mapTo(window, QPoint(0, 0)).x()
