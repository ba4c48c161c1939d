"""How the optimum of the objective lab changes with beta: the share of each answer, and how many answers decide."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.plots.ticks import linear_ticks, log_ticks, tick_text

X_TITLE = "β, log axis →"
_COLOURS = ("plot_margin", "plot_chosen", "plot_rejected", "plot_accuracy", "plot_held_out", "plot_kl")
_STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class OverBetaChart(PaintedChart):
    """Lines over beta with the present one as a dashed line; a press or the arrows set another beta.

    Args:
        theme: colours and sizes.
        name: what it shows. y_title: of its axis.
    """

    def __init__(self, theme: Theme, name: str, y_title: str) -> None:
        super().__init__(theme, name)
        self._y_title = y_title
        self.betas: tuple[float, ...] = ()
        self.lines: tuple[tuple[str, tuple[float, ...]], ...] = ()
        self._beta, self._trained, self._top = 0.1, 0.1, 1.0

    def show_lines(
        self,
        betas: Sequence[float],
        lines: Sequence[tuple[str, Sequence[float]]],
        *,
        beta: float,
        trained: float,
        top: float,
    ) -> None:
        """Show named lines over rising betas; ``top`` is the upper end of the axis."""
        self.betas, self.lines = tuple(betas), tuple((name, tuple(values)) for name, values in lines)
        self._beta, self._trained, self._top = beta, trained, top
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the names have room."""
        return QSize(self.theme.px(360), self.theme.px(230))

    def minimumSizeHint(self) -> QSize:
        """Return the least size at which the axes can be read."""
        return QSize(self.theme.px(200), self.theme.px(180))

    def paint(self, painter: QPainter) -> None:
        """Draw axes, lines, the beta of the run and the present one."""
        if len(self.betas) < 2:
            return
        painter.setFont(self.theme.font(11))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height()
        names = max((metrics.horizontalAdvance(name) for name, _ in self.lines), default=0.0) + 8
        left = metrics.horizontalAdvance("0.00") + 10
        area = QRectF(QPointF(left, line + 8), QPointF(self.width() - names - 4, self.height() - 2 * line - 8))
        if area.width() < 30 or area.height() < 30:
            return
        low, high = math.log10(self.betas[0]), math.log10(self.betas[-1])

        def place(beta: float, value: float) -> QPointF:
            across = (math.log10(beta) - low) / (high - low)
            return QPointF(area.left() + across * area.width(), area.bottom() - value / self._top * area.height())

        self.write(painter, QRectF(0, 0, self.width(), line), self._y_title, "text3", Qt.AlignmentFlag.AlignLeft)
        self._axes(painter, area, low, high)
        marked = (self._trained, Qt.PenStyle.DotLine, "text3"), (self._beta, Qt.PenStyle.DashLine, "accent")
        for x, style, token in marked:
            if self.betas[0] <= x <= self.betas[-1]:
                painter.setPen(self.pen(token, 1.4, style))
                painter.drawLine(place(x, 0.0), place(x, self._top))
        for n, (_, values) in enumerate(self.lines):
            token = _COLOURS[n % len(_COLOURS)]
            painter.setPen(self.pen(token, 1.8, _STYLES[n // len(_COLOURS) % len(_STYLES)]))
            points = [place(beta, value) for beta, value in zip(self.betas, values, strict=True)]
            painter.drawPolyline(QPolygonF(points))
        self._names(painter, area, names)
        self._places(area)

    def _names(self, painter: QPainter, area: QRectF, width: float) -> None:
        """Write the names at the ends of their lines, moved apart upwards; those without room are left out."""
        line = QFontMetricsF(painter.font()).height()
        lowest = area.bottom() + line / 2
        for name, values in sorted(self.lines, key=lambda one: one[1][-1]):
            y = min(area.bottom() - values[-1] / self._top * area.height() + line / 2, lowest)
            lowest = y - 0.9 * line
            if y - line >= 0:
                room = QRectF(area.right() + 5, y - line, width, line)
                self.write(painter, room, name, "text2", Qt.AlignmentFlag.AlignLeft)

    def _axes(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        line = QFontMetricsF(painter.font()).height()
        spacing, ticks = linear_ticks(0.0, self._top, 5)
        for tick in ticks:
            y = area.bottom() - tick / self._top * area.height()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - line / 2, area.left() - 5, line)
            self.write(painter, room, tick_text(tick, spacing), "text2", Qt.AlignmentFlag.AlignRight)
        for tick in log_ticks(low, high, max(2, int(area.width() / 50))):
            x = area.left() + (tick - low) / (high - low) * area.width()
            room = QRectF(x - 30, area.bottom() + 2, 60, line)
            self.write(painter, room, f"{10**tick:.3g}", "text2", Qt.AlignmentFlag.AlignHCenter)
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        room = QRectF(0, area.bottom() + 2 + line, self.width() - 4, line)
        self.write(painter, room, X_TITLE, "text3", Qt.AlignmentFlag.AlignRight)

    def _places(self, area: QRectF) -> None:
        """Make each beta of the lines a mark that can be pressed."""
        step = area.width() / (len(self.betas) - 1)
        for n, beta in enumerate(self.betas):
            values = ", ".join(f"{name} {row[n]:.3f}" for name, row in self.lines)
            spot = QRectF(area.left() + (n - 0.5) * step, area.top(), step, area.height())
            self.spots.append(Spot(spot, beta, f"β {beta:.3g}: {values}"))
