"""A short list to choose from: one key chooses an item, Enter the current one, Escape none."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QListWidget, QWidget

from app.actions.physical_keys import meant_by
from app.widgets.dialog import BaseDialog
from app.widgets.labels import text_label

MOST_ROWS = 14
ROW_PX, EDGE_PX = 28, 12


class ChoiceDialog(BaseDialog):
    """Asks for one of some items; ``chosen`` is its place after it was accepted.

    Args:
        parent: a widget of the window.
        title: of the dialog.
        label: the question.
        items: what can be chosen, each one line of plain text.
        current: the item highlighted at first.
        keys: one character for each item that chooses it at once; numbers 1 to 9 when not given.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        label: str,
        items: Sequence[str],
        current: int = 0,
        *,
        keys: Sequence[str] = (),
    ) -> None:
        super().__init__(parent, title)
        self._keys = [key.upper() for key in keys] or [str(n) for n in range(1, min(9, len(items)) + 1)]
        self.column.addWidget(text_label(label, "strong", wrap=True))
        self.list = QListWidget()
        self.list.setAccessibleName(label)
        self.list.setUniformItemSizes(True)
        self.list.ensurePolished()
        for place, words in enumerate(items):
            key = self._keys[place] if place < len(self._keys) else " "
            self.list.addItem(f"{key}   {words}")
        self.list.setCurrentRow(min(max(current, 0), len(items) - 1))
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemActivated.connect(lambda _: self.accept())
        self.list.installEventFilter(self)
        self._fit(items)
        self.column.addWidget(self.list, 1)
        self.add_buttons("Choose")

    @property
    def chosen(self) -> int:
        """The place of the highlighted item."""
        return self.list.currentRow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Choose an item by its key."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.text():
            meant = (event.text().upper(), meant_by(event))
            place = next((self._keys.index(key) for key in meant if key in self._keys), -1)
            if place >= 0:
                self.list.setCurrentRow(place)
                self.accept()
                return True
        return super().eventFilter(watched, event)

    def _fit(self, items: Sequence[str]) -> None:
        """Make the list wide enough for the longest item and high enough for all, within limits."""
        metrics = QFontMetrics(self.font())
        widest = max((metrics.horizontalAdvance(words) for words in items), default=0)
        self.list.setMinimumWidth(min(640, max(280, widest + 90)))
        self.list.setMinimumHeight(min(MOST_ROWS, len(items)) * ROW_PX + EDGE_PX)
