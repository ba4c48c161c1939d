"""The frontier: quality of runs against what they pay in KL, with the interval of both and the line of the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds

SERIES_TOKENS = ("plot_chosen", "plot_held_out", "plot_accuracy", "plot_margin", "plot_rejected", "plot_kl")
"""Colours of what varies, in the order of its values."""
_LEAST = 0.1
_BEATEN = 0.38
"""Share of its colour that a beaten mark keeps."""
_NOTE = "line: the best · greyed: beaten by another · hollow: another objective"
_LEFT = Qt.AlignmentFlag.AlignLeft


@dataclass(frozen=True, slots=True)
class RunFrontierMark:
    """One run.

    Attributes:
        key: what opening it tells. label: what stands beside it.
        x, y: value, low and high end of KL and quality; NaN ends where no interval is known.
        series: number of what it varies in, which gives its colour.
        beaten: whether another one has no more KL, no less quality, and more of one.
        hollow: whether its objective is another one than most others'.
        ringed: whether the page is on it. words: its numbers for a tooltip and screen readers.
    """

    key: str
    label: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    series: int
    beaten: bool
    hollow: bool
    words: str
    ringed: bool = False


@dataclass(frozen=True, slots=True)
class FrontierAxes:
    """Titles, what the colours mean, and the quality of the reference (NaN where it is not known)."""

    x_title: str
    y_title: str
    series: tuple[str, ...] = ()
    reference: float = math.nan
    reference_words: str = ""
    higher: bool = True


def staircase(marks: Sequence[RunFrontierMark], *, higher: bool = True) -> list[tuple[float, float]]:
    """Return the corners of the line through the marks that none beats, by KL; it is flat until the next one.

    >>> a = RunFrontierMark("a", "", (1.0, 1, 1), (0.6, 0, 1), 0, False, False, "")
    >>> b = RunFrontierMark("b", "", (3.0, 1, 1), (0.8, 0, 1), 0, False, False, "")
    >>> staircase([b, a])
    [(1.0, 0.6), (3.0, 0.6), (3.0, 0.8)]
    """
    best = sorted(((m.x[0], m.y[0]) for m in marks if not m.beaten), key=lambda p: (p[0], p[1] if higher else -p[1]))
    corners: list[tuple[float, float]] = []
    for x, y in best:
        if corners:
            corners.append((x, corners[-1][1]))
        corners.append((x, y))
    return corners


class RunFrontierChart(PaintedChart):
    """Crosses of intervals, the line of the best, names beside the marks; opening a mark tells its key."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Frontier")
        self.marks: tuple[RunFrontierMark, ...] = ()
        self.axes = FrontierAxes("", "")

    def show_frontier(self, marks: Sequence[RunFrontierMark], axes: FrontierAxes) -> None:
        """Show runs of one group."""
        self.marks, self.axes = tuple(marks), axes
        self._current = -1
        self.setAccessibleDescription("; ".join(mark.words for mark in self.marks))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which crosses of some runs stand apart."""
        return QSize(self.theme.px(620), self.theme.px(340))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(280), self.theme.px(240))

    # Painting

    def paint(self, painter: QPainter) -> None:
        """Draw legend, axes, reference, line and marks."""
        if not self.marks:
            return
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        height = metrics.height()
        top = self._legend(painter, metrics)
        self.write(painter, QRectF(0, top, self.width(), height), f"↑ {self.axes.y_title}", "text3", _LEFT)
        left = metrics.horizontalAdvance("0.00") + 10
        area = QRectF(QPointF(left, top + height + 8), QPointF(self.width() - 14, self.height() - 2 * height - 8))
        if area.width() < 20 or area.height() < 20:
            return
        low, high = bounds(self._ends(), least=_LEAST)
        most = 1.06 * max(max(mark.x[0], _or(mark.x[2], mark.x[0])) for mark in self.marks) or 1.0
        self.x_axis(painter, area, 0.0, most, self.axes.x_title, digits=2 if most < 1 else 1)
        self.y_ticks(painter, area, low, high)

        def place(x: float, y: float) -> QPointF:
            share = (y - low) / (high - low)
            return QPointF(area.left() + x / most * area.width(), area.bottom() - share * area.height())

        self._reference(painter, area, place(0.0, self.axes.reference), metrics)
        self._line(painter, [place(*corner) for corner in staircase(self.marks, higher=self.axes.higher)], area)
        at = [place(mark.x[0], mark.y[0]) for mark in self.marks]
        for mark, centre in zip(self.marks, at, strict=True):
            ends = [(place(mark.x[1], mark.y[0]), place(mark.x[2], mark.y[0])) if _known(mark.x) else None]
            ends += [(place(mark.x[0], mark.y[1]), place(mark.x[0], mark.y[2])) if _known(mark.y) else None]
            self._mark(painter, mark, centre, [end for end in ends if end is not None])
        self._labels(painter, at, metrics)

    def _ends(self) -> list[float]:
        values = [value for mark in self.marks for value in mark.y]
        return [*values, self.axes.reference]

    def _legend(self, painter: QPainter, metrics: QFontMetricsF) -> float:
        """Write what colours and strokes mean, in as many lines as they need; return where the next line begins."""
        half, x, top = float(self.theme.px(4)), 0.0, 0.0
        for number, name in enumerate(self.axes.series):
            width = metrics.horizontalAdvance(name) + 3 * half + 14
            if x and x + width > self.width():
                x, top = 0.0, top + metrics.height() + 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour(_token(number)))
            painter.drawEllipse(QPointF(x + half + 1, top + metrics.height() / 2), half, half)
            self.write(painter, QRectF(x + 3 * half, top, width, metrics.height()), name, "text2", _LEFT)
            x += width
        top += (metrics.height() + 2) if self.axes.series else 0.0
        shown = metrics.elidedText(_NOTE, Qt.TextElideMode.ElideRight, self.width() - 4)
        self.write(painter, QRectF(0, top, self.width(), metrics.height()), shown, "text3", _LEFT)
        return top + metrics.height() + 4

    def _reference(self, painter: QPainter, area: QRectF, at: QPointF, metrics: QFontMetricsF) -> None:
        if not math.isfinite(at.y()):
            return
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(area.left(), at.y()), QPointF(area.right(), at.y()))
        room = QRectF(area.left(), at.y() - metrics.height() - 1, area.width(), metrics.height())
        self.write(painter, room, self.axes.reference_words, "text3", Qt.AlignmentFlag.AlignRight)

    def _line(self, painter: QPainter, corners: list[QPointF], area: QRectF) -> None:
        """Draw the line of the best to the right edge, and shade what lies beyond it."""
        if not corners:
            return
        path = [*corners, QPointF(area.right(), corners[-1].y())]
        edge = area.bottom() if self.axes.higher else area.top()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour("text3", 0.07))
        painter.drawPolygon(QPolygonF([QPointF(path[0].x(), edge), *path, QPointF(area.right(), edge)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self.pen("text", 1.4))
        painter.drawPolyline(QPolygonF(path))

    def _mark(self, painter: QPainter, mark: RunFrontierMark, at: QPointF, bars: list[tuple[QPointF, QPointF]]) -> None:
        """Draw the intervals as a cross and the mark on it, with a ring around the one that the page is on."""
        half, share = float(self.theme.px(5)), _BEATEN if mark.beaten else 1.0
        pen = self.pen(_token(mark.series), 1.6)
        pen.setColor(self.colour(_token(mark.series), share))
        painter.setPen(pen)
        for bar in bars:
            painter.drawLine(*bar)
        painter.setBrush(self.colour("surface") if mark.hollow else pen.color())
        painter.drawEllipse(at, half, half)
        if mark.ringed:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self.pen("text", 1.4))
            painter.drawEllipse(at, half + 4, half + 4)
        self.spots.append(Spot(QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half), mark.key, mark.words))

    def _labels(self, painter: QPainter, at: Sequence[QPointF], metrics: QFontMetricsF) -> None:
        """Name the marks, the best first; a name without room beside its mark is left to the tooltip."""
        taken = [spot.area for spot in self.spots]
        order = sorted(range(len(self.marks)), key=lambda n: (self.marks[n].beaten, not self.marks[n].ringed))
        for number in order:
            mark, size = self.marks[number], metrics.horizontalAdvance(self.marks[number].label) + 4
            for dx, dy in ((9, -1.2), (9, 0.2), (-9 - size, -1.2), (-9 - size, 0.2)):
                room = QRectF(at[number].x() + dx, at[number].y() + dy * metrics.height(), size, metrics.height())
                inside = room.left() >= 0 and room.right() <= self.width() and room.top() > 0
                if inside and not any(room.intersects(other) for other in taken):
                    taken.append(room)
                    self.write(painter, room, mark.label, "text3" if mark.beaten else "text", _LEFT)
                    break


def _token(series: int) -> str:
    return SERIES_TOKENS[series % len(SERIES_TOKENS)]


def _known(value: tuple[float, float, float]) -> bool:
    return all(math.isfinite(end) for end in value)


def _or(value: float, other: float) -> float:
    return value if math.isfinite(value) else other
