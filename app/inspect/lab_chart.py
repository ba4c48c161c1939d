"""The frontier of the objective lab: expected reward against KL over all betas, with a tangent of slope beta."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.plots.ticks import linear_ticks, tick_text
from core.domain.number_text import format_value, signed

X_TITLE = "KL(π || π ref) on these answers, nats →"
Y_TITLE = "↑ expected reward E[r], r = β₀·h"
_TANGENT = 0.2
"""Share of the x axis that the tangent reaches to each side."""

Place = Callable[[float, float], QPointF]


@dataclass(frozen=True, slots=True)
class LabMark:
    """A point: kind "reference", "beta", "now" or "other", its name, KL and reward; ``beta`` is opened by a press."""

    kind: str
    name: str
    kl: float
    reward: float
    beta: float = math.nan

    @property
    def words(self) -> str:
        """Its values as a sentence."""
        return f"{self.name}: E[r] {signed(self.reward)}, KL {format_value(self.kl)} nats"


class LabFrontier(PaintedChart):
    """The curve, named betas, the present one with its tangent, other runs below the line; a press sets its beta."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Frontier")
        self.path: tuple[tuple[float, float], ...] = ()
        self.marks: tuple[LabMark, ...] = ()
        self._beta, self._best, self._best_words = 0.1, 0.0, ""
        self._points: list[QPointF] = []

    def show_frontier(
        self,
        path: Sequence[tuple[float, float]],
        marks: Sequence[LabMark],
        *,
        beta: float,
        best: float,
        words: str,
    ) -> None:
        """Show a curve of (KL, reward) with its marks; ``best`` is the largest reward, named by ``words``."""
        self.path, self.marks = tuple(path), tuple(marks)
        self._beta, self._best, self._best_words = beta, best, words
        self.setAccessibleDescription("; ".join(mark.words for mark in self.marks))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the names of the points have room."""
        return QSize(self.theme.px(420), self.theme.px(340))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(240), self.theme.px(260))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, the curve, the tangent and the marks."""
        if not self.path:
            return
        painter.setFont(self.theme.font(11))
        line = QFontMetricsF(painter.font()).height()
        (most, low, high), spacing = self._ends(), 1.0
        spacing, ticks = linear_ticks(low, high, 6)
        left = max(QFontMetricsF(painter.font()).horizontalAdvance(tick_text(tick, spacing)) for tick in ticks or [0.0])
        area = QRectF(QPointF(left + 10, line + 8), QPointF(self.width() - 12, self.height() - 2 * line - 10))
        if area.width() < 30 or area.height() < 30:
            return

        def place(x: float, y: float) -> QPointF:
            return QPointF(
                area.left() + x / most * area.width(), area.bottom() - (y - low) / (high - low) * area.height()
            )

        self.write(painter, QRectF(0, 0, self.width(), line), Y_TITLE, "text3", Qt.AlignmentFlag.AlignLeft)
        self.x_axis(painter, area, 0.0, most, X_TITLE, digits=1)
        self._y_axis(painter, area, ticks, spacing, place)
        self._curve(painter, area, place)
        self._tangent(painter, area, most, place)
        self._points = [place(*point) for point in self.path]
        taken: list[QRectF] = []
        for mark in sorted(self.marks, key=lambda mark: ("now", "other", "beta", "reference").index(mark.kind)):
            self._mark(painter, mark, area, place, taken)

    def _ends(self) -> tuple[float, float, float]:
        """Return the largest KL, and both ends of the rewards."""
        kls = [kl for kl, _ in self.path] + [mark.kl for mark in self.marks]
        rewards = [reward for _, reward in self.path] + [mark.reward for mark in self.marks] + [self._best]
        most, low, high = max(kls), min(rewards), max(rewards)
        room = max(0.08 * (high - low), 1e-6)
        return max(1.06 * most, 1e-3), low - 1.5 * room, high + room

    def _y_axis(self, painter: QPainter, area: QRectF, ticks: Sequence[float], spacing: float, place: Place) -> None:
        height = QFontMetricsF(painter.font()).height()
        for tick in ticks:
            y = place(0.0, tick).y()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - height / 2, area.left() - 5, height)
            self.write(painter, room, tick_text(tick, spacing), "text2", Qt.AlignmentFlag.AlignRight)

    def _curve(self, painter: QPainter, area: QRectF, place: Place) -> None:
        points = [place(*point) for point in self.path]
        under = QPolygonF([QPointF(points[0].x(), area.bottom()), *points, QPointF(points[-1].x(), area.bottom())])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour("plot_margin", 0.08))
        painter.drawPolygon(under)
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DotLine))
        top = place(0.0, self._best).y()
        painter.drawLine(QPointF(area.left(), top), QPointF(area.right(), top))
        height = QFontMetricsF(painter.font()).height()
        room = QRectF(area.left() + 4, top - height - 1, area.width() - 8, height)
        self.write(painter, room, self._best_words, "text2", Qt.AlignmentFlag.AlignLeft)
        painter.setPen(self.pen("plot_margin", 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))

    def _tangent(self, painter: QPainter, area: QRectF, most: float, place: Place) -> None:
        now = next((mark for mark in self.marks if mark.kind == "now"), None)
        if now is None:
            return
        reach = _TANGENT * most
        ends = [(now.kl + side * reach, now.reward + side * reach * self._beta) for side in (-1, 1)]
        painter.save()
        painter.setClipRect(area)
        painter.setPen(self.pen("accent", 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(place(*ends[0]), place(*ends[1]))
        painter.restore()

    def _mark(self, painter: QPainter, mark: LabMark, area: QRectF, place: Place, taken: list[QRectF]) -> None:
        at, half = place(mark.kl, mark.reward), float(self.theme.px(4 if mark.kind != "now" else 6))
        colours = {"now": "accent", "other": "plot_held_out", "beta": "plot_margin", "reference": "text2"}
        painter.setPen(self.pen(colours[mark.kind], 1.6))
        painter.setBrush(self.colour("accent" if mark.kind == "now" else "surface"))
        if mark.kind == "other":
            diamond = [QPointF(0, -half - 2), QPointF(half + 2, 0), QPointF(0, half + 2), QPointF(-half - 2, 0)]
            painter.drawPolygon(QPolygonF([at + corner for corner in diamond]))
        else:
            painter.drawEllipse(at, half, half)
        spot = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
        self.spots.append(Spot(spot, mark.beta, mark.words))
        lines = [mark.name, *(["slope of the frontier here = β"] if mark.kind == "now" else [])]
        self._name(painter, lines, at, half, area, taken, is_now=mark.kind == "now")

    def _name(
        self,
        painter: QPainter,
        lines: Sequence[str],
        at: QPointF,
        half: float,
        area: QRectF,
        taken: list[QRectF],
        *,
        is_now: bool,
    ) -> None:
        """Write a name beside its point, where no other name stands; without room it is left to the tooltip."""
        metrics = QFontMetricsF(painter.font())
        width, height = max(map(metrics.horizontalAdvance, lines)) + 4, metrics.height() * len(lines)
        far, aligned = height + half + 6, area.right() + 8 - at.x() - width
        corners = (
            QPointF(half + 4, 2), QPointF(-width - half - 4, -height - 2), QPointF(half + 4, far / 2),
            QPointF(-width / 2, far / 2), QPointF(-width / 2, far), QPointF(aligned, far / 2),
            QPointF(aligned, far), QPointF(aligned, 1.7 * far), QPointF(-width, far),
            QPointF(half + 4, -height - 2), QPointF(-width - half - 4, -far), QPointF(-width - half - 4, 2),
        )  # fmt: skip
        inside = area.adjusted(0, -metrics.height(), 10, 0)
        for corner in corners:
            room = QRectF(at + corner, at + corner + QPointF(width, height))
            crossed = any(room.intersects(other) for other in taken) or any(map(room.contains, self._points))
            if inside.contains(room) and not crossed:
                break
        else:
            if not is_now:
                return
            room = QRectF(at + corners[3], at + corners[3] + QPointF(width, height))
            room.moveRight(min(room.right(), area.right()))
        taken.append(room)
        for place, words in enumerate(lines):
            part = QRectF(room.left(), room.top() + place * metrics.height(), room.width(), metrics.height())
            token = "accent" if place else "text" if is_now else "text2"
            self.write(painter, part, words, token, Qt.AlignmentFlag.AlignLeft)
