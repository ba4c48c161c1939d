"""A small picture of an interval behind the text of a table's cell, all rows on one scale with its line of 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.theme.theme import Theme

Interval = tuple[float, float, float]
"""Value with the ends of its interval; NaN where one is not known."""
_GAP, _LEAST, _DOT = 10, 24, 3
"""Pixels between text and bar, and the least length of a bar; with less room the text stands alone."""


class IntervalBars(QStyledItemDelegate):
    """Draws text as any cell does, and a dot with its interval at the right of it.

    Args:
        theme: colours and sizes.
        parent: the table.
        interval_of: a row number -> its interval, or None where nothing was measured.
    """

    def __init__(self, theme: Theme, parent: QWidget, interval_of: Callable[[int], Interval | None]) -> None:
        super().__init__(parent)
        self._theme, self._table, self._interval_of = theme, parent, interval_of
        self.low, self.high = 0.0, 1.0
        self.text_width = 0.0

    def scale_to(self, intervals: Sequence[Interval], texts: Sequence[str]) -> None:
        """Take the scale of some rows, which holds 0, and leave room for the longest of their texts."""
        ends = [0.0, *(end for interval in intervals for end in interval if math.isfinite(end))]
        self.low, self.high = min(ends), max(ends)
        metrics = self._table.fontMetrics()
        self.text_width = max((float(metrics.horizontalAdvance(text)) for text in texts), default=0.0)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the cell, the line of 0, the interval and its dot."""
        super().paint(painter, option, index)
        found = self._interval_of(index.row())
        room = self.bar_room(QRectF(option.rect))  # type: ignore[attr-defined]
        if found is None or room is None or not math.isfinite(found[0]) or self.high <= self.low:
            return
        value, low, high = found

        def x(number: float) -> float:
            return room.left() + (number - self.low) / (self.high - self.low) * room.width()

        y, tokens = room.center().y(), self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tokens.colour("text3"), 1))
        painter.drawLine(QPointF(x(0.0), room.top()), QPointF(x(0.0), room.bottom()))
        painter.setPen(QPen(tokens.colour("plot_margin"), 2))
        if math.isfinite(low) and math.isfinite(high):
            painter.drawLine(QPointF(x(low), y), QPointF(x(high), y))
        painter.setBrush(tokens.colour("plot_margin"))
        painter.drawEllipse(QPointF(x(value), y), self._theme.px(_DOT), self._theme.px(_DOT))
        painter.restore()

    def bar_room(self, cell: QRectF) -> QRectF | None:
        """Return the part of a cell that bars are drawn in; None where the text needs all of it."""
        left = cell.left() + self.text_width + self._theme.px(_GAP + 4)
        room = QRectF(left, cell.top() + 5, cell.right() - self._theme.px(_GAP) - left, cell.height() - 10)
        return room if room.width() >= self._theme.px(_LEAST) else None


def interval_of(row: Any) -> Interval | None:
    """Return the held-out h of a line of the table of runs with its interval; None where it was not measured."""
    return None if row is None or row.h is None else (row.h, row.h_low, row.h_high)
