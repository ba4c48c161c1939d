"""Hides what has no room: first parts of the header, then the panel beside the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer, Signal
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True, slots=True)
class OptionalPart:
    """A part of the header that may be hidden; ``is_filled`` tells whether it has anything to show."""

    widget: QWidget
    is_filled: Callable[[], bool]


class ResponsiveLayout(QObject):
    """Hides when there is too little room, and shows again when there is enough.

    A panel that the reviewer hid stays hidden, and one that the reviewer asked for is shown however little room
    there is.

    Args:
        header: the header of the page, as wide as the page.
        body: what always stays, beside the panel.
        panel: what is hidden after the optional parts.
        optional: parts of the header, least needed first.

    Signals:
        panel_shown(bool): the panel was hidden or shown.
        narrowed(bool): there is no room for the panel beside the answers, or there is again.
    """

    panel_shown = Signal(bool)
    narrowed = Signal(bool)

    def __init__(
        self, header: QWidget, body: QWidget, panel: QWidget, optional: Sequence[OptionalPart], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._header, self._body, self._panel, self._optional = header, body, panel, optional
        self._hidden_here = self._narrow = False
        self._tools: tuple[Sequence[QWidget], QWidget | None] = ((), None)
        body.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit again where the body asks for another width than before: its words came, or another text size."""
        if event.type() == QEvent.Type.LayoutRequest and self._body.isVisible() and self._is_narrow() != self._narrow:
            QTimer.singleShot(0, self, self.fit)
        return super().eventFilter(watched, event)

    def fold_tools(self, tools: Sequence[QWidget], menu: QWidget) -> None:
        """Show ``menu`` in place of these tools once the first optional part is hidden and there is still no room."""
        self._tools = tools, menu

    def fit(self) -> None:
        """Hide or show for the present width."""
        self._fit_header()
        panel, narrow = self._panel, self._is_narrow()
        if narrow != self._narrow:
            self._narrow = narrow
            self.narrowed.emit(narrow)
        if narrow != self._hidden_here and panel.isHidden() == self._hidden_here:
            self._hidden_here = narrow
            panel.setVisible(not narrow)
            self.panel_shown.emit(not narrow)

    def _is_narrow(self) -> bool:
        panel_px = max(self._panel.minimumWidth(), self._panel.minimumSizeHint().width())
        return self._room() < self._body.minimumSizeHint().width() + panel_px

    def _fit_header(self) -> None:
        for part in self._optional:
            part.widget.setVisible(part.is_filled())
        self._show_tools(True)
        for place, part in enumerate(self._optional):
            if self._fits():
                break
            part.widget.hide()
            if place == 0 and not self._fits():
                self._show_tools(False)

    def _show_tools(self, on: bool) -> None:
        tools, menu = self._tools
        for tool in tools:
            tool.setVisible(on)
        if menu is not None:
            menu.setVisible(not on)

    def _fits(self) -> bool:
        """Whether the header has everything in one row."""
        return self._header.sizeHint().width() <= self._room()

    def _room(self) -> int:
        """Return the width that the window has for the page. The page is never narrower than its parts ask for."""
        window = self._header.window()
        return window.width() - self._header.mapTo(window, QPoint(0, 0)).x()
