"""Agreement by clause: the interval under the newest version and the one before, over the limits of what it allows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from app.annotate.team_figures import ClauseLine, IntervalMark
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from core.domain.quality import FIRM, TENTATIVE

ROW_PX, HEAD_PX, TEXT_PX, SMALL_PX = 44, 40, 13, 11
_LABEL, _PAIRS, _SPLIT, _NOW = 118, 52, 52, 108
_LINES = 96
"""The least width of the area of the lines: at 200 % the chart then fits into a window of 1024 px."""
_START = 0.4


class ClausesChart(PaintedChart):
    """One row a clause; the older version is hollow and grey."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Agreement by clause")
        self.lines: tuple[ClauseLine, ...] = ()
        self._versions: tuple[str, ...] = ()
        self._axis, self._limits = "", True

    def show_lines(self, lines: Sequence[ClauseLine], versions: Sequence[str], axis: str, *, limits: bool) -> None:
        """Show other clauses; ``limits`` draws what a coefficient allows, which means nothing for shares."""
        self.lines, self._versions, self._axis, self._limits = tuple(lines), tuple(versions), axis, limits
        self.setAccessibleDescription("; ".join(one.now.words for one in self.lines[:12]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of head, rows and axis."""
        px = self.theme.px
        return QSize(px(480), px(HEAD_PX) + px(ROW_PX) * max(1, len(self.lines)) + px(40))

    def minimumSizeHint(self) -> QSize:
        """Return the same height, and a width at which the lines can be told apart."""
        return QSize(self.theme.px(_LABEL + _PAIRS + _SPLIT + _NOW + _LINES), self.sizeHint().height())

    def paint(self, painter: QPainter) -> None:
        """Draw limits, axis and rows."""
        px = self.theme.px
        row_h = max(px(ROW_PX), (self.height() - px(HEAD_PX) - px(40)) / max(1, len(self.lines)))
        right = self.width() - px(_PAIRS + _SPLIT + _NOW)
        area = QRectF(px(_LABEL), px(HEAD_PX), right - px(_LABEL) - 12, row_h * len(self.lines))
        low = self._low()
        self._bands(painter, area, low)
        self._font(painter, SMALL_PX)
        self.x_axis(painter, area, low, 1.0, self._axis, digits=2)
        self._legend(painter, area)
        self._heads(painter, right)
        for place, line in enumerate(self.lines):
            top = area.top() + place * row_h
            if place:
                painter.setPen(self.pen("border"))
                painter.drawLine(QPointF(0, top), QPointF(self.width(), top))
            self._row(painter, line, area, QRectF(0, top, self.width(), row_h), low, right, strong=not place)

    def _low(self) -> float:
        """Return where the axis begins: at ``_START``, or where the lowest interval does."""
        marks = [mark for line in self.lines for mark in (line.now, line.before) if mark is not None]
        ends = [end for mark in marks for end in (mark.low, mark.value) if math.isfinite(end)]
        return max(-1.0, math.floor(10 * min([_START, *ends])) / 10)

    def _font(self, painter: QPainter, size: int, *, strong: bool = False) -> QFontMetricsF:
        painter.setFont(self.theme.font(size, weight=QFont.Weight.DemiBold if strong else QFont.Weight.Normal))
        return QFontMetricsF(painter.font())

    def _bands(self, painter: QPainter, area: QRectF, low: float) -> None:
        if not self._limits:
            return
        weak, firm = _at(area, low, TENTATIVE), _at(area, low, FIRM)
        painter.fillRect(QRectF(area.left(), area.top(), weak - area.left(), area.height()), self.colour("bad", 0.07))
        painter.fillRect(QRectF(firm, area.top(), area.right() - firm, area.height()), self.colour("ok", 0.09))
        metrics = self._font(painter, SMALL_PX)
        painter.setPen(self.pen("text2", 1, Qt.PenStyle.DashLine))
        for x in (weak, firm):
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        high = metrics.height()
        words = ("adjudicate first · .667", "adjudicate · .667", ".667")
        fitting = next((w for w in words if metrics.horizontalAdvance(w) < weak), words[-1])
        room = QRectF(0, area.top() - high - 2, weak - 3, high)
        self.write(painter, room, fitting, "bad", Qt.AlignmentFlag.AlignRight)
        room = QRectF(firm + 3, area.top() - high - 2, self.width() - firm, high)
        self.write(painter, room, ".80 · firm", "ok", Qt.AlignmentFlag.AlignLeft)

    def _legend(self, painter: QPainter, area: QRectF) -> None:
        """Name the versions above the area."""
        metrics, x = self._font(painter, SMALL_PX), area.left()
        y = metrics.height() / 2 + 2
        shown = self._versions[-2:] if any(line.before is not None for line in self.lines) else self._versions[-1:]
        for place, version in enumerate(shown):
            now = place == len(shown) - 1
            self._dot(painter, QPointF(x + 8, y), now=now)
            wide = metrics.horizontalAdvance(version)
            self.write(painter, QRectF(x + 22, 0, wide + 4, 2 * y), version, "text2", Qt.AlignmentFlag.AlignLeft)
            x += wide + 40

    def _heads(self, painter: QPainter, right: float) -> None:
        self._font(painter, SMALL_PX, strong=True)
        px = self.theme.px
        for words, left, wide in (("Pairs", 0, _PAIRS), ("Split", _PAIRS, _SPLIT), ("Now", _PAIRS + _SPLIT, _NOW)):
            room = QRectF(right + px(left), px(HEAD_PX) - px(18), px(wide) - 6, px(16))
            self.write(painter, room, words, "text2", Qt.AlignmentFlag.AlignRight)

    def _row(
        self, painter: QPainter, line: ClauseLine, area: QRectF, row: QRectF, low: float, right: float, *, strong: bool
    ) -> None:
        px, flags = self.theme.px, Qt.AlignmentFlag
        half = row.height() / 2
        metrics = self._font(painter, TEXT_PX, strong=strong)
        name = QRectF(0, row.top(), px(_LABEL) - 8, half if line.note else row.height())
        shown = metrics.elidedText(line.name, Qt.TextElideMode.ElideRight, name.width())
        self.write(painter, name, shown, "text", flags.AlignLeft)
        if line.note:
            self._font(painter, SMALL_PX)
            self.write(painter, QRectF(0, row.top() + half, px(_LABEL) - 8, half), line.note, "warn", flags.AlignLeft)
        if line.before is not None:
            self._interval(painter, line.before, area, low, row.top() + 0.33 * row.height(), now=False)
        place = 0.5 if line.before is None else 0.67
        self._interval(painter, line.now, area, low, row.top() + place * row.height(), now=True)
        self._numbers(painter, line, row, right)

    def _numbers(self, painter: QPainter, line: ClauseLine, row: QRectF, right: float) -> None:
        px, flags, left = self.theme.px, Qt.AlignmentFlag, right
        for words, place, wide in ((line.pairs, line.pairs_place, _PAIRS), (line.split, line.split_place, _SPLIT)):
            room = QRectF(left, row.top() + 4, px(wide) - 6, row.height() - 8)
            self._font(painter, TEXT_PX)
            self.write(painter, room, words, "accent" if place.pair_ids else "text2", flags.AlignRight)
            self.spots.append(Spot(room, place, f"{place.title}: {words}"))
            left += px(wide)
        room = QRectF(left, row.top(), px(_NOW) - 6, row.height())
        metrics = self._font(painter, TEXT_PX, strong=True)
        self.write(painter, room, line.now.head, line.tone if line.tone == "bad" else "text", flags.AlignRight)
        room.setRight(room.right() - metrics.horizontalAdvance(line.now.head) - 8)
        self._font(painter, SMALL_PX, strong=True)
        self.write(painter, room, line.reading, line.tone, flags.AlignRight)

    def _interval(
        self, painter: QPainter, mark: IntervalMark, area: QRectF, low: float, y: float, *, now: bool
    ) -> None:
        if not math.isfinite(mark.value):
            return
        token = "plot_chosen" if now else "text3"
        painter.setPen(self.pen(token, 2))
        left = right = _at(area, low, mark.value)
        if math.isfinite(mark.low):
            left, right = (min(area.right(), _at(area, low, end)) for end in (mark.low, mark.high))
            painter.drawLine(QPointF(left, y), QPointF(right, y))
        at = QPointF(_at(area, low, mark.value), y)
        self._dot(painter, at, now=now)
        box = QRectF(left - 4, y - 6, right - left + 8, 12)
        self.spots.append(Spot(box, mark.place, mark.words))

    def _dot(self, painter: QPainter, at: QPointF, *, now: bool) -> None:
        token, radius = "plot_chosen" if now else "text3", float(self.theme.px(4))
        painter.setPen(self.pen(token, 2))
        painter.setBrush(self.colour(token if now else "surface"))
        painter.drawEllipse(at, radius, radius)


def _at(area: QRectF, low: float, value: float) -> float:
    return area.left() + (value - low) / (1.0 - low) * area.width()
