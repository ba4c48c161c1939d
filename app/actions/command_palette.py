"""The command palette: commands and objects found by a few letters; recent commands come first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.actions.ranking import Entry, rank
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.labels import text_label

RECENT = "palette_recent"
Index = QModelIndex | QPersistentModelIndex
Provider = Callable[[str], Sequence[Entry]]


class _Entries(QAbstractListModel):
    """List model of the lines."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []

    def show(self, entries: list[Entry]) -> None:
        """Replace all lines."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the title for the view, the whole line for screen readers."""
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{entry.title}, {entry.where} {entry.keys}".strip()
        return entry if role == Qt.ItemDataRole.UserRole else None


class _LineDelegate(QStyledItemDelegate):
    """Draws icon, title, place and keys of one line."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the same height for all lines."""
        return QSize(200, self._theme.px(32))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one line."""
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        tokens, px = self._theme.tokens, self._theme.px
        rect = QRect(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.colour("accent_soft"))
            painter.drawRoundedRect(rect.adjusted(2, 1, -2, -1), 4, 4)
        if entry.icon:
            icon = self._theme.icons.icon(entry.icon, "accent" if chosen else "text2")
            icon.paint(painter, QRect(rect.x() + px(10), rect.y() + (rect.height() - px(18)) // 2, px(18), px(18)))
        room = rect.adjusted(px(38), 0, -px(12), 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.setFont(self._theme.font())
        painter.setPen(tokens.colour("text2"))
        if entry.keys:
            painter.drawText(room, flags | Qt.AlignmentFlag.AlignRight, entry.keys)
            room.setRight(room.right() - painter.fontMetrics().horizontalAdvance(entry.keys) - px(12))
        painter.setPen(tokens.colour("accent" if chosen else "text"))
        title = painter.fontMetrics().elidedText(entry.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, flags | Qt.AlignmentFlag.AlignLeft, title)
        room.setLeft(room.left() + painter.fontMetrics().horizontalAdvance(title) + px(10))
        painter.setPen(tokens.colour("text3"))
        where = painter.fontMetrics().elidedText(entry.where, Qt.TextElideMode.ElideRight, max(0, room.width()))
        painter.drawText(room, flags | Qt.AlignmentFlag.AlignLeft, where)


class CommandPalette(QDialog):
    """A field above a list of matching lines; Enter runs the current line and closes the palette."""

    def __init__(self, parent: QWidget, theme: Theme, settings: Settings, providers: Sequence[Provider]) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._settings, self._providers = settings, providers
        self.setWindowTitle("Search commands")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        frame = QFrame()
        frame.setProperty("part", "popup")
        outer.addWidget(frame)
        column = QVBoxLayout(frame)
        column.setContentsMargins(8, 8, 8, 8)
        self.field = QLineEdit()
        self.field.setProperty("bare", "true")
        self.field.setPlaceholderText("Type a command, #pair number, @run or :rubric")
        self.field.setAccessibleName("Search commands")
        self.field.installEventFilter(self)
        self.list = QListView()
        self.list.setAccessibleName("Commands found")
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self._model = _Entries()
        self._delegate = _LineDelegate(theme)
        self.list.setModel(self._model)
        self.list.setItemDelegate(self._delegate)
        self._nothing = text_label("Nothing matches. Try fewer letters.", "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.field)
        column.addWidget(self._nothing)
        column.addWidget(self.list, 1)
        self.field.textChanged.connect(self.search)
        self.list.clicked.connect(lambda index: self.run_line(index.row()))
        self.search("")
        self._fit(parent, theme)

    def search(self, query: str) -> None:
        """Show the lines that match."""
        entries = [entry for provider in self._providers for entry in provider(query)]
        bare = query.lstrip("#@:") if query[:1] in "#@:" else query
        shown = rank(bare, entries, self._settings.state_list(RECENT))
        self._model.show(shown)
        self._nothing.setVisible(not shown)
        self.list.setVisible(bool(shown))
        self.list.setCurrentIndex(self._model.index(0))

    def run_line(self, row: int) -> None:
        """Close the palette, note the line as recent and run it."""
        if not 0 <= row < len(self._model.entries):
            return
        entry = self._model.entries[row]
        recent = [key for key in self._settings.state_list(RECENT) if key != entry.key]
        self._settings.set_state(RECENT, [entry.key, *recent][:12])
        self.close()
        entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list, and run its current line, by keys pressed in the field."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress:
            row, last = self.list.currentIndex().row(), len(self._model.entries) - 1
            page = max(1, self.list.height() // max(1, self.list.sizeHintForRow(0)))
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: page, Qt.Key.Key_PageUp: -page}
            key = Qt.Key(event.key())
            if key in steps and last >= 0:
                target = row + steps[key]
                wrapped = target % (last + 1) if abs(steps[key]) == 1 else min(last, max(0, target))
                self.list.setCurrentIndex(self._model.index(wrapped))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.run_line(row)
                return True
        return super().eventFilter(watched, event)

    def _fit(self, parent: QWidget, theme: Theme) -> None:
        width = min(theme.px(620), max(320, parent.width() - 80))
        self.resize(width, min(theme.px(460), max(240, parent.height() - 120)))
        corner = parent.mapToGlobal(parent.rect().topLeft())
        self.move(corner.x() + (parent.width() - width) // 2, corner.y() + 60)
        self.field.setFocus()
