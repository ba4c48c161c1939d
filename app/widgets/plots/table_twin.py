"""The values behind the plots as a table, for screen readers and for anyone who wants the numbers.

Cells are looked up when they are shown, so a run of a hundred thousand steps costs no more than a short one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QTableView

from app.widgets.plots.curves import Curve, Floats, exact_text
from core.domain.number_text import format_value

AnyIndex = QModelIndex | QPersistentModelIndex


class TwinModel(QAbstractTableModel):
    """One row a step, one column a metric; a step that was not measured is a dash."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: dict[str, Curve] = {}
        self.steps: Floats = np.empty(0)

    def set_curves(self, curves: Mapping[str, Curve]) -> None:
        """Take the curves; rows that were there before stay, so that the place of the reader does."""
        sizes = {curve.steps.size: curve.steps for curve in curves.values()}
        steps = np.unique(np.concatenate([*sizes.values(), np.empty(0)]))
        known = self.steps.size
        same = list(curves) == list(self._curves) and np.array_equal(steps[:known], self.steps)
        if not same:
            self.beginResetModel()
            self._curves, self.steps = dict(curves), steps
            self.endResetModel()
            return
        if steps.size > known:
            self.beginInsertRows(QModelIndex(), known, steps.size - 1)
        self._curves, self.steps = dict(curves), steps
        if steps.size > known:
            self.endInsertRows()
        if known:
            self.dataChanged.emit(self.index(0, 1), self.index(known - 1, len(self._curves)))

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        """Return how many steps there are."""
        return 0 if parent is not None and parent.isValid() else int(self.steps.size)

    def columnCount(self, parent: AnyIndex | None = None) -> int:
        """Return the step and the metrics."""
        return 0 if parent is not None and parent.isValid() else len(self._curves) + 1

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's metric."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("step", *self._curves)[section]
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the raw value of a step as plots print it."""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        step = float(self.steps[index.row()])
        if index.column() == 0:
            return exact_text(step)
        return _text_at(list(self._curves.values())[index.column() - 1], step)


class TableTwin(QTableView):
    """The table itself, read-only; ``step()`` is the step of the current row."""

    def __init__(self) -> None:
        super().__init__()
        self.twin = TwinModel()
        self.setModel(self.twin)
        self.setAccessibleName("Values behind the plots")
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.twin.modelReset.connect(self._fit_columns)

    def _fit_columns(self) -> None:
        head = self.horizontalHeader()
        for column in range(self.twin.columnCount()):
            self.setColumnWidth(column, max(80, head.sectionSizeHint(column) + 12))

    def step(self) -> float | None:
        """Return the step of the current row, or None without one."""
        index = self.currentIndex()
        return float(self.twin.steps[index.row()]) if index.isValid() else None


def _text_at(curve: Curve, step: float) -> str:
    """Return the value of a step with its interval and n where they are known, a dash where it was not measured."""
    place = int(np.searchsorted(curve.steps, step))
    there = place < curve.steps.size and curve.steps[place] == step
    return curve.text(place) if there else format_value(None)
