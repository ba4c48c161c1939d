"""Right answers among the last gold items while time goes on: a line a reviewer, broken where the rubric changed."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.annotate.team_figures import PairsPlace, percent_words
from app.local_time import local_time
from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from core.domain.counting import number
from core.domain.team import GOLD_WINDOW, PASS_MARK, Drift, DriftLine, DriftPoint

_COLOURS = ("plot_rejected", "plot_chosen", "plot_accuracy", "plot_margin", "plot_held_out")
_HOUR_MS = 3_600_000
_MONTH_DAY, _CLOCK = "%d %b", "%H:%M"


class DriftChart(PaintedChart):
    """Lines with a sign of their own for each reviewer; a point opens the gold items answered wrong."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Drift on gold items")
        self.drift = Drift()

    def show_drift(self, drift: Drift) -> None:
        """Show other lines."""
        self.drift = drift
        last = [f"{one.name}: {percent_words(one.points[-1].share)} %" for one in drift.lines]
        self.setAccessibleDescription("; ".join(last))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which lines can be told apart."""
        return QSize(self.theme.px(420), self.theme.px(270))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which axes and names can be read."""
        return QSize(self.theme.px(260), self.theme.px(220))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, breaks, the pass mark and the lines."""
        points = [point for line in self.drift.lines for point in line.points]
        if not points:
            return
        painter.setFont(self.theme.font(11))
        metrics = QFontMetricsF(painter.font())
        names = max(metrics.horizontalAdvance(f"{line.name} 100 %") for line in self.drift.lines) + self.theme.px(12)
        area = QRectF(metrics.horizontalAdvance("100") + 10, 2 * metrics.height() + 8, 0, 0)
        area.setRight(max(area.left() + 40, self.width() - min(names, self.width() * 0.3)))
        area.setBottom(self.height() - 2 * metrics.height() - 8)
        times = [point.at_ms for point in points]
        span = (min(times), max(max(times), min(times) + _HOUR_MS))
        low = max(0.0, min(10 * (min(point.share.value for point in points) * 10 // 1) - 10, 60.0))
        self._axes(painter, area, span, low, metrics)
        self._breaks(painter, area, span, metrics)
        placed = self._label_places(area, low, metrics)
        order = sorted({line.reviewer_id for line in self.drift.lines})
        for line in self.drift.lines:
            place = order.index(line.reviewer_id)
            self._line(painter, line, place, area, span, low)
        for line, y in placed:
            token = _COLOURS[order.index(line.reviewer_id) % len(_COLOURS)]
            words = f"{line.name} {100 * line.points[-1].share.value:.0f} %"
            room = QRectF(
                area.right() + self.theme.px(8),
                y - metrics.height() / 2,
                self.width() - area.right() - self.theme.px(8),
                metrics.height(),
            )
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, room.width())
            self.write(painter, room, shown, token, Qt.AlignmentFlag.AlignLeft)

    def _axes(self, painter: QPainter, area: QRectF, span: tuple[int, int], low: float, metrics: QFontMetricsF) -> None:
        step = 10 if low >= 40 else 20
        for tick in range(int(low), 101, step):
            y = _y(area, low, tick / 100)
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 4, metrics.height())
            self.write(painter, room, f"{tick}", "text2", Qt.AlignmentFlag.AlignRight)
        self.write(
            painter,
            QRectF(0, 0, self.width(), metrics.height() + 2),
            f"↑ right among the last {GOLD_WINDOW} gold items, %",
            "text3",
            Qt.AlignmentFlag.AlignLeft,
        )
        y = _y(area, low, PASS_MARK)
        painter.setPen(self.pen("text3", 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        room = QRectF(area.left() + 4, y, area.width(), metrics.height())
        self.write(painter, room, f"pass mark {100 * PASS_MARK:.0f}", "text3", Qt.AlignmentFlag.AlignLeft)
        self._days(painter, area, span, metrics)

    def _days(self, painter: QPainter, area: QRectF, span: tuple[int, int], metrics: QFontMetricsF) -> None:
        pattern = _MONTH_DAY if span[1] - span[0] > timedelta(days=2) / timedelta(milliseconds=1) else _CLOCK
        wide = metrics.horizontalAdvance("00 MMM") + 14
        count = max(2, min(7, int(area.width() / wide)))
        for place in range(count):
            at = span[0] + (span[1] - span[0]) * place / (count - 1)
            x = _x(area, span, at)
            room = QRectF(max(0.0, x - wide / 2), area.bottom() + 3, wide, metrics.height())
            self.write(painter, room, local_time(at, pattern), "text2", Qt.AlignmentFlag.AlignHCenter)
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        room = QRectF(0, area.bottom() + 3 + metrics.height(), area.right(), metrics.height())
        self.write(painter, room, local_time(span[1], "%Y"), "text3", Qt.AlignmentFlag.AlignRight)

    def _breaks(self, painter: QPainter, area: QRectF, span: tuple[int, int], metrics: QFontMetricsF) -> None:
        for one in self.drift.breaks:
            if not span[0] <= one.at_ms <= span[1]:
                continue
            x = _x(area, span, one.at_ms)
            painter.setPen(self.pen("text2", 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            words = f"{one.title}: lines start anew"
            wide = metrics.horizontalAdvance(words)
            left = min(max(0.0, x - wide / 2), max(0.0, self.width() - wide))
            room = QRectF(left, area.top() - metrics.height() - 2, self.width() - left, metrics.height())
            self.write(painter, room, words, "text2", Qt.AlignmentFlag.AlignLeft)

    def _label_places(self, area: QRectF, low: float, metrics: QFontMetricsF) -> list[tuple[DriftLine, float]]:
        """Return the last line of each reviewer with the height of its name, so that no two names overlap."""
        last = {line.reviewer_id: line for line in sorted(self.drift.lines, key=lambda one: one.points[-1].at_ms)}
        wanted = sorted(last.values(), key=lambda line: -line.points[-1].share.value)
        placed: list[tuple[DriftLine, float]] = []
        for line in wanted:
            y = _y(area, low, line.points[-1].share.value)
            y = max(y, placed[-1][1] + metrics.height()) if placed else y
            placed.append((line, y))
        return placed

    def _line(
        self, painter: QPainter, line: DriftLine, place: int, area: QRectF, span: tuple[int, int], low: float
    ) -> None:
        token = _COLOURS[place % len(_COLOURS)]
        at = [QPointF(_x(area, span, one.at_ms), _y(area, low, one.share.value)) for one in line.points]
        painter.setPen(self.pen(token, 2))
        painter.drawPolyline(QPolygonF(at))
        painter.setBrush(self.colour("surface"))
        for point, one in zip(at, line.points, strict=True):
            self._sign(painter, point, place)
            radius = self.theme.px(5)
            box = QRectF(point.x() - radius, point.y() - radius, 2 * radius, 2 * radius)
            self.spots.append(Spot(box, _place(line, one), point_words(line, one)))

    def _sign(self, painter: QPainter, at: QPointF, place: int) -> None:
        """Draw the sign of a reviewer: circle, square, triangle or diamond, so that colour alone tells nothing."""
        r = float(self.theme.px(4))
        shapes = (
            (),
            ((-r, -r), (r, -r), (r, r), (-r, r)),
            ((0, -r), (r, r), (-r, r)),
            ((0, -r), (r, 0), (0, r), (-r, 0)),
        )
        shape = shapes[place % len(shapes)]
        if not shape:
            painter.drawEllipse(at, r, r)
        else:
            painter.drawPolygon(QPolygonF([QPointF(at.x() + x, at.y() + y) for x, y in shape]))


def point_words(line: DriftLine, point: DriftPoint) -> str:
    """Return a point in words."""
    share = f"{percent_words(point.share)} %, n {number(point.share.n)}"
    return f"{line.name} under {line.version}, until {local_time(point.at_ms)}: {share}"


def _place(line: DriftLine, point: DriftPoint) -> PairsPlace | None:
    title = f"{line.name}: gold items answered wrong until {local_time(point.at_ms)}"
    return PairsPlace(title, point.pairs) if point.pairs else None


def _x(area: QRectF, span: tuple[int, int], at_ms: float) -> float:
    return area.left() + (at_ms - span[0]) / (span[1] - span[0]) * area.width()


def _y(area: QRectF, low: float, share: float) -> float:
    return area.bottom() - (100 * share - low) / (100 - low) * area.height()
