"""The cells of the grid of plots: how many columns, and which share each row and column has."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme.theme import Theme
from app.widgets.plots.plot_layout import MOST_COLUMNS

COLUMN_EMS, ROW_PX = 17.0, 178
"""The least width of a column in heights of a line of text; the least height of a plot in design pixels."""


class PlotCells(QWidget):
    """A cell for each plot; one that is not filled yet keeps its room, so that the others stay as they are."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._fitting, self._most, self._large = theme, MOST_COLUMNS, MOST_COLUMNS, ""
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._cells: dict[str, QWidget] = {}
        self._order: tuple[str, ...] = ()
        theme.changed.connect(self._share_room)

    @property
    def columns(self) -> int:
        """How many plots stand beside each other."""
        return max(1, min(self._fitting, self._most, len(self._order)))

    def fit_columns(self, width: int) -> None:
        """Choose as many columns as have room in a width."""
        fitting = max(1, min(MOST_COLUMNS, int(width / (COLUMN_EMS * self.fontMetrics().height()))))
        if fitting != self._fitting:
            self._fitting = fitting
            self._arrange()

    def show_order(self, order: Sequence[str], most: int) -> None:
        """Show these plots in this order in at most so many columns, and no others."""
        self._order, self._most = tuple(order), most
        for key in order:
            if key not in self._cells:
                self._cells[key] = QWidget(self)
        self._arrange()

    def fill(self, key: str, plot: QWidget) -> None:
        """Put a plot into its cell."""
        room = self._cells[key]
        self._grid.replaceWidget(room, plot)
        room.deleteLater()
        self._cells[key] = plot

    def enlarge(self, key: str) -> None:
        """Show one plot in the place of all, or all again with ""."""
        self._large = key
        self._show_cells()
        self._share_room()

    def _arrange(self) -> None:
        for cell in self._cells.values():
            self._grid.removeWidget(cell)
        for place, key in enumerate(self._order):
            self._grid.addWidget(self._cells[key], *divmod(place, self.columns))
        self._show_cells()
        self._share_room()

    def _show_cells(self) -> None:
        for key, cell in self._cells.items():
            cell.setVisible(key == self._large if self._large else key in self._order)

    def _share_room(self) -> None:
        """Give every row and column that shows a plot, or will, the same share."""
        places = [place for place, key in enumerate(self._order) if self._large in ("", key)]
        shown = [divmod(place, self.columns) for place in places]
        for row in range(self._grid.rowCount()):
            used = int(any(r == row for r, _ in shown))
            self._grid.setRowStretch(row, used)
            self._grid.setRowMinimumHeight(row, used * self._theme.px(ROW_PX))
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, int(any(c == column for _, c in shown)))
