"""A forest of intervals: one row each, thick line and dot, hollow and grey where n is small, diamonds for totals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds

ROW_PX, TEXT_PX = 21, 12
_NARROW = 30
"""Widths of a letter below which the values are not written beside the lines; the table has them, and tooltips."""


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row.

    Attributes:
        label: what it is of. text: the value as it is written; n as "n 96" belongs to it.
        value, low, high: in the unit of the axis; NaN where there is none.
        small: n is below the smallest that is tested: hollow and grey.
        total: drawn as a diamond.
        key: what opening the row tells.
        rule: a thin line stands above the row.
    """

    label: str
    text: str
    value: float
    low: float
    high: float
    small: bool = False
    total: bool = False
    key: object = None
    rule: bool = False


class IntervalChart(PaintedChart):
    """Rows of intervals over one axis.

    Args:
        theme: colours and fonts.
        name: of the chart.
        axis: what is measured, with its unit.
        least: the least length of the axis.
        digits: decimals of its ticks.
    """

    def __init__(self, theme: Theme, name: str, axis: str, *, least: float, digits: int = 0) -> None:
        super().__init__(theme, name)
        self._axis, self._least, self._digits = axis, least, digits
        self.rows: tuple[IntervalRow, ...] = ()
        self._limit, self._limit_words = math.nan, ""

    def show_rows(self, rows: Sequence[IntervalRow], *, limit: float = math.nan, limit_words: str = "") -> None:
        """Show other rows; ``limit`` is a line that must not be crossed."""
        self.rows, self._limit, self._limit_words = tuple(rows), limit, limit_words
        self.setAccessibleDescription("; ".join(f"{row.label}: {row.text}" for row in self.rows[:12]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the rows and the axis."""
        height = self.theme.px(ROW_PX) * max(1, len(self.rows)) + 2 * self.theme.px(ROW_PX) + 4
        return QSize(self.theme.px(300), height)

    def minimumSizeHint(self) -> QSize:
        """Return the same height, and a width that holds labels and lines."""
        return QSize(self.theme.px(170), self.sizeHint().height())

    def paint(self, painter: QPainter) -> None:
        """Draw the rows."""
        painter.setFont(self.theme.font(TEXT_PX))
        metrics = QFontMetricsF(painter.font())
        letter, row_h = metrics.averageCharWidth(), float(self.theme.px(ROW_PX))
        wide = self.width() > 2.4 * _NARROW * letter
        labels = min(
            max((metrics.horizontalAdvance(row.label) for row in self.rows), default=0) + 10, self.width() * 0.4
        )
        texts = max((metrics.horizontalAdvance(row.text) for row in self.rows), default=0) + 12 if wide else 8
        area = QRectF(labels, 2, max(20.0, self.width() - labels - texts), row_h * len(self.rows))
        low, high = bounds(
            [0.0, self._limit, *(v for r in self.rows for v in (r.value, r.low, r.high))], least=self._least
        )
        self.x_axis(painter, area, low, high, self._axis, digits=self._digits)
        self._lines(painter, area, low, high)
        for place, row in enumerate(self.rows):
            top = area.top() + place * row_h
            if row.rule:
                painter.setPen(self.pen("border"))
                painter.drawLine(QPointF(0, top), QPointF(self.width(), top))
            flags, tone = Qt.AlignmentFlag, "text3" if row.small else "text"
            shown = metrics.elidedText(row.label, Qt.TextElideMode.ElideRight, labels - 8)
            self.write(painter, QRectF(0, top, labels - 8, row_h), shown, tone, flags.AlignRight)
            if wide:
                room = QRectF(area.right() + 4, top, texts - 6, row_h)
                self.write(painter, room, row.text, tone, flags.AlignRight)
            self._mark(painter, row, area, low, high, top + row_h / 2)
            self.spots.append(
                Spot(QRectF(2, top + 2, self.width() - 4, row_h - 4), row.key, f"{row.label}: {row.text}")
            )

    def _lines(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        """Draw zero, and the limit with the side of it that is forbidden."""
        place = lambda value: area.left() + (value - low) / (high - low) * area.width()  # noqa: E731
        painter.setPen(self.pen("text3"))
        painter.drawLine(QPointF(place(0), area.top()), QPointF(place(0), area.bottom()))
        if math.isfinite(self._limit):
            side = QRectF(area.left(), area.top(), place(self._limit) - area.left(), area.height())
            if self._limit > 0:
                side = QRectF(place(self._limit), area.top(), area.right() - place(self._limit), area.height())
            painter.fillRect(side, self.colour("bad", 0.10))
            painter.setPen(self.pen("bad", 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(place(self._limit), area.top()), QPointF(place(self._limit), area.bottom()))

    def _mark(self, painter: QPainter, row: IntervalRow, area: QRectF, low: float, high: float, y: float) -> None:
        if not math.isfinite(row.value):
            return
        place = lambda value: area.left() + (value - low) / (high - low) * area.width()  # noqa: E731
        token = "text3" if row.small else "text" if row.total else "plot_chosen"
        x = place(row.value)
        known = math.isfinite(row.low) and math.isfinite(row.high)
        left, right = (place(row.low), place(row.high)) if known else (x, x)
        if row.total:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour(token))
            half = self.theme.px(5)
            ends = (QPointF(left, y), QPointF(x, y - half), QPointF(right, y), QPointF(x, y + half))
            painter.drawPolygon(QPolygonF(list(ends)))
            return
        painter.setPen(self.pen(token, 3))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        painter.setPen(self.pen(token, 2))
        painter.setBrush(self.colour("surface" if row.small else token))
        painter.drawEllipse(QPointF(x, y), self.theme.px(4), self.theme.px(4))
