"""Texts that are as high as their words, up to a limit, and no higher: for whatever is shown and however wide it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QResizeEvent

from app.widgets.safe_text import SafeText

_ROOM_PX = 6
"""Pixels beyond the lines, so that the last one is not cut by the frame."""


class HeightFit(QObject):
    """Keeps the height of texts: after each rendering, when pictures of formulas arrive, and at each other width.

    Args:
        views: the texts; several ones are as high as the highest of them, beside each other.
        most: returns the largest height in pixels at the present zoom; a longer text scrolls.
    """

    def __init__(self, views: Sequence[SafeText], most: Callable[[], int]) -> None:
        super().__init__(views[0])
        self._views, self._most = tuple(views), most
        self._widths: dict[QObject, int] = {}
        for view in views:
            view.rendered.connect(self.fit)
            view.viewport().installEventFilter(self)

    def fit(self, _rendered: object = None) -> None:
        """Give the texts the height of the highest one now."""
        for view in self._views:
            view.fit_lines()
        highest = max(round(view.document().size().height()) for view in self._views) + _ROOM_PX
        for view in self._views:
            view.setFixedHeight(min(self._most(), highest))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit again where the lines break at another width."""
        if isinstance(event, QResizeEvent) and self._widths.get(watched) != event.size().width():
            self._widths[watched] = event.size().width()
            self.fit()
        return False
