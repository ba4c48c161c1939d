"""The view of a :class:`PagedModel`: fixed row height, whole rows selected, keys and sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.background.task_runner import TaskRunner
from app.settings.store import Settings
from app.theme.theme import Theme
from app.widgets.column_fit import fit_columns
from app.widgets.table_model import Fetch, PagedModel, TableColumn

ROW = 26
LEAST_COLUMN = 36
"""Design pixels that no column is narrower than."""
LEAST_TEXT = 180
"""Design pixels of a column that takes what is left, before the table scrolls sideways."""
__all__ = ["TableColumn", "VirtualTable"]


class VirtualTable(QTableView):
    """A table over an id array.

    ``opened(id)``: Enter or a double click. ``current_changed(id)``: another row is current.
    ``selection_count(int)``: how many rows are selected. ``sort_requested(key, ascending)``: a press on a heading.
    """

    opened = Signal(object)
    current_changed = Signal(object)
    selection_count = Signal(int)
    sort_requested = Signal(str, bool)

    def __init__(
        self,
        tasks: TaskRunner,
        theme: Theme,
        columns: Sequence[TableColumn],
        *,
        name: str,
        settings: Settings | None = None,
        state_key: str = "",
        multi: bool = True,
    ) -> None:
        """Make the table; with ``settings`` and ``state_key`` the column widths are remembered."""
        super().__init__()
        self._theme, self._settings, self._state_key = theme, settings, state_key
        self.model_ = PagedModel(tasks, theme, columns)
        self.setModel(self.model_)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        modes = QAbstractItemView.SelectionMode
        self.setSelectionMode(modes.ExtendedSelection if multi else modes.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionsClickable(any(c.sortable for c in columns))
        head.setSortIndicatorShown(False)
        head.sectionClicked.connect(self._sort)
        self._ascending = True
        self._sorted = ""
        self.activated.connect(lambda index: self.opened.emit(self.model_.ids[index.row()]))
        self._zoom = theme.zoom
        self._stretched = [place for place, column in enumerate(columns) if not column.width]
        theme.changed.connect(self._scale)
        self._fit_rows()
        self._fit_columns()
        self.selectionModel().currentRowChanged.connect(self._moved)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_count.emit(self.count_selected))
        self._restored = self._restore()
        head.sectionResized.connect(self._remember)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.model_.ids)

    @property
    def count_selected(self) -> int:
        """How many rows are selected."""
        return sum(r.bottom() - r.top() + 1 for r in self.selectionModel().selection())  # type: ignore[attr-defined]

    def show_ids(self, ids: Sequence[int], fetch: Fetch, *, keep: bool = True) -> None:
        """Show other rows; with ``keep`` the cursor stays on its row where that is still there."""
        current = self.current_id
        self.model_.show_ids(ids, fetch)
        place = self.model_.position(current) if keep and current is not None else None
        if place is not None:
            self.go_to(place)

    def refresh(self) -> None:
        """Read the visible rows again."""
        self.model_.refresh()

    @property
    def current_id(self) -> int | None:
        """The id of the row with the cursor, or None."""
        index = self.currentIndex()
        return self.model_.ids[index.row()] if index.isValid() else None

    @property
    def current_row(self) -> Any | None:
        """The row with the cursor if it was read already."""
        index = self.currentIndex()
        return self.model_.row(index.row()) if index.isValid() else None

    def selected_ids(self) -> list[int]:
        """Return the ids of the selected rows, top to bottom."""
        ranges = sorted((r.top(), r.bottom()) for r in self.selectionModel().selection())  # type: ignore[attr-defined]
        return [self.model_.ids[row] for top, bottom in ranges for row in range(top, bottom + 1)]

    def go_to(self, position: int) -> None:
        """Put the cursor on a row and show it."""
        if 0 <= position < self.count:
            index = self.model_.index(position, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def go_to_id(self, row_id: int) -> bool:
        """Put the cursor on an id; returns whether it is in the table."""
        place = self.model_.position(row_id)
        if place is None:
            return False
        self.go_to(place)
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width out: no column is narrower than its title."""
        super().resizeEvent(event)
        fit_columns(self, self._stretched, self._theme.px(LEAST_TEXT))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open on Enter; pass other keys on."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_id is not None:
            self.opened.emit(self.current_id)
            return
        super().keyPressEvent(event)

    def hide_columns(self, keys: Sequence[str]) -> None:
        """Hide columns, unless the user's own choice of columns was kept."""
        if not self._restored:
            for key in keys:
                self.setColumnHidden(self._section(key), True)

    def show_column(self, key: str, shown: bool) -> None:
        """Show or hide a column, and keep that for the next time."""
        self.setColumnHidden(self._section(key), not shown)
        self._remember()

    def is_shown(self, key: str) -> bool:
        """Whether a column is shown."""
        return not self.isColumnHidden(self._section(key))

    def show_sorted(self, key: str, ascending: bool) -> None:
        """Show by which column the ids are ordered."""
        places = [n for n, column in enumerate(self.model_.columns) if column.key == key]
        order = Qt.SortOrder.AscendingOrder if ascending else Qt.SortOrder.DescendingOrder
        self._sorted, self._ascending = key, ascending
        self.horizontalHeader().setSortIndicatorShown(bool(places))
        if places:
            self.horizontalHeader().setSortIndicator(places[0], order)

    def _sort(self, section: int) -> None:
        column = self.model_.columns[section]
        if column.sortable:
            ascending = not self._ascending if column.key == self._sorted else True
            self.show_sorted(column.key, ascending)
            self.sort_requested.emit(column.key, ascending)

    def _section(self, key: str) -> int:
        return next(place for place, column in enumerate(self.model_.columns) if column.key == key)

    def _moved(self, index: QModelIndex, _old: QModelIndex) -> None:
        if index.isValid():
            self.current_changed.emit(self.model_.ids[index.row()])

    def _scale(self) -> None:
        """Give rows and columns the size of another text zoom; the columns keep the widths that they were given."""
        share, self._zoom = self._theme.zoom / self._zoom, self._theme.zoom
        self._scale_columns(share)
        self._fit_rows()
        fit_columns(self, self._stretched, self._theme.px(LEAST_TEXT))

    def _scale_columns(self, share: float) -> None:
        widths = [round(share * self.columnWidth(place)) for place in range(len(self.model_.columns))]
        self.horizontalHeader().setMinimumSectionSize(self._theme.px(LEAST_COLUMN))
        for place, column in enumerate(self.model_.columns):
            if place not in self._stretched:  # a hidden column tells no width; it comes back with that of the design
                self.setColumnWidth(
                    place, self._theme.px(column.width) if self.isColumnHidden(place) else widths[place]
                )

    def _restore(self) -> bool:
        """Take the columns that were kept, in the size of the present text; returns whether there were any.

        Columns that were kept without a size of the text are taken as they are.
        """
        if self._settings is None or not self._state_key:
            return False
        state = self._settings.state_bytes(f"columns/{self._state_key}")
        if state is None or not self.horizontalHeader().restoreState(state):
            return False
        kept = float(self._settings.state(f"columns_zoom/{self._state_key}", self._theme.zoom))
        self._scale_columns(self._theme.zoom / kept if kept > 0 else 1.0)
        return True

    def _fit_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._theme.px(ROW))

    def _fit_columns(self) -> None:
        head = self.horizontalHeader()
        head.setMinimumSectionSize(self._theme.px(LEAST_COLUMN))
        for place, column in enumerate(self.model_.columns):
            if column.width:
                self.setColumnWidth(place, self._theme.px(column.width))
            else:
                head.setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)

    def _remember(self, *_: object) -> None:
        if self._settings is not None and self._state_key and self.isVisible():
            self._settings.set_state(f"columns/{self._state_key}", self.horizontalHeader().saveState())
            self._settings.set_state(f"columns_zoom/{self._state_key}", self._theme.zoom)
