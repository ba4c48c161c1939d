"""A table of a million rows: the order is an array of ids, rows are read a page at a time when they are seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal

from app.background.task_runner import TaskRunner
from app.theme.theme import Theme
from app.widgets.labels import plain_tip

PAGE = 256
PAGES_KEPT = 64
AnyIndex = QModelIndex | QPersistentModelIndex
Fetch = Callable[[Sequence[int]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column.

    Attributes:
        key: machine name, passed with a request to sort.
        title: heading.
        text: a row -> its text in this column.
        width: design pixels; 0 takes what is left.
        right: aligned right, for numbers.
        mono: in the fixed-width font.
        colour: a row -> a colour token, or "" for ordinary text.
        tip: a row -> tooltip, or "".
        sortable: whether a press on the heading asks for this order.
    """

    key: str
    title: str
    text: Callable[[Any], str]
    width: int = 0
    right: bool = False
    mono: bool = False
    colour: Callable[[Any], str] | None = None
    tip: Callable[[Any], str] | None = None
    sortable: bool = False


class PagedModel(QAbstractTableModel):
    """Rows by position. Reads happen on background threads; a row that is not there yet shows "…".

    ``fetch(ids)`` gets up to 256 ids and returns their rows in the same order; it runs off the UI thread.
    """

    failed = Signal(object)

    def __init__(self, tasks: TaskRunner, theme: Theme, columns: Sequence[TableColumn]) -> None:
        super().__init__()
        self._tasks, self._theme = tasks, theme
        self.columns = tuple(columns)
        self._ids: Sequence[int] = ()
        self._fetch: Fetch | None = None
        self._pages: OrderedDict[int, Sequence[Any]] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._under_way: set[int] = set()
        self._generation = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._load)

    @property
    def ids(self) -> Sequence[int]:
        """The ids in the order they are shown."""
        return self._ids

    def show_ids(self, ids: Sequence[int], fetch: Fetch) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._generation += 1
        self._ids, self._fetch = ids, fetch
        self._pages.clear()
        self._wanted.clear()
        self._under_way.clear()
        self.endResetModel()

    def refresh(self) -> None:
        """Read the visible rows again; the old ones stay until the new ones are there."""
        self._generation += 1
        self._under_way.clear()
        for page in reversed(self._pages):
            self._wanted[page] = None
        self._pages = OrderedDict(list(self._pages.items())[-4:])
        self._timer.start()

    def row(self, position: int) -> Any | None:
        """Return the row at a position, or None while it is being read."""
        page, place = divmod(position, PAGE)
        rows = self._pages.get(page)
        if rows is None:
            self._ask(page)
            return None
        self._pages.move_to_end(page)
        return rows[place] if place < len(rows) else None

    def position(self, row_id: int) -> int | None:
        """Return where an id is, or None."""
        try:
            return self._ids.index(row_id)
        except ValueError:
            return None

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """Return how many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def columnCount(self, parent: AnyIndex | None = None) -> int:
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return headings."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            # The mark of the order stands at the right of a heading, where it would cover the words.
            column = self.columns[section]
            return _alignment(replace(column, right=column.right and not column.sortable))
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, alignment, font, colour or tooltip of a cell."""
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(12, mono=True) if column.mono else None
        if role == Qt.ItemDataRole.UserRole:
            return self._ids[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            row = self.row(index.row())
            return "…" if row is None else one_line(column.text(row))
        row = self.row(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.ForegroundRole and column.colour and (token := column.colour(row)):
            return self._theme.tokens.colour(token)
        if role == Qt.ItemDataRole.ToolTipRole and column.tip:
            return plain_tip(one_line(column.tip(row))) or None
        return None

    def _ask(self, page: int) -> None:
        if page not in self._under_way:
            self._wanted[page] = None
            self._wanted.move_to_end(page)
            if not self._timer.isActive():
                self._timer.start()

    def _load(self) -> None:
        """Read the pages seen last; pages that were scrolled past are not read."""
        recent = list(self._wanted)[-3:]
        self._wanted.clear()
        if self._fetch is None:
            return
        for page in recent:
            ids = list(self._ids[page * PAGE : (page + 1) * PAGE])
            if ids and page not in self._under_way:
                self._under_way.add(page)
                self._read(page, ids, self._fetch, self._generation)

    def _read(self, page: int, ids: Sequence[int], fetch: Fetch, generation: int) -> None:
        self._tasks.query(
            lambda: fetch(ids),
            lambda rows: self._take(page, rows, generation),
            lambda error: self._miss(page, error, generation),
            owner=self,
        )

    def _take(self, page: int, rows: Sequence[Any], generation: int) -> None:
        if generation != self._generation:
            return
        self._under_way.discard(page)
        self._pages[page] = rows
        self._pages.move_to_end(page)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        first, last = page * PAGE, min(len(self._ids), (page + 1) * PAGE) - 1
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def _miss(self, page: int, error: Exception, generation: int) -> None:
        if generation == self._generation:
            self._under_way.discard(page)
            self.failed.emit(error)


def one_line(text: str) -> str:
    """Return a text as one short line: line breaks as ⏎, control characters as blanks."""
    head = text[:400].replace("\r\n", " ⏎ ").replace("\n", " ⏎ ")
    return head if head.isprintable() else "".join(c if c.isprintable() else " " for c in head)


def _alignment(column: TableColumn) -> int:
    side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
