"""The cells of the grid of plots: how many columns, and which share each row and column has."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme.theme import Theme

MOST_COLUMNS, COLUMN_EMS, ROW_PX = 3, 17.0, 178
"""Of columns; the least width of one in heights of a line of text; the least height of a plot in design pixels."""


class PlotCells(QWidget):
    """A cell for each plot; one that is not filled yet keeps its room, so that the others stay as they are."""

    def __init__(self, theme: Theme, count: int) -> None:
        super().__init__()
        self._theme, self._columns, self._large = theme, 0, -1
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._cells = [QWidget() for _ in range(count)]
        self.arrange(MOST_COLUMNS)
        theme.changed.connect(self._share_room)

    def fit_columns(self, width: int) -> None:
        """Choose as many columns as have room in a width."""
        self.arrange(max(1, min(MOST_COLUMNS, int(width / (COLUMN_EMS * self.fontMetrics().height())))))

    def arrange(self, columns: int) -> None:
        """Lay the plots out in so many columns of equal width."""
        if columns != self._columns:
            self._columns = columns
            for place, cell in enumerate(self._cells):
                self._grid.addWidget(cell, *divmod(place, columns))
            self._share_room()

    def fill(self, place: int, plot: QWidget) -> None:
        """Put a plot into its cell."""
        self._grid.replaceWidget(self._cells[place], plot)
        self._cells[place].deleteLater()
        self._cells[place] = plot

    def enlarge(self, place: int) -> None:
        """Show one plot in the place of all, or all again with -1."""
        self._large = place
        for number, cell in enumerate(self._cells):
            cell.setVisible(place < 0 or number == place)
        self._share_room()

    def _share_room(self) -> None:
        """Give every row and column that shows a plot, or will, the same share."""
        places: Sequence[int] = range(len(self._cells)) if self._large < 0 else [self._large]
        shown = [divmod(place, self._columns) for place in places]
        for row in range(self._grid.rowCount()):
            used = int(any(r == row for r, _ in shown))
            self._grid.setRowStretch(row, used)
            self._grid.setRowMinimumHeight(row, used * self._theme.px(ROW_PX))
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(any(c == column for _, c in shown)))
