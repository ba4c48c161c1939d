"""The reviewers as rows: progress, pace, and intervals of gold items, retests, sides and length, over common axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from app.annotate.team_figures import IntervalMark, PairsPlace, ReviewerLine
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds
from app.widgets.plots.ticks import linear_ticks
from core.domain.number_text import MINUS
from core.domain.team import PASS_MARK

ROW_PX, HEAD_PX, AXIS_PX, TEXT_PX, SMALL_PX = 56, 26, 36, 13, 11
_LEFT = Qt.AlignmentFlag.AlignLeft
_GAP = 14


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """A column: its title, its width in pixels of the design, whether it gives way in narrow windows.

    Attributes:
        keys: of the intervals on its axis; () for words only. line: where a dashed line stands; NaN for none.
        axis: title of the axis. text: pixels before the axis.
    """

    key: str
    title: str
    width: int
    keys: tuple[str, ...] = ()
    line: float = math.nan
    axis: str = ""
    text: int = 0
    extra: bool = False


COLUMNS: tuple[BoardColumn, ...] = (
    BoardColumn("name", "Reviewer", 96),
    BoardColumn("progress", "Progress", 252),
    BoardColumn("pace", "Pace, median", 148),
    BoardColumn("gold", "Gold accuracy", 170, ("gold",), PASS_MARK, f"share right · pass {PASS_MARK:.2f}", 56),
    BoardColumn(
        "retest", "Retest: same verdict", 220, ("retest_same", "retest_swapped"), math.nan, "share repeated", 124
    ),
    BoardColumn("left", "Left share of decisive labels", 204, ("left",), 0.5, "P(left) · dashed: no bias", 84),
    BoardColumn("length", "Length bias", 170, ("length",), 0.0, "log-odds for one sd longer", 56, extra=True),
    BoardColumn("ties", "Ties", 60, extra=True),
    BoardColumn("changed", "Changed mind", 90, extra=True),
    BoardColumn("skill", "Skill", 56, extra=True),
)


class ReviewersChart(PaintedChart):
    """One row a reviewer; where a window is narrow, the columns go on below in further blocks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Reviewers")
        self.lines: tuple[ReviewerLine, ...] = ()

    def show_lines(self, lines: Sequence[ReviewerLine]) -> None:
        """Show other reviewers."""
        self.lines = tuple(lines)
        self.setAccessibleDescription("; ".join(f"{one.name}: {one.progress}" for one in self.lines[:12]))
        self.updateGeometry()
        self.update()

    @property
    def left_out(self) -> list[str]:
        """Titles of the columns for which there is no room; the table has them."""
        shown = {column.key for block in self._blocks(self.width()) for column in block}
        return [column.title for column in COLUMNS if column.key not in shown]

    def hasHeightForWidth(self) -> bool:
        """Say that a narrow chart is higher."""
        return True

    def heightForWidth(self, width: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride] - Qt names it arg
        """Return the height of all blocks at a width."""
        px = self.theme.px
        return len(self._blocks(width)) * (px(HEAD_PX) + px(ROW_PX) * max(1, len(self.lines)) + px(AXIS_PX)) + 4

    def sizeHint(self) -> QSize:
        """Return the size for the present width."""
        return QSize(self.theme.px(600), self.heightForWidth(max(self.width(), self.minimumSizeHint().width())))

    def minimumSizeHint(self) -> QSize:
        """Return room for the reviewer and the widest column."""
        return QSize(self.theme.px(COLUMNS[0].width + max(one.width for one in COLUMNS[1:]) + _GAP), 80)

    def _blocks(self, width: int) -> list[list[BoardColumn]]:
        """Return the columns of each block; those that may give way are left out where they need one more."""
        px = self.theme.px
        if px(sum(one.width for one in COLUMNS)) <= width:
            return [list(COLUMNS)]
        room = width - px(COLUMNS[0].width)
        blocks, used = [[COLUMNS[0]]], 0
        for column in COLUMNS[1:]:
            if column.extra:
                continue
            if used and used + px(column.width) > room:
                blocks.append([COLUMNS[0]])
                used = 0
            blocks[-1].append(column)
            used += px(column.width)
        return blocks

    def paint(self, painter: QPainter) -> None:
        """Draw the blocks."""
        px, top = self.theme.px, 0.0
        for block in self._blocks(self.width()):
            share = max(1.0, self.width() / px(sum(one.width for one in block)))
            left = 0.0
            for column in block:
                wide = px(column.width) * min(share, 1.6)
                area = QRectF(left, top + px(HEAD_PX), wide - px(_GAP), px(ROW_PX) * len(self.lines))
                self._head(painter, column, QRectF(left, top, wide, px(HEAD_PX)))
                self._column(painter, column, area)
                left += wide
            bottom = top + px(HEAD_PX) + px(ROW_PX) * len(self.lines)
            painter.setPen(self.pen("border"))
            for row in range(len(self.lines) + 1):
                y = bottom - row * px(ROW_PX)
                painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
            top = bottom + px(AXIS_PX)

    def _font(self, painter: QPainter, size: int = TEXT_PX, *, strong: bool = False) -> QFontMetricsF:
        weight = QFont.Weight.DemiBold if strong else QFont.Weight.Normal
        painter.setFont(self.theme.font(size, weight=weight))
        return QFontMetricsF(painter.font())

    def _head(self, painter: QPainter, column: BoardColumn, room: QRectF) -> None:
        painter.fillRect(room, self.colour("sunken"))
        metrics = self._font(painter, 12, strong=True)
        words = metrics.elidedText(column.title, Qt.TextElideMode.ElideRight, room.width() - 6)
        self.write(painter, room.adjusted(4, 0, 0, 0), words, "text2", _LEFT)

    def _column(self, painter: QPainter, column: BoardColumn, area: QRectF) -> None:
        plain: dict[str, Callable[[QPainter, ReviewerLine, QRectF], None]] = {
            "name": self._name,
            "progress": self._progress,
            "pace": self._pace,
        }
        plot = area.adjusted(self.theme.px(column.text) + 4, 0, -8, 0) if column.keys else QRectF()
        low, high = self._range(column)
        if column.keys:
            self._axis(painter, column, plot, low, high)
        for place, line in enumerate(self.lines):
            row = QRectF(
                area.left() + 4, area.top() + place * self.theme.px(ROW_PX), area.width(), self.theme.px(ROW_PX)
            )
            if column.key in plain:
                plain[column.key](painter, line, row)
            elif column.keys:
                self._intervals(painter, column, line, row, plot, (low, high))
            elif (mark := line.marks.get(column.key)) is not None:
                self._text(painter, mark.head, row, "text")
                self._spot(row, mark.place, mark.words)

    # Words

    def _text(
        self, painter: QPainter, words: str, room: QRectF, token: str, size: int = TEXT_PX, *, strong: bool = False
    ) -> QRectF:
        """Write words in a room, cut where it ends; return where they stand."""
        metrics = self._font(painter, size, strong=strong)
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width() - 4)
        self.write(painter, room, shown, token, _LEFT)
        middle = room.center().y()
        return QRectF(room.left(), middle - metrics.height() / 2, metrics.horizontalAdvance(shown), metrics.height())

    def _third(self, row: QRectF, place: int) -> QRectF:
        high = (row.height() - 8) / 3
        return QRectF(row.left(), row.top() + 4 + place * high, row.width(), high)

    def _spot(self, area: QRectF, place: PairsPlace | None, words: str) -> None:
        self.spots.append(Spot(area, place, words))

    def _name(self, painter: QPainter, line: ReviewerLine, row: QRectF) -> None:
        upper, lower = (row, QRectF()) if not line.note else (self._half(row, 0), self._half(row, 1))
        self._spot(self._text(painter, line.name, upper, "text", strong=True), line.everything, line.everything.title)
        if line.note:
            self._text(painter, line.note, lower, "text3", SMALL_PX)

    def _half(self, row: QRectF, place: int) -> QRectF:
        high = (row.height() - 16) / 2
        return QRectF(row.left(), row.top() + 8 + place * high, row.width(), high)

    def _progress(self, painter: QPainter, line: ReviewerLine, row: QRectF) -> None:
        room = self._text(painter, line.progress, self._third(row, 0), "accent", 12)
        self._spot(room, line.everything, f"{line.name}: {line.progress} {line.share}")
        bar = self._third(row, 1).adjusted(0, 0, -6, 0)
        bar = QRectF(bar.left(), bar.center().y() - self.theme.px(3), bar.width(), self.theme.px(6))
        painter.fillRect(bar, self.colour("sunken"))
        total, left = sum(line.counts) or 1, bar.left()
        for count, token in zip(line.counts[:2], ("accent", "text3"), strict=True):
            wide = bar.width() * count / total
            painter.fillRect(QRectF(left, bar.top(), wide, bar.height()), self.colour(token))
            left += wide
        self._text(painter, line.share, self._third(row, 2), "text3", SMALL_PX)

    def _pace(self, painter: QPainter, line: ReviewerLine, row: QRectF) -> None:
        mark = line.marks.get("seconds")
        room = self._text(painter, line.pace, self._third(row, 0), "text", strong=mark is not None)
        if mark is not None:
            self._spot(room, None, mark.words)
        self._text(painter, line.left, self._third(row, 1), "text3", SMALL_PX)
        if line.hint:
            room = self._text(painter, line.hint, self._third(row, 2), "warn", SMALL_PX)
            self._spot(room, line.hint_place, f"{line.hint}; a hint, never a rejection")

    # Intervals

    def _range(self, column: BoardColumn) -> tuple[float, float]:
        marks = [line.marks[key] for line in self.lines for key in column.keys if key in line.marks]
        ends = [end for mark in marks for end in (mark.low, mark.high, mark.value)] + [column.line]
        low, high = bounds(ends, least=0.3, share=0.04)
        return low, min(1.0, high) if column.key != "length" else high

    def _axis(self, painter: QPainter, column: BoardColumn, plot: QRectF, low: float, high: float) -> None:
        metrics = self._font(painter, SMALL_PX)
        wide = metrics.horizontalAdvance("−0.00") + 12
        spacing, ticks = linear_ticks(low, high, max(2, int(plot.width() / wide)))
        for tick in ticks:
            x = _at(plot, low, high, tick)
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
            room = QRectF(x - wide / 2, plot.bottom() + 2, wide, metrics.height())
            self.write(painter, room, _tick(tick, spacing), "text2", Qt.AlignmentFlag.AlignHCenter)
        if math.isfinite(column.line):
            x = _at(plot, low, high, column.line)
            painter.setPen(self.pen("text2", 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        left = plot.left() - self.theme.px(column.text)
        room = QRectF(left, plot.bottom() + 2 + metrics.height(), plot.right() - left + 10, metrics.height())
        words = metrics.elidedText(column.axis, Qt.TextElideMode.ElideRight, room.width())
        self.write(painter, room, words, "text3", Qt.AlignmentFlag.AlignRight)

    def _intervals(
        self,
        painter: QPainter,
        column: BoardColumn,
        line: ReviewerLine,
        row: QRectF,
        plot: QRectF,
        ends: tuple[float, float],
    ) -> None:
        several = len(column.keys) > 1
        for place, key in enumerate(column.keys):
            room = self._half(row, place) if several else row
            mark = line.marks.get(key)
            text = QRectF(row.left(), room.top(), plot.left() - row.left() - 6, room.height())
            if several:
                self._text(painter, "swapped" if place else "same side", text, "text2", SMALL_PX)
                text = text.adjusted(self.theme.px(64), 0, 0, 0)
            if mark is None or not math.isfinite(mark.value):
                self._text(painter, "–", text, "text3")
                continue
            self._beside(painter, mark, text)
            self._interval(painter, mark, plot, ends, room.center().y(), hollow=place == 1)
            self._spot(QRectF(row.left(), room.top(), row.width() - 8, room.height()), mark.place, mark.words)

    def _beside(self, painter: QPainter, mark: IntervalMark, text: QRectF) -> None:
        token = "warn" if mark.alarm else "text"
        if not mark.foot:
            self._text(painter, mark.head, text, token, 12, strong=True)
            return
        self._text(painter, mark.head, self._half(text, 0), token, strong=True)
        self._text(painter, mark.foot, self._half(text, 1), "text3", SMALL_PX)

    def _interval(
        self, painter: QPainter, mark: IntervalMark, plot: QRectF, ends: tuple[float, float], y: float, *, hollow: bool
    ) -> None:
        token = "warn" if mark.alarm else "plot_rejected" if hollow else "plot_chosen"
        painter.setPen(self.pen(token, 2))
        if math.isfinite(mark.low):
            left, right = _at(plot, *ends, mark.low), _at(plot, *ends, mark.high)
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            for x in (left, right):
                painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
        painter.setBrush(self.colour("surface" if hollow else token))
        radius = self.theme.px(4)
        painter.drawEllipse(QPointF(_at(plot, *ends, mark.value), y), radius, radius)


def _at(area: QRectF, low: float, high: float, value: float) -> float:
    return area.left() + (value - low) / ((high - low) or 1.0) * area.width()


def _tick(value: float, spacing: float) -> str:
    digits = max(0, -math.floor(math.log10(spacing))) if spacing < 1 else 0
    return f"{value:.{digits}f}".replace("-", MINUS)
