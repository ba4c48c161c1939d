"""The plane of help and safety: over-refusal of benign requests to the right, safe refusal of harmful ones upwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds

X_TITLE, Y_TITLE = "over-refusal on benign prompts (%), lower is better →", "↑ safe refusal, harmful (%)"
_SHAPES = {"reference": "square", "aligned": "dot"}
_TOKENS = {"reference": "text", "aligned": "plot_chosen"}


@dataclass(frozen=True, slots=True)
class PlanePoint:
    """One arm, in per cent.

    Attributes:
        kind: of the arm; reference and aligned are drawn large, others as small diamonds.
        x, y: value, low and high end of each rate.
        audited: whether people measured the detector's errors on this arm; the ellipse is dashed else.
        words: both rates with interval and n.
    """

    name: str
    kind: str
    x: tuple[float, float, float]
    y: tuple[float, float, float]
    audited: bool
    words: str


class SafetyPlane(PaintedChart):
    """Arms with the ellipses of their 95 % intervals, an arrow from the reference to the policy, the veto hatched."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Help and safety")
        self.points: tuple[PlanePoint, ...] = ()
        self._names: list[QRectF] = []
        self._margins = (3.0, 2.0)

    def show_points(self, points: Sequence[PlanePoint], *, over: float, safe: float) -> None:
        """Show arms; ``over`` and ``safe`` are the points that the veto allows from the reference."""
        self.points, self._margins = tuple(points), (over, safe)
        self.setAccessibleDescription("; ".join(point.words for point in self.points))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that holds ellipses and labels."""
        return QSize(self.theme.px(320), self.theme.px(260))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the labels can be read."""
        return QSize(self.theme.px(200), self.theme.px(220))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, veto, ellipses, arrow and points."""
        painter.setFont(self.theme.font(12))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        area = QRectF(metrics.horizontalAdvance("100") + 10, line + 6, 0, 0)
        area.setRight(self.width() - 8)
        area.setBottom(self.height() - 2 * line - 8)
        xs = bounds([v for point in self.points for v in point.x], least=8)
        ys = bounds([v for point in self.points for v in point.y], least=8)
        xs, ys = (max(-2.0, xs[0]), min(102.0, xs[1])), (max(-2.0, ys[0]), min(102.0, ys[1]))
        self.x_axis(painter, area, *xs, X_TITLE)
        self.y_axis(painter, area, *ys, Y_TITLE)

        def place(x: float, y: float) -> QPointF:
            return QPointF(
                area.left() + (x - xs[0]) / (xs[1] - xs[0]) * area.width(),
                area.bottom() - (y - ys[0]) / (ys[1] - ys[0]) * area.height(),
            )

        painter.save()
        painter.setClipRect(area)
        by_kind = {point.kind: point for point in self.points}
        before, after = by_kind.get("reference"), by_kind.get("aligned")
        if before is not None:
            self._veto(painter, area, place(before.x[0] + self._margins[0], before.y[0] - self._margins[1]))
        for point in self.points:
            if point.kind in _SHAPES:
                self._ellipse(painter, point, place)
        painter.restore()
        if before is not None and after is not None:
            self._arrow(painter, place(before.x[0], before.y[0]), place(after.x[0], after.y[0]))
        self._names = []
        for point in self.points:
            self._point(painter, area, point, place(point.x[0], point.y[0]), metrics)

    def _veto(self, painter: QPainter, area: QRectF, corner: QPointF) -> None:
        """Hatch what the gate forbids: too far to the right, or too far down."""
        right = QRectF(corner.x(), area.top(), area.right() - corner.x(), area.height())
        below = QRectF(area.left(), corner.y(), corner.x() - area.left(), area.bottom() - corner.y())
        for part in (right, below):
            if part.width() > 0 and part.height() > 0:
                painter.fillRect(part, self.colour("bad", 0.08))
                painter.fillRect(part, QBrush(self.colour("bad", 0.35), Qt.BrushStyle.BDiagPattern))
        painter.setPen(self.pen("bad", 1, Qt.PenStyle.DashLine))
        painter.drawPolyline(QPolygonF([QPointF(corner.x(), area.top()), corner, QPointF(area.left(), corner.y())]))

    def _ellipse(self, painter: QPainter, point: PlanePoint, place: object) -> None:
        ends = (*point.x[1:], *point.y[1:])
        if not all(math.isfinite(end) for end in ends):
            return
        low, high = place(point.x[1], point.y[1]), place(point.x[2], point.y[2])  # type: ignore[operator]
        token = _TOKENS[point.kind]
        style = Qt.PenStyle.SolidLine if point.audited else Qt.PenStyle.DashLine
        painter.setPen(self.pen(token, 2, style))
        painter.setBrush(self.colour(token, 0.10))
        painter.drawEllipse(QRectF(low, high).normalized())

    def _arrow(self, painter: QPainter, start: QPointF, end: QPointF) -> None:
        length = math.hypot(end.x() - start.x(), end.y() - start.y())
        if length < self.theme.px(16):
            return
        ux, uy = (end.x() - start.x()) / length, (end.y() - start.y()) / length
        tip = QPointF(end.x() - 7 * ux, end.y() - 7 * uy)
        painter.setPen(self.pen("text", 2))
        painter.drawLine(start, tip)
        back, side = self.theme.px(8), self.theme.px(4)
        head = [
            tip,
            QPointF(tip.x() - back * ux + side * uy, tip.y() - back * uy - side * ux),
            QPointF(tip.x() - back * ux - side * uy, tip.y() - back * uy + side * ux),
        ]
        painter.setBrush(self.colour("text"))
        painter.drawPolygon(QPolygonF(head))

    def _point(self, painter: QPainter, area: QRectF, point: PlanePoint, at: QPointF, metrics: QFontMetricsF) -> None:
        half = float(self.theme.px(5))
        painter.setPen(self.pen("surface", 1))
        painter.setBrush(self.colour(_TOKENS.get(point.kind, "plot_accuracy")))
        box = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
        if point.kind == "reference":
            painter.drawRect(box)
        elif point.kind == "aligned":
            painter.drawEllipse(box)
        else:
            corners = [QPointF(at.x(), box.top()), QPointF(box.right(), at.y()), QPointF(at.x(), box.bottom())]
            painter.drawPolygon(QPolygonF([*corners, QPointF(box.left(), at.y())]))
        room = self._label_room(area, at, QSizeF(metrics.horizontalAdvance(point.name) + 6, metrics.height()), half)
        painter.fillRect(room, self.colour("surface", 0.75))
        self.write(painter, room, point.name, "text", Qt.AlignmentFlag.AlignHCenter)
        self.spots.append(Spot(box, point.name, point.words))

    def _label_room(self, area: QRectF, at: QPointF, size: QSizeF, half: float) -> QRectF:
        """Return where a name stands: beside its mark, the first of four places that is free and inside."""
        above, below = at.y() - size.height() - half / 2, at.y() + half / 2
        right, left = at.x() + half + 3, at.x() - half - size.width()
        rooms = [QRectF(QPointF(x, y), size) for x in (right, left) for y in (above, below)]
        inside = [room for room in rooms if area.left() <= room.left() and room.right() < area.right()] or rooms
        free = [room for room in inside if not any(room.intersects(other) for other in self._names)]
        self._names.append((free or inside)[0])
        return self._names[-1]
