"""The waiting runs in their order: moved by drag or by Alt+Up and Alt+Down, removed by Delete."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from app.theme.theme import Theme
from app.widgets.row_lines import RowLines

_RUN = Qt.ItemDataRole.UserRole
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class QueueList(QListWidget):
    """Decides nothing; its signals ask for a change.

    Signals:
        moved(run_id, place): the run was dragged to that place, from 0.
        shifted(run_id, by): the run is to go so many places down, up for a negative number.
        removed(run_id): the run is to leave the queue.
    """

    moved = Signal(str, int)
    shifted = Signal(str, int)
    removed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._filling = theme, False
        self.setAccessibleName("Waiting runs")
        self.setAccessibleDescription("Alt+Up and Alt+Down move the chosen run, Delete removes it.")
        self.setIconSize(QSize(18, 18))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(RowLines(theme, lines=2))
        self.model().rowsMoved.connect(self._dragged)

    @property
    def current_id(self) -> str:
        """The chosen run, or an empty text."""
        item = self.currentItem()
        return str(item.data(_RUN)) if item else ""

    @property
    def ids(self) -> list[str]:
        """The runs in the order shown."""
        return [str(self.item(row).data(_RUN)) for row in range(self.count())]

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show (run id, lines) in their order; the chosen run stays chosen, or the next one takes its place."""
        chosen, place = self.current_id, max(0, self.currentRow())
        shown = [(str(self.item(row).data(_RUN)), self.item(row).text()) for row in range(self.count())]
        if shown == list(rows):
            return
        self._filling = True
        self.clear()
        for run_id, lines in rows:
            item = QListWidgetItem(self._theme.icons.icon("clock", "text3", "text3"), lines, self)
            item.setData(_RUN, run_id)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{self.count()}: {lines}".replace("\n", ", "))
        ids = [run_id for run_id, _ in rows]
        self.setCurrentRow(ids.index(chosen) if chosen in ids else min(place, len(ids) - 1))
        self._filling = False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move or remove the chosen run."""
        key, by = Qt.Key(event.key()), _STEPS.get(Qt.Key(event.key()), 0)
        if not self.current_id:
            super().keyPressEvent(event)
        elif by and event.modifiers() == Qt.KeyboardModifier.AltModifier:
            self.shifted.emit(self.current_id, by)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(self.current_id)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep the keys that move and remove from shortcuts of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            key, alt = Qt.Key(event.key()), event.modifiers() == Qt.KeyboardModifier.AltModifier
            if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) or (alt and key in _STEPS):
                event.accept()
                return True
        return super().event(event)

    def _dragged(self, _parent: object, first: int, _last: int, _target: object, row: int) -> None:
        """A drop moved the row ``first`` before ``row``."""
        if not self._filling:
            place = row - 1 if row > first else row
            self.moved.emit(str(self.item(place).data(_RUN)), place)
