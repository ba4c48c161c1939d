"""The head of a plot: its colours and title, the newest values, and what can be done with this one plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMenu, QToolButton, QWidget

from app.theme.theme import Theme
from app.widgets.buttons import icon_button
from app.widgets.containers import Swatch
from app.widgets.labels import ElideLabel, text_label

_WIDE = 420
"""Pixels from which there is room for a button of its own; below it, the menu has the entry."""
_SPARE = 4
"""Pixels that a value leaves free: the label rounds its width otherwise than the words are measured."""
MENU_ENTRIES: tuple[tuple[str, str], ...] = (
    ("copy_picture", "Copy picture"),
    ("copy_values", "Copy values"),
    ("png", "Save as PNG…"),
    ("svg", "Save as SVG…"),
    ("csv", "Save as CSV…"),
)
_DRAG = "Drag to move the plot"


class PlotHead(QWidget):
    """A line above a plot.

    Signals:
        menu_requested(str): one of MENU_ENTRIES was chosen for this plot.
        enlarged(bool): the plot shall fill the place of all plots, or go back.
        log_wanted(bool): a logarithmic value axis for this plot, or not.
        moved_by(int): the plot shall stand so many places earlier (below 0) or later. dropped(QPoint): the head was
            dragged to a place of the screen.
    """

    menu_requested = Signal(str)
    enlarged = Signal(bool)
    log_wanted = Signal(bool)
    moved_by = Signal(int)
    dropped = Signal(QPoint)

    def __init__(self, theme: Theme, title: str, colours: Sequence[str], *, tools: bool) -> None:
        super().__init__()
        self._tools, self._texts = tools, ("",)
        self._pressed: QPoint | None = None
        self._movable, self._dragging, self.help = False, False, ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        if len(colours) == 1:
            row.addWidget(Swatch(theme, colours[0]))
        self._title = text_label(title, "section")
        row.addWidget(self._title)
        self.value = ElideLabel("", kind="caption")
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.value, 1)
        self.enlarge = icon_button(theme, "expand", f"Enlarge {title}", checkable=True, size=16)
        self.enlarge.clicked.connect(self.enlarged)
        self.more = icon_button(theme, "more", f"More for {title}", size=16)
        self._menu = QMenu(self)
        self.log = self._menu.addAction("Log y axis")
        self.log.setCheckable(True)
        self.log.triggered.connect(self.log_wanted)
        self._large = self._menu.addAction("Enlarge")
        self._large.setCheckable(True)
        self._large.triggered.connect(self.enlarged)
        self._menu.addSeparator()
        self.earlier = self._menu.addAction("Move earlier", lambda: self.moved_by.emit(-1))
        self.later = self._menu.addAction("Move later", lambda: self.moved_by.emit(1))
        for move in (self.earlier, self.later):
            move.setVisible(False)
        self._menu.addSeparator()
        for entry, words in MENU_ENTRIES:
            self._menu.addAction(words, lambda name=entry: self.menu_requested.emit(name))
        self.more.setMenu(self._menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        for button in (self.enlarge, self.more):
            row.addWidget(button)  # first: a part that is shown without a parent would be a window, and take the focus
            button.setVisible(tools)
        self._theme = theme
        theme.changed.connect(self._scale)
        self._scale()

    def _scale(self) -> None:
        """Take the text size into account."""
        for button in (self.enlarge, self.more):
            button.setFixedSize(self._theme.px(24), self._theme.px(24))

    @contextmanager
    def without_tools(self) -> Iterator[None]:
        """Be a head without buttons, as on a picture of the plot."""
        focused = next((b for b in (self.enlarge, self.more) if b.hasFocus()), None)
        shown = [b for b in (self.enlarge, self.more) if not b.isHidden()]
        for button in shown:
            button.hide()
        try:
            yield
        finally:
            for button in shown:
                button.show()
            if focused is not None:
                focused.setFocus()

    def set_movable(self) -> None:
        """Offer to move the plot among others, by the menu and by a drag of the head."""
        self._movable = True
        self.earlier.setVisible(True)
        self.later.setVisible(True)
        self.set_help(self.help)

    def set_help(self, words: str) -> None:
        """Explain the plot in the tooltip of its title, and to screen readers."""
        self.help = words
        self._title.setToolTip("\n\n".join(text for text in (words, _DRAG if self._movable else "") if text))
        self._title.setAccessibleDescription(words)

    def show_enlarged(self, on: bool) -> None:
        """Show whether the plot fills the place of all, without asking for it."""
        for button in (self.enlarge, self._large):
            button.blockSignals(True)
            button.setChecked(on)
            button.blockSignals(False)

    @property
    def full(self) -> str:
        """The newest values with all that is known of them."""
        return self._texts[0]

    def set_title(self, title: str) -> None:
        """Take another title."""
        self._title.setText(title)
        self._fit()

    def set_values(self, texts: Sequence[str]) -> None:
        """Show the newest values: the first of ``texts``, the longest first, for which there is room."""
        self._texts = tuple(texts) or ("",)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose what fits."""
        super().resizeEvent(event)
        self.enlarge.setVisible(self._tools and self.width() >= _WIDE)
        self._fit()

    def _fit(self) -> None:
        if (layout := self.layout()) is not None:
            layout.activate()  # a new title takes its room first
        width, room = self.value.fontMetrics().horizontalAdvance, self.value.width() - _SPARE
        shown = next((text for text in self._texts if width(text) <= room), "")
        self.value.setText(shown)
        self.setToolTip("" if shown == self.full else self.full)

    # Dragging the plot by its head

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Note where a drag may begin."""
        if event.button() == Qt.MouseButton.LeftButton and self._movable:
            self._pressed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a closed hand once the mouse has moved far enough to mean a drag."""
        if self._pressed is not None and not self._dragging:
            far = (event.position().toPoint() - self._pressed).manhattanLength()
            if far >= QApplication.startDragDistance():
                self._dragging = True
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag where the mouse is."""
        dragged, self._pressed, self._dragging = self._dragging, None, False
        super().mouseReleaseEvent(event)
        if dragged:
            self.unsetCursor()
            self.dropped.emit(event.globalPosition().toPoint())

    def run(self, entry: str) -> None:
        """Choose an entry of the menu, as a press of it does."""
        self.menu_requested.emit(entry)
