"""The pairs of a step: a sorted table with the origin of each, worst margin first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTableView

from app.theme.theme import Theme
from app.widgets.column_fit import fit_columns
from app.widgets.labels import plain_tip

COLUMNS: tuple[tuple[str, str], ...] = (
    ("Pair", "pair_id"),
    ("Prompt", "prompt"),
    ("Margin", "margin"),
    ("Chosen", "reward_chosen"),
    ("Rejected", "reward_rejected"),
    ("Step", "step"),
    ("Label", "label"),
    ("Reviewer", "reviewers"),
    ("Rubric clause", "clause"),
)
_WIDTHS = (64, 300, 72, 72, 78, 52, 130, 110, 250)
LEAST_PROMPT = 160
"""Design pixels of the prompts, before the table scrolls sideways."""
_YIELDING = (("clause", 260), ("reviewers", 160))
"""Columns that give way, in this order, while the prompt has less than so many pixels; the tooltip has their text."""
_NUMBERS = {"margin", "reward_chosen", "reward_rejected"}
AnyIndex = QModelIndex | QPersistentModelIndex


class PairTableModel(QAbstractTableModel):
    """Rows of :class:`core.services.runs.lineage.LineageRow`, read-only."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: list[Any] = []

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """Return how many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: AnyIndex | None = None) -> int:  # noqa: ARG002 - Qt passes it
        """Return how many columns there are."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, alignment, font and colour of a cell; a negative margin is coloured and signed."""
        field = COLUMNS[index.column()][1]
        value = getattr(self.rows[index.row()], field)
        if role == Qt.ItemDataRole.DisplayRole:
            if field in _NUMBERS:
                return f"{value:+.3f}".replace("-", "−") if math.isfinite(value) else "–"
            if field == "step" and not self.rows[index.row()].kind:
                return "–"  # it was never measured
            return str(value).replace("\n", " ")[:400]
        if role == Qt.ItemDataRole.ToolTipRole:
            row = self.rows[index.row()]
            tags = f"tags: {row.tags}" if row.tags else ""
            return plain_tip(" · ".join(part for part in (row.label, row.reviewers, row.clause, tags) if part))
        if role == Qt.ItemDataRole.TextAlignmentRole and (field in _NUMBERS or field == "step"):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.FontRole and field in _NUMBERS:
            return self._theme.font(12, mono=True)
        if role == Qt.ItemDataRole.ForegroundRole and field == "margin" and value < 0:
            return self._theme.tokens.colour("bad")
        return None


class PairTable(QTableView):
    """Table of pairs; ``opened(str)`` fires with the pair's id on Enter or a double click."""

    opened = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._left_out = theme, frozenset[str]()
        self.rows_model = PairTableModel(theme)
        self.setModel(self.rows_model)
        self.setAccessibleName("Pairs behind the point")
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(theme.px(30))
        theme.changed.connect(self._scale)
        self._scale()
        self.activated.connect(lambda index: self.opened.emit(self.rows_model.rows[index.row()].pair_id))

    def leave_out(self, *names: str) -> None:
        """Never show these columns."""
        self._left_out = frozenset(names)
        self._choose_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the prompt most of the width."""
        super().resizeEvent(event)
        self._choose_columns()

    def _choose_columns(self) -> None:
        names = [name for _, name in COLUMNS]
        hidden = set(self._left_out)
        for yielding, least_prompt in _YIELDING:
            used = sum(w for w, name in zip(_WIDTHS, names, strict=True) if name not in hidden and name != "prompt")
            if self._theme.px(used + least_prompt) > self.width():
                hidden.add(yielding)
        for column, name in enumerate(names):
            self.setColumnHidden(column, name in hidden)
        fit_columns(self, (names.index("prompt"),), self._theme.px(LEAST_PROMPT))

    def _scale(self) -> None:
        """Take the text size into account."""
        self.verticalHeader().setDefaultSectionSize(self._theme.px(26))
        for column, width in enumerate(_WIDTHS):
            if column != 1:
                self.setColumnWidth(column, self._theme.px(width))
        self._choose_columns()

    def set_rows(self, rows: Sequence[Any], chosen: str = "", *, or_first: bool = True) -> None:
        """Show rows and select the pair ``chosen``, or else the first; the same rows are not shown again."""
        bar, stays = self.verticalScrollBar(), bool(chosen) and chosen == self.current_pair()
        place = bar.value()
        if list(rows) != self.rows_model.rows:
            self.rows_model.set_rows(rows)
        elif stays or not (chosen or rows):
            return
        row = next((i for i, row in enumerate(rows) if row.pair_id == chosen), 0 if or_first and rows else -1)
        if row < 0:
            self.setCurrentIndex(QModelIndex())
            self.clearSelection()
            return
        self.selectRow(row)
        if stays:
            bar.setValue(place)

    def current_row(self) -> Any | None:
        """Return the selected row, or None."""
        index = self.currentIndex()
        return self.rows_model.rows[index.row()] if index.isValid() else None

    def current_pair(self) -> str:
        """Return the selected pair's id, or an empty text."""
        row = self.current_row()
        return row.pair_id if row is not None else ""
