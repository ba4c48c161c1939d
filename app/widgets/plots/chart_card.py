"""The card around a painted chart: title, its headline number, the chart or its table, and pictures of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QSizePolicy,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.context import AppContext
from app.widgets.column_fit import fit_columns
from app.widgets.labels import Chip, text_label
from app.widgets.plots import export
from app.widgets.plots.painted_chart import PaintedChart
from app.widgets.plots.plot_head import PlotHead

_LEAST_TEXT, _ROW, _LINE = 120, 26, 17


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table: its cells, and what it opens (of an evaluation: the suite)."""

    cells: tuple[str, ...]
    suite: str = ""


class FigureTable(QTableWidget):
    """Rows of numbers; Enter or a double click opens the items behind one. ``opened(TableRow)`` fires then."""

    opened = Signal(object)

    def __init__(self, context: AppContext, name: str, heads: Sequence[str], *, most: int = 0) -> None:
        """Make the table; ``most`` rows are shown at once, more scroll (0: all)."""
        super().__init__(0, len(heads))
        self._theme, self._most = context.theme, most
        self.rows: tuple[TableRow, ...] = ()
        self.setHorizontalHeaderLabels(list(heads))
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.activated.connect(lambda index: self.opened.emit(self.rows[index.row()]))
        self._theme.changed.connect(self._fit)

    def show_rows(self, rows: Sequence[TableRow]) -> None:
        """Show other rows."""
        self.rows = tuple(rows)
        self.setRowCount(len(self.rows))
        for place, row in enumerate(self.rows):
            for column, text in enumerate(row.cells):
                self.setItem(place, column, QTableWidgetItem(text))
        self._fit()

    @property
    def _row_px(self) -> int:
        """Height of a row: that of the cell with most lines."""
        lines = max((cell.count("\n") for row in self.rows for cell in row.cells), default=0)
        return self._theme.px(_ROW + lines * _LINE)

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._row_px)
        self.resizeColumnsToContents()
        fit_columns(self, {self.columnCount() - 1}, self._theme.px(_LEAST_TEXT))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the height of the rows, and of the bar below them where they are wider than the table."""
        shown = min(self._most or len(self.rows), len(self.rows))
        height = self.horizontalHeader().sizeHint().height() + self._row_px * max(1, shown)
        return QSize(self._theme.px(300), height + self.horizontalScrollBar().sizeHint().height() + 4)

    def minimumSizeHint(self) -> QSize:
        """Return the same height; a narrow table scrolls sideways."""
        return QSize(self._theme.px(150), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the last column what is left."""
        super().resizeEvent(event)
        fit_columns(self, {self.columnCount() - 1}, self._theme.px(_LEAST_TEXT))


class ChartCard(QFrame):
    """A chart with its table twin; without numbers it says why there are none.

    Signals:
        suite_wanted(str): a row of the table was opened.
        enlarged(object, bool): the card shall fill the page, or go back.
    """

    suite_wanted = Signal(str)
    enlarged = Signal(object, bool)

    def __init__(self, context: AppContext, title: str, chart: PaintedChart, heads: Sequence[str]) -> None:
        super().__init__()
        self._context, self._title, self._heads, self.chart = context, title, tuple(heads), chart
        self.setProperty("part", "card")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = self.column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 8)
        column.setSpacing(4)
        self.head = PlotHead(context.theme, title, [], tools=True)
        self.head.log.setVisible(False)
        self.mark = Chip("")
        self.about, self.missing = text_label("", "caption", wrap=True), text_label("", "muted", wrap=True)
        self.table = FigureTable(context, f"{title} as a table", heads, most=12)
        self._stack = QStackedWidget()
        self._stack.addWidget(chart)
        self._stack.addWidget(self.table)
        column.addWidget(self.head)
        for part in (self.mark, self.about, self._stack, self.missing):
            column.addWidget(part)
        column.addStretch(1)
        self.set_table(False)
        self.table.opened.connect(lambda row: self.suite_wanted.emit(row.suite))
        self.head.menu_requested.connect(self._export)
        self.head.enlarged.connect(lambda on: self.enlarged.emit(self, on))

    def show_figures(self, rows: Sequence[TableRow], *, about: str, missing: str, mark: str = "") -> None:
        """Show numbers, or why there are none; ``about`` is the headline, ``mark`` a watermark."""
        self.table.show_rows(rows)
        self.about.setText(about if rows else "")
        self.about.setVisible(bool(rows and about))
        self.mark.set_chip(mark if rows else "", "warn")
        self.missing.setText("" if rows else missing)
        self.missing.setVisible(not rows)
        self._stack.setVisible(bool(rows))

    def set_table(self, on: bool) -> None:
        """Show the numbers as a table, or as the chart."""
        self._stack.setCurrentIndex(int(on))
        for place in range(self._stack.count()):
            part: QWidget | None = self._stack.widget(place)
            if part is not None:  # the hidden one takes no room
                policy = part.sizePolicy()
                hidden = place != int(on)
                policy.setVerticalPolicy(QSizePolicy.Policy.Ignored if hidden else QSizePolicy.Policy.Preferred)
                part.setSizePolicy(policy)

    def _export(self, kind: str) -> None:
        """Copy or save what the card shows."""
        clipboard = QGuiApplication.clipboard()
        if kind == "copy_picture":
            clipboard.setImage(export.to_image(self.chart))
        elif kind == "copy_values":
            clipboard.setText(self.values())
        else:
            name = f"{self._title.lower().replace(' ', '-')}.{kind}"
            path = self._context.dialogs.save_file(f"Save {self._title}", name, f"{kind.upper()} (*.{kind})")
            if path is not None:
                content = self._content(kind)
                self._context.tasks.query(lambda: export.save(path, content), lambda _: None, owner=self)

    def _content(self, kind: str) -> bytes | str:
        if kind == "png":
            return export.to_png(self.chart)
        return export.to_svg(self.chart, self._title) if kind == "svg" else self.values()

    def values(self) -> str:
        """Return the numbers as CSV."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self._heads)
        writer.writerows(row.cells for row in self.table.rows)
        return out.getvalue()
