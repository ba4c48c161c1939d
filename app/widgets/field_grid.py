"""Names and fields in as many columns as have room."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

H_SPACING, V_SPACING = 10, 5
FIELD_EMS = 5.0
"""The least width of a field, in heights of a line."""


class FieldGrid(QWidget):
    """Rows of a name and a field; two pairs in a row where names and fields have room, else one.

    Args:
        rows: the names and the fields, in reading order.
        most: the largest number of pairs in a row.
        field_ems: the least width of a field, in heights of a line.
        above: names stand above their fields, not before them.
    """

    def __init__(
        self,
        rows: Sequence[tuple[QLabel, QWidget]],
        *,
        most: int = 2,
        field_ems: float = FIELD_EMS,
        above: bool = False,
    ) -> None:
        super().__init__()
        self._field_ems, self._above = field_ems, above
        self._rows, self._most, self._columns = tuple(rows), most, 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(H_SPACING)
        self._grid.setVerticalSpacing(V_SPACING)
        for label, field in self._rows:
            label.setBuddy(field)
        self._arrange(most)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the number of columns."""
        super().resizeEvent(event)
        pair = self._pair_width(hints=True) + H_SPACING
        self._arrange(max(1, min(self._most, (self.width() + H_SPACING) // pair)))

    def minimumSizeHint(self) -> QSize:
        """Return the width of one pair, because they can stand one under the other."""
        return QSize(self._pair_width(), super().minimumSizeHint().height())

    def _pair_width(self, *, hints: bool = False) -> int:
        """Return the width of the longest name and the widest field beside each other, with ``hints`` shown whole."""
        names = max((label.sizeHint().width() for label, _ in self._rows), default=0)
        least = round(self._field_ems * self.fontMetrics().height())
        fields = max((max(least, field.minimumSizeHint().width()) for _, field in self._rows), default=0)
        if hints:
            fields = max(fields, *(_hint_width(field) for _, field in self._rows))
        return max(names, fields) if self._above else names + H_SPACING + fields

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, (label, field) in enumerate(self._rows):
            row, side = place // columns, place % columns
            if self._above:
                self._grid.addWidget(label, 2 * row, side)
                self._grid.addWidget(field, 2 * row + 1, side)
            else:
                self._grid.addWidget(label, row, 2 * side)
                self._grid.addWidget(field, row, 2 * side + 1)
        for side in range(self._most):
            self._grid.setColumnStretch(side if self._above else 2 * side + 1, int(side < columns))


def _hint_width(field: QWidget) -> int:
    """Return the width at which the hint of an empty field of one line is whole; 0 for other fields."""
    if not isinstance(field, QLineEdit) or not field.placeholderText():
        return 0
    metrics = field.fontMetrics()
    edges = field.minimumSizeHint().width() - metrics.maxWidth()  # Qt asks for the widest letter and the edges
    return metrics.horizontalAdvance(field.placeholderText()) + max(edges, metrics.height())
