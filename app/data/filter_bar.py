"""The filters of the pair table: search, label, reviewer, source, and a menu of further ones with a chip for each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QComboBox, QMenu, QVBoxLayout, QWidget

from app.data.columns import LABELS, MADE_BY, SWITCHES, TIMES
from app.local_time import last_days
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import clear_layout
from app.widgets.controls import ComboBox
from app.widgets.flow import FlowLayout
from app.widgets.inputs import SearchField
from app.widgets.labels import text_label
from core.domain.judgement import FLAGS, Reviewer
from core.domain.pair_table import PairFilter, SourceInfo
from core.domain.rubric import RubricVersion
from core.domain.text_flags import FLAG_TITLES


@dataclass(frozen=True, slots=True)
class FilterLists:
    """What the filters list."""

    reviewers: Sequence[Reviewer]
    sources: Sequence[SourceInfo]
    versions: Sequence[RubricVersion]
    tags: Mapping[str, int]
    """Tag -> how many pairs have it."""


class FilterBar(QWidget):
    """``changed`` fires when the user chose another filter."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._further: dict[str, tuple[Any, str]] = {}
        self.search = SearchField(theme, "Find in prompts and answers")
        self.labels = ComboBox()
        self.reviewers, self.sources = ComboBox(outside=True), ComboBox(outside=True)
        self.more = push_button("More filters", theme=theme, icon="filter")
        self.problem = text_label("", "error", wrap=True)
        self._menu = QMenu(self)
        self._submenus: dict[str, QMenu] = {}
        self._chips, self._chip_row = FlowLayout(), QWidget()
        self._build()

    def wanted(self) -> PairFilter:
        """Return the filter in the order of import.

        Raises:
            BadInput: the text is too long to search for.
        """
        plain = PairFilter(
            text=self.search.text().strip(),
            label=self.labels.currentData() or "any",
            reviewer_id=self.reviewers.currentData(),
            source_id=self.sources.currentData(),
        )
        return replace(plain, **{field: value for field, (value, _) in self._further.items()})

    def set_lists(self, lists: FilterLists) -> None:
        """List reviewers, sources and rubric versions; what is chosen stays chosen."""
        fill(self.reviewers, "All reviewers", [(r.name, r.id) for r in lists.reviewers])
        fill(self.sources, "All sources", [(s.name, s.id) for s in lists.sources])
        self._fill_submenu("rubric_version_id", [(v.id, v.title) for v in lists.versions])
        self._fill_submenu("tag", [(tag, tag) for tag in lists.tags])

    def set_further(self, field: str, value: Any, words: str) -> None:
        """Set one of the further filters, a field of ``PairFilter``; it gets a chip that says ``words``."""
        self._further[field] = (value, words)
        self._show_further()

    def choose_source(self, source_id: int) -> None:
        """Choose a source, also before the list of sources is read."""
        if self.sources.findData(source_id) < 0:
            self.sources.addItem("One source", source_id)
        self.sources.setCurrentIndex(self.sources.findData(source_id))

    def choose_reviewer(self, reviewer_id: int) -> None:
        """Choose a reviewer, also before the list of reviewers is read."""
        if self.reviewers.findData(reviewer_id) < 0:
            self.reviewers.addItem("One reviewer", reviewer_id)
        self.reviewers.setCurrentIndex(self.reviewers.findData(reviewer_id))

    def clear(self) -> None:
        """Take every filter off without telling."""
        self.search.reset()
        for box in (self.labels, self.reviewers, self.sources):
            box.setCurrentIndex(0)
        self._further.clear()
        self._show_further()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        row = FlowLayout()
        row.add(self.search)
        for box, name in ((self.labels, "Label"), (self.reviewers, "Reviewer"), (self.sources, "Source")):
            box.setAccessibleName(name)
            box.activated.connect(lambda _: self.changed.emit())
            row.addWidget(box)
        for key, words in LABELS:
            self.labels.addItem(words, key)
        self.search.searched.connect(lambda _: self.changed.emit())
        self._fill_menu()
        self.more.setMenu(self._menu)
        row.addWidget(self.more)
        self.row = row
        self._chip_row.setLayout(self._chips)
        self._chips.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.problem)
        column.addWidget(self._chip_row)
        self.problem.hide()
        self._chip_row.hide()

    def _fill_menu(self) -> None:
        for field, words in SWITCHES:
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.setData((field, True))
            action.toggled.connect(partial(self._choose, field, True, words))
        self._add_submenu("reviewer_kind", "Labelled by")
        self._fill_submenu("reviewer_kind", MADE_BY)
        self._add_submenu("labelled_ms", "Labelled")
        self._submenus["labelled_ms"].aboutToShow.connect(self._fill_times)
        self._fill_times()
        self._add_submenu("rubric_version_id", "Rubric version")
        self._add_submenu("tag", "Tag")
        self._submenus["tag"].menuAction().setEnabled(False)
        self._add_submenu("flag", "Flag of a reviewer")
        self._fill_submenu("flag", list(FLAGS.items()))
        self._add_submenu("text_flag", "Text")
        self._fill_submenu("text_flag", list(FLAG_TITLES.items()))

    def _fill_times(self) -> None:
        """List the times up to now; today is another day tomorrow."""
        now_ms = time.time() * 1000
        self._fill_submenu("labelled_ms", [(last_days(now_ms, days), words) for days, words in TIMES])

    def _add_submenu(self, field: str, title: str) -> None:
        menu = QMenu(title, self._menu)
        self._menu.addMenu(menu)
        self._submenus[field] = menu

    def _fill_submenu(self, field: str, options: Sequence[tuple[Any, str]]) -> None:
        menu = self._submenus[field]
        menu.clear()
        group = QActionGroup(menu)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        chosen = self._further.get(field, (None, ""))[0]
        for value, words in options:
            action = QAction(words.replace("&", "&&"), group)
            action.setCheckable(True)
            action.setData((field, value))
            action.setChecked(value == chosen)
            action.toggled.connect(partial(self._choose, field, value, f"{menu.title()}: {words}"))
            menu.addAction(action)
        menu.menuAction().setEnabled(bool(options))

    def _choose(self, field: str, value: Any, words: str, on: bool) -> None:
        if on:
            self._further[field] = (value, words)
        elif self._further.get(field, (None, ""))[0] == value:
            self._further.pop(field)
        self._show_further()
        self.changed.emit()

    def _drop(self, field: str) -> None:
        self._further.pop(field, None)
        self._show_further()
        self.changed.emit()

    def _show_further(self) -> None:
        """Give each further filter a chip that takes it off, and tick the menu alike."""
        clear_layout(self._chips)
        for field, (_, words) in self._further.items():
            chip = push_button(words, theme=self._theme, icon="close", name=f"Take off the filter {words}")
            chip.clicked.connect(partial(self._drop, field))
            self._chips.addWidget(chip)
        self._chips.add_gap()
        self._chip_row.setVisible(bool(self._further))
        for menu in (self._menu, *self._submenus.values()):
            for action in menu.actions():
                if (data := action.data()) is not None:
                    action.blockSignals(True)
                    action.setChecked(self._further.get(data[0], (None, ""))[0] == data[1])
                    action.blockSignals(False)


def fill(box: QComboBox, first: str, items: Sequence[tuple[str, int]]) -> None:
    """Fill a filter and keep its choice."""
    chosen = box.currentData()
    box.clear()
    box.addItem(first, None)
    for words, key in items:
        box.addItem(words, key)
    box.setCurrentIndex(max(0, box.findData(chosen)) if chosen is not None else 0)
