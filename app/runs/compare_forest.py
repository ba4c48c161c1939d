"""Differences of runs against the baseline: a block a number, a line a run, filled where the interval leaves 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.runs.compare_curves import run_token
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot

ROW_PX, _TEXT_PX = 20, 12
_LEAST_LINES = 13
"""Letters of width that the lines keep; with less the values are not written beside them, but told by tooltips."""


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One run in one number.

    Attributes:
        letter: of the run. place: its place among the runs, which gives the colour.
        text: difference, interval and unit, or why there is none.
        value, low, high: in the number's unit; NaN where there is none.
        leaves_zero: whether the interval does not hold 0.
    """

    letter: str
    place: int
    text: str
    value: float
    low: float
    high: float
    leaves_zero: bool


@dataclass(frozen=True, slots=True)
class DifferenceBlock:
    """One number: what it is called, what the baseline has, and a row for each other run."""

    label: str
    baseline: str
    rows: tuple[DifferenceRow, ...]

    @property
    def reach(self) -> float:
        """The largest distance from 0 in this number, 1 where there is none: every number has its own scale."""
        ends = [abs(v) for row in self.rows for v in (row.value, row.low, row.high) if math.isfinite(v)]
        return max(ends, default=0.0) or 1.0


class CompareForest(PaintedChart):
    """The blocks below each other around one line of no difference; opening a row tells the letter of its run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Differences against A")
        self.blocks: tuple[DifferenceBlock, ...] = ()

    def show_blocks(self, blocks: Sequence[DifferenceBlock]) -> None:
        """Show other differences."""
        self.blocks = tuple(blocks)
        self._current = -1
        said = [f"{block.label}, {row.letter}: {row.text}" for block in self.blocks for row in block.rows]
        self.setAccessibleDescription("; ".join(said[:18]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of all rows and the head."""
        rows = sum(len(block.rows) for block in self.blocks)
        return QSize(self.theme.px(420), self.theme.px(ROW_PX) * (max(1, rows) + 1) + 4 * len(self.blocks) + 6)

    def minimumSizeHint(self) -> QSize:
        """Return the same height, and a width that holds labels and lines."""
        return QSize(self.theme.px(220), self.sizeHint().height())

    def paint(self, painter: QPainter) -> None:
        """Draw the head, a band behind each other block, the line of no difference, and the rows."""
        if not self.blocks:
            return
        painter.setFont(self.theme.font(_TEXT_PX))
        metrics, row_h = QFontMetricsF(painter.font()), float(self.theme.px(ROW_PX))
        area, texts = self._columns(metrics)
        flags = Qt.AlignmentFlag
        self.write(painter, QRectF(0, 0, area.left(), row_h), "Metric, A", "text3", flags.AlignLeft)
        words = "← lower than A · higher than A →"
        if metrics.horizontalAdvance(words) > area.width() + 20:
            words = "← lower · higher →"
        middle = QRectF(area.center().x() - 400, 0, 800, row_h)
        self.write(painter, middle, words, "text3", flags.AlignHCenter)
        y = row_h
        for number, block in enumerate(self.blocks):
            height = row_h * len(block.rows) + 4
            if number % 2 == 0:
                painter.fillRect(QRectF(0, y, self.width(), height), self.colour("sunken", 0.6))
            self._head(painter, block, QRectF(4, y, area.left() - 10, height), metrics)
            for place, row in enumerate(block.rows):
                room = QRectF(area.left(), y + 2 + place * row_h, area.width(), row_h)
                self._row(painter, block, row, room, texts)
            y += height
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.center().x(), row_h), QPointF(area.center().x(), y))

    def _columns(self, metrics: QFontMetricsF) -> tuple[QRectF, float]:
        """Return where the lines are drawn, and the width of the texts behind them, 0 where there is no room."""
        labels = max(metrics.horizontalAdvance(f"{block.label}  {block.baseline}") + 18 for block in self.blocks)
        labels = min(labels, 0.4 * self.width())
        letter = metrics.averageCharWidth()
        known = [row for block in self.blocks for row in block.rows if math.isfinite(row.value)]
        texts = max(metrics.horizontalAdvance(f"{row.letter}  {row.text}") for row in known) + 14
        if self.width() - labels - texts < _LEAST_LINES * letter:
            texts = metrics.horizontalAdvance("M") + 12
        return QRectF(labels, 0, max(30.0, self.width() - labels - texts), 1), texts

    def _head(self, painter: QPainter, block: DifferenceBlock, room: QRectF, metrics: QFontMetricsF) -> None:
        flags = Qt.AlignmentFlag
        value = metrics.horizontalAdvance(block.baseline) + 8
        shown = metrics.elidedText(block.label, Qt.TextElideMode.ElideRight, room.width() - value)
        self.write(painter, room, shown, "text", flags.AlignLeft)
        self.write(painter, room, block.baseline, "text2", flags.AlignRight)

    def _row(self, painter: QPainter, block: DifferenceBlock, row: DifferenceRow, room: QRectF, texts: float) -> None:
        flags, token = Qt.AlignmentFlag, run_token(row.place)
        behind = QRectF(room.right() + 6, room.top(), texts - 10, room.height())
        self.write(painter, behind, row.letter, token, flags.AlignLeft)
        metrics = QFontMetricsF(painter.font())
        left = metrics.horizontalAdvance(f"{row.letter}  ")
        if behind.width() > left + 4 * metrics.averageCharWidth():
            shown = metrics.elidedText(row.text, Qt.TextElideMode.ElideRight, behind.width() - left)
            tone = "text" if row.leaves_zero else "text2"
            self.write(painter, behind.adjusted(left, 0, 0, 0), shown, tone, flags.AlignRight)
        words = f"{row.letter}, {block.label}: {row.text}"
        self.spots.append(
            Spot(QRectF(room.left(), room.top(), self.width() - room.left(), room.height()), row.letter, words)
        )
        if not math.isfinite(row.value):
            return
        half = room.width() / 2 - 8

        def x(value: float) -> float:
            return room.center().x() + value / block.reach * half

        y, dot = room.center().y(), float(self.theme.px(4))
        painter.setPen(self.pen(token, 2))
        if math.isfinite(row.low) and math.isfinite(row.high):
            painter.drawLine(QPointF(x(row.low), y), QPointF(x(row.high), y))
            for end in (row.low, row.high):
                painter.drawLine(QPointF(x(end), y - dot), QPointF(x(end), y + dot))
        painter.setBrush(self.colour(token if row.leaves_zero else "surface"))
        painter.drawEllipse(QPointF(x(row.value), y), dot, dot)
