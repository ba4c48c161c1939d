"""The matrix of templates and languages: a painted table whose cells are reached by mouse and arrow keys."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter

from app.evaluate.matrix_figures import MatrixEntry, MatrixRow
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot

_TEXT, _SMALL = 13, 11
_FULL = 10.0
"""Points of change at which a cell has its full colour."""
_STRONGEST = 0.45
_DOWN = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
_STEPS = 9


class MatrixChart(PaintedChart):
    """Shows rows of cells. Left and right go along a row, up and down along a column, Enter opens the items."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Template × language")
        self.rows: tuple[MatrixRow, ...] = ()
        self.columns: tuple[tuple[str, str, str], ...] = ()

    def show_matrix(self, columns: Sequence[tuple[str, str, str]], rows: Sequence[MatrixRow]) -> None:
        """Show another matrix; a column has a name, a short name and its n."""
        self.columns, self.rows = tuple(columns), tuple(rows)
        self._current = -1
        self.setAccessibleDescription("; ".join(row.cells[-1].words for row in self.rows if row.cells))
        self.updateGeometry()
        self.update()

    # Sizes

    def _fonts(self) -> tuple[QFont, QFont]:
        return self.theme.font(_TEXT), self.theme.font(_SMALL)

    def _row_height(self) -> float:
        large, small = (QFontMetricsF(font) for font in self._fonts())
        return large.height() + small.height() + 8

    def _label_width(self) -> float:
        large, small = self._fonts()
        bold = QFont(large)
        bold.setBold(True)
        widest = max((QFontMetricsF(bold).horizontalAdvance(row.label) for row in self.rows), default=60)
        about = max((QFontMetricsF(small).horizontalAdvance(row.about) for row in self.rows), default=0)
        return min(max(widest, min(about, self.width() * 0.3)) + 14, self.width() * 0.34)

    def sizeHint(self) -> QSize:
        """Return the height of all rows and the legend."""
        small = QFontMetricsF(self._fonts()[1])
        height = self._row_height() * (len(self.rows) + 1) + small.height() + 14
        return QSize(self.theme.px(520), math.ceil(height))

    def minimumSizeHint(self) -> QSize:
        """Return the same height, and a width that holds the values without their intervals."""
        values = QFontMetricsF(self._fonts()[0]).horizontalAdvance("−00.0") + 6
        return QSize(math.ceil(values * max(1, len(self.columns)) * 1.35), self.sizeHint().height())

    # Painting

    def paint(self, painter: QPainter) -> None:
        """Draw head, rows and legend."""
        if not self.rows:
            return
        labels, height = self._label_width(), self._row_height()
        width = (self.width() - labels - 1) / len(self.columns)
        large, small = self._fonts()
        is_wide = width >= QFontMetricsF(small).horizontalAdvance("[−00, −00]") + 4
        advance = QFontMetricsF(large).horizontalAdvance
        fits = all(advance(name) < width for name, _, _ in self.columns)
        names = [name if fits else code for name, code, _ in self.columns]
        painter.setFont(large)
        for place, (name, (_, _, n)) in enumerate(zip(names, self.columns, strict=True)):
            room = QRectF(labels + place * width, 0, width, height)
            self._two_lines(painter, room, name, n if is_wide else "", "text2")
        for number, row in enumerate(self.rows, 1):
            top = number * height
            self._label(painter, QRectF(0, top, labels, height), row)
            for place, entry in enumerate(row.cells):
                self._cell(painter, QRectF(labels + place * width, top, width, height), entry, is_wide)
        if any(math.isfinite(entry.change) for row in self.rows for entry in row.cells):
            self._legend(painter, height * (len(self.rows) + 1) + 6)

    def _label(self, painter: QPainter, room: QRectF, row: MatrixRow) -> None:
        painter.setPen(self.pen("border"))
        painter.drawLine(room.topLeft(), QPointF(self.width(), room.top()))
        inner = room.adjusted(2, 0, -8, 0)
        large, small = self._fonts()
        bold = QFont(large)
        bold.setBold(True)
        for font, text, token, part in ((bold, row.label, "text", 0), (small, row.about, "text3", 1)):
            painter.setFont(font)
            metrics = QFontMetricsF(font)
            place = QRectF(inner.left(), inner.top() + part * inner.height() / 2, inner.width(), inner.height() / 2)
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
            self.write(painter, place, shown, token, Qt.AlignmentFlag.AlignLeft)

    def _cell(self, painter: QPainter, room: QRectF, entry: MatrixEntry, is_wide: bool) -> None:
        if math.isfinite(entry.change) and entry.change:
            painter.fillRect(room.adjusted(0, 0, -1, -1), self._shade(entry.change))
        painter.setPen(self.pen("border"))
        painter.drawLine(room.topLeft(), room.bottomLeft())
        self._two_lines(painter, room, entry.value, entry.interval if is_wide else "", "text", bold=entry.is_gap)
        self.spots.append(Spot(room.adjusted(2, 2, -2, -2), entry.key, entry.words))

    def _shade(self, change: float) -> object:
        share = min(1.0, abs(change) / _FULL) * _STRONGEST
        return self.colour("plot_rejected" if change < 0 else "plot_chosen", share)

    def _two_lines(
        self, painter: QPainter, room: QRectF, first: str, second: str, token: str, *, bold: bool = False
    ) -> None:
        """Write a value and, where there is one, a smaller line below it, in the middle of a cell."""
        large, small = self._fonts()
        heavy = QFont(large)
        heavy.setBold(bold)
        flag = Qt.AlignmentFlag.AlignHCenter
        painter.setFont(heavy)
        upper = QRectF(room.left(), room.top() + 2, room.width(), room.height() / 2) if second else room
        self.write(painter, upper, first, token, flag)
        if second:
            painter.setFont(small)
            half = room.height() / 2
            self.write(painter, QRectF(room.left(), room.top() + half, room.width(), half - 2), second, "text2", flag)

    def _legend(self, painter: QPainter, top: float) -> None:
        """Draw the colours from -10 to +10 points."""
        small = self._fonts()[1]
        painter.setFont(small)
        metrics = QFontMetricsF(small)
        line, flag = metrics.height(), Qt.AlignmentFlag.AlignLeft
        low, high = f"−{_FULL:g} points", f"+{_FULL:g}"
        left = metrics.horizontalAdvance(low) + 8
        self.write(painter, QRectF(2, top, left, line), low, "text2", flag)
        step = self.theme.px(14)
        for place in range(_STEPS):
            change = _FULL * (2 * place / (_STEPS - 1) - 1)
            box = QRectF(left + place * step, top + 1, step - 1, line - 2)
            painter.fillRect(box, self._shade(change) if change else self.colour("sunken"))
        self.write(painter, QRectF(left + _STEPS * step + 6, top, 80, line), high, "text2", flag)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go along the column; the base goes along the row and opens."""
        by = _DOWN.get(Qt.Key(event.key()))
        if by is None or not self.columns:
            super().keyPressEvent(event)
            return
        if not self.spots:
            self.grab()  # paints: a key may come before the first painting, which places the cells
        wanted = max(0, self._current) + by * len(self.columns) if self._current >= 0 else 0
        if 0 <= wanted < len(self.spots):
            self._go(wanted)
