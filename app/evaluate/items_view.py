"""The items of a suite: filters, a table, and the chosen item with the answers of two arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluate.answers_panel import AnswersPanel
from app.evaluate.figures import ItemsPlace
from app.evaluate.item_rows import SHOWN, ItemRow, filtered, first_sides, verdict
from app.widgets.buttons import push_button
from app.widgets.containers import ScrollColumn
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.folding_split import FoldingSplit
from app.widgets.inputs import SearchField
from app.widgets.labels import Chip, short
from app.widgets.table import TableColumn, VirtualTable
from core.domain.counting import counted
from core.domain.evaluation_record import suite_words


class ItemsView(QWidget):
    """Lists items. ``suite_wanted(str)`` fires when another suite was chosen; the page reads its items."""

    suite_wanted = Signal(str)

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._theme = context.theme
        self._rows: Sequence[ItemRow] = ()
        self._found: list[ItemRow] = []
        self._place = ItemsPlace("")
        self.suites, self.shown = ComboBox(outside=True), ComboBox()
        self.suites.setAccessibleName("Suite")
        self.shown.setAccessibleName("Which items")
        for key, (words, _) in SHOWN.items():
            self.shown.addItem(words, key)
        self.search, self.count = SearchField(context.theme, "Find in texts"), Chip("")
        self.part = push_button("", "flat", name="Show the whole suite")
        self.part.setToolTip("Show the whole suite again")
        self.part.hide()
        self.panel = AnswersPanel(context)
        columns = (
            TableColumn("prompt", "Prompt", lambda row: row.line),
            TableColumn("left", "Left", lambda row: verdict(row, self.panel.arms[0])[0], 92),
            TableColumn("right", "Right", lambda row: verdict(row, self.panel.arms[1])[0], 92, colour=self._colour),
        )
        self.table = VirtualTable(context.tasks, context.theme, columns, name="Items of the suite", multi=False)
        self._build()

    def _build(self) -> None:
        scroll = ScrollColumn(margin=12, name="Items")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        bar = FlowLayout(row_spacing=4, middle=True)
        for widget in (self.suites, self.shown, self.search, self.part, self.count):
            bar.addWidget(widget)
        scroll.column.addLayout(bar)
        split = FoldingSplit((self.table, self.panel), (400, 580), heights=(160, 320), least=(22, 24), grows=1)
        scroll.column.addWidget(split, 1)
        self._theme.changed.connect(self._scale)
        self._scale()
        self.suites.activated.connect(lambda _: self._suite_chosen())
        self.shown.activated.connect(lambda _: self._filter())
        self.search.searched.connect(lambda _: self._filter())
        self.part.clicked.connect(lambda: self._show_all())
        self.panel.arms_changed.connect(self._filter)
        self.table.current_changed.connect(lambda place: self.panel.show_row(self._found[place]))
        self.table.opened.connect(lambda _: self.panel.right.text.setFocus())

    def _scale(self) -> None:
        """Leave room for some rows and for the answers at every text size; a small window scrolls."""
        self.table.setMinimumHeight(self._theme.px(110))
        self.panel.setMinimumHeight(self._theme.px(280))

    def _colour(self, row: ItemRow) -> str:
        return "bad" if verdict(row, self.panel.arms[1])[1] == "bad" else ""

    @property
    def suite(self) -> str:
        """The suite whose items are shown."""
        return str(self.suites.currentData() or "")

    @property
    def place(self) -> ItemsPlace:
        """What is shown now."""
        return replace(self._place, suite=self.suite)

    def set_evaluation(self, suites: Sequence[str], arms: Mapping[str, str]) -> None:
        """Offer the suites and arms (name to kind) of an evaluation."""
        self.suites.clear()
        for title in suites:
            self.suites.addItem(suite_words(title), title)
        self.panel.set_arms(list(arms), *first_sides(arms))
        self.show_rows(())

    def go_to(self, place: ItemsPlace) -> None:
        """Show the items of a suite, or some of them; they are read then."""
        self.search.reset()
        self.shown.setCurrentIndex(0)
        self._place = place
        if place.arms:
            self.panel.choose_arms(*place.arms)
        self.suites.setCurrentIndex(self.suites.findData(place.suite))
        self.suite_wanted.emit(self.suite)

    def look_for(self, text: str) -> None:
        """Show the items whose id or texts hold a text."""
        self.search.setText(text)

    def _suite_chosen(self) -> None:
        self._place = ItemsPlace(self.suite)
        self.suite_wanted.emit(self.suite)

    def _show_all(self) -> None:
        self._place = ItemsPlace(self.suite)
        self._filter()

    def show_rows(self, rows: Sequence[ItemRow]) -> None:
        """Show the items of the suite."""
        self._rows = rows
        self._filter()

    def _filter(self) -> None:
        place = self._place
        self.part.setText(f"{short(place.part, 28)} ×" if place.part else "")
        self.part.setAccessibleName(f"Show the whole suite, not only {place.part}")
        self.part.setVisible(bool(place.part))
        other, own = self.panel.arms
        self._found = filtered(
            self._rows,
            find=self.search.text(),
            shown=str(self.shown.currentData()),
            own=own,
            other=other,
            part=(place.slice, place.value),
            ids=place.ids,
        )
        found = self._found
        self.count.setText(f"{len(found):,} of {counted(len(self._rows), 'item')}" if self._rows else "")
        self.table.show_ids(range(len(found)), lambda ids: [found[id_] for id_ in ids], keep=False)
        if found:
            self.table.go_to(0)
            self.panel.show_row(found[0])
        else:
            self.panel.show_row(None, "No item is like this" if self._rows else "No item chosen")

    def go_on(self, by: int) -> None:
        """Go to the next or the previous item."""
        at = self.table.currentIndex().row()
        self.table.go_to(min(max(0, at + by), len(self._found) - 1))
