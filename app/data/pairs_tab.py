"""The pairs of the workspace: filters, the sorted table, and one pair in full beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Event
from typing import NamedTuple, cast, get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.data.columns import COLUMNS, HIDDEN
from app.data.filter_bar import FilterBar
from app.data.preview import PairPreview
from app.widgets.buttons import push_button
from app.widgets.folding_split import FoldingSplit
from app.widgets.messages import EmptyState
from app.widgets.table import VirtualTable
from core.domain.errors import BadInput
from core.domain.pair_table import PairFilter, PairOrder
from core.services.pairs.service import PairsService

ORDER = "data/order"
FIRST = 256
"""Pairs of a search that are shown before all are found: a page of the table."""


class Found(NamedTuple):
    """The pairs that pass the filter, in its order, and the number of all pairs; ``all`` or the first of them."""

    ids: list[int]
    total: int
    all: bool = True


class PairsTab(QWidget):
    """``found(Found)`` fires after each read of the list."""

    found = Signal(object)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context = context
        self._stop = Event()
        self._wanted: int | None = None
        self._order: tuple[PairOrder, bool] = _kept_order(context)
        theme = context.theme
        self.filters = FilterBar(theme)
        self.table = VirtualTable(
            context.tasks, theme, COLUMNS, name="Pairs", settings=context.settings, state_key="pair-table"
        )
        self.table.hide_columns(HIDDEN)
        self.table.show_sorted(*self._order_shown())
        self.preview = PairPreview(theme)
        nothing = EmptyState(
            theme,
            "filter",
            "No pair matches",
            "Other words or fewer filters may find some.",
            main=("Clear all filters", self.clear_filters),
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(nothing)
        self.filters.row.addWidget(self._columns_button())
        split = FoldingSplit((self.stack, self.preview), (760, 400), heights=(300, 200), least=(30, 18))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(self.filters)
        column.addWidget(split, 1)
        self.filters.changed.connect(self.read)
        self.table.sort_requested.connect(self._sort)
        self.table.current_changed.connect(self.read_pair)

    def show_pair(self, pair_id: int) -> None:
        """Put the cursor on a pair once the list is read; a filter that hides it is taken off then."""
        self._wanted = pair_id

    def read(self) -> None:
        """Read the pairs that pass the filter; a read under way is stopped."""
        try:
            wanted = self.wanted()
        except BadInput as error:
            self.filters.problem.setText(f"{error.message} {error.hint}")
            self.filters.problem.show()
            return
        self.filters.problem.hide()
        self._stop.set()
        self._stop = stop = Event()
        service = self._context.services.pairs
        self._context.tasks.query(
            lambda: _first(service, wanted, stop), partial(self._show, wanted, stop), owner=self, key="pairs"
        )

    def wanted(self) -> PairFilter:
        """Return the filter with the order.

        Raises:
            BadInput: the text is too long to search for.
        """
        order, descending = self._order
        return replace(self.filters.wanted(), order=order, descending=descending)

    def clear_filters(self) -> None:
        """Show every pair."""
        self.filters.clear()
        self.read()

    def read_pair(self, pair_id: int | None) -> None:
        """Show one pair in full."""
        if pair_id is not None:
            service = self._context.services.pairs
            self._context.tasks.query(lambda: service.detail(pair_id), self.preview.show_detail, owner=self, key="pair")

    def _show(self, wanted: PairFilter, stop: Event, found: Found) -> None:
        """Show what the newest read found, unless its reviewer or source left the filters meanwhile."""
        if stop.is_set():
            return
        if wanted != self.wanted():
            self.read()
            return
        if not found.all:
            self._read_all(wanted, stop)
        elif self._wanted is not None and self._wanted not in found.ids and wanted != self._everything():
            self.clear_filters()
            return
        self.stack.setCurrentIndex(0 if found.ids or not found.total else 1)
        self.found.emit(found)
        place = self.table.currentIndex().row()
        self.table.show_ids(found.ids, self._context.services.pairs.rows)
        if self._wanted is not None:
            if found.all or self._wanted in found.ids:
                self.table.go_to_id(self._wanted)
                self._wanted = None
        elif self.table.current_id is None and found.ids:
            self.table.go_to(min(max(0, place), len(found.ids) - 1))

    def _read_all(self, wanted: PairFilter, stop: Event) -> None:
        """Find the other pairs too; those at the top are shown meanwhile."""
        service = self._context.services.pairs
        self._context.tasks.query(
            lambda: Found(service.ids(wanted, stop.is_set), service.count()),
            partial(self._show, wanted, stop),
            owner=self,
            key="pairs",
        )

    def _everything(self) -> PairFilter:
        order, descending = self._order
        return PairFilter(order=order, descending=descending)

    def _sort(self, key: PairOrder, ascending: bool) -> None:
        """Sort by a column, and keep the order for the next time."""
        self._order = (key, not ascending)
        self._context.settings.set_state(ORDER, f"{key} {'up' if ascending else 'down'}")
        self.read()

    def _order_shown(self) -> tuple[str, bool]:
        order, descending = self._order
        return order, not descending

    def _columns_button(self) -> QPushButton:
        """Return the button with a menu of the columns."""
        button = push_button("Columns", theme=self._context.theme, icon="columns", name="Columns of the table")
        menu = QMenu(self)
        for column in COLUMNS:
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(self.table.is_shown(column.key))
            action.setEnabled(column.key not in ("id", "prompt"))
            action.toggled.connect(partial(self.table.show_column, column.key))
        button.setMenu(menu)
        return button


def _first(service: PairsService, wanted: PairFilter, stop: Event) -> Found:
    """Return all pairs that pass, or the first ones where finding all takes longer."""
    first = service.first_ids(wanted, FIRST)
    if first is None:
        return Found(service.ids(wanted, stop.is_set), service.count())
    return Found(first, service.count(), len(first) < FIRST)


def _kept_order(context: AppContext) -> tuple[PairOrder, bool]:
    """Return the order that was last chosen."""
    key, _, way = str(context.settings.state(ORDER, "")).partition(" ")
    return (cast(PairOrder, key), way == "down") if key in get_args(PairOrder) else ("id", False)
