"""The mixes of some collections as bars beside each other, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.plots.ticks import linear_ticks, tick_text

if TYPE_CHECKING:
    from core.services.feedback.mixes import Mix

COLOURS = ("plot_chosen", "text3", "plot_rejected", "plot_margin", "plot_kl")
TEXT_PX, HEIGHT_PX, LEAST_BAR = 12, 190, 5
MOST = 12
"""Values that are drawn; the table has all."""


class ShiftBars(PaintedChart):
    """Draws a mix."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name)
        self.mix: Mix | None = None
        self._tall = False

    def set_tall(self, tall: bool) -> None:
        """Draw it twice as high, or as high as at first."""
        self._tall = tall
        self.updateGeometry()

    def show_mix(self, mix: Mix | None) -> None:
        """Draw another mix."""
        self.mix = mix
        words = [] if mix is None else [row.value for row in mix.rows[:MOST]]
        self.setAccessibleDescription(", ".join(words))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bars with their names."""
        return QSize(self.theme.px(300), self.theme.px(HEIGHT_PX) * (2 if self._tall else 1))

    def minimumSizeHint(self) -> QSize:
        """Return the same height; narrow bars stay readable by their tooltips."""
        return QSize(self.theme.px(180), self.sizeHint().height())

    def paint(self, painter: QPainter) -> None:
        """Draw axis, bars and intervals."""
        mix = self.mix
        if mix is None or not mix.rows:
            return
        painter.setFont(self.theme.font(TEXT_PX))
        metrics, rows = QFontMetricsF(painter.font()), mix.rows[:MOST]
        left = metrics.horizontalAdvance("100 %") + 8
        area = QRectF(left, 6, max(20.0, self.width() - left - 4), self.height() - 3 * metrics.height() - 8)
        top = max((share.high for row in rows for share in row.shares), default=1.0)
        high = min(1.0, max(0.1, top * 1.05))
        self._axis(painter, area, high, metrics)
        step = area.width() / len(rows)
        for place, row in enumerate(rows):
            room = QRectF(area.left() + place * step, area.bottom() + 3, step - 4, metrics.height() + 2)
            words = metrics.elidedText(row.value, Qt.TextElideMode.ElideRight, room.width())
            self.write(painter, room, words, "text2", Qt.AlignmentFlag.AlignHCenter)
            bar = (step - 8) / max(1, len(row.shares))
            for number, share in enumerate(row.shares):
                x = area.left() + place * step + 2 + number * bar
                self._bar(painter, QRectF(x, area.top(), max(2.0, bar - 1.5), area.height()), share, high, number)
                said = f"{row.value}, {mix.collections[number]}: {100 * share.value:.1f} % " + (
                    f"[{100 * share.low:.1f}, {100 * share.high:.1f}], n {share.n:,}"
                )
                spot = QRectF(x, area.top(), max(2.0, bar - 1.5), area.height())
                self.spots.append(Spot(spot, (row.value, number), said))
        room = QRectF(0, area.bottom() + metrics.height() + 5, self.width() - 4, metrics.height() + 2)
        more = f" (the commonest {MOST} of {len(mix.rows):,})" if len(mix.rows) > MOST else ""
        unit = ", words or characters" if mix.what == "length" else ""
        self.write(painter, room, f"{mix.what}{unit}{more}", "text3", Qt.AlignmentFlag.AlignRight)

    def _axis(self, painter: QPainter, area: QRectF, high: float, metrics: QFontMetricsF) -> None:
        spacing, ticks = linear_ticks(0.0, 100 * high, max(2, int(area.height() / (2 * metrics.height()))))
        for tick in ticks:
            y = area.bottom() - tick / (100 * high) * area.height()
            painter.setPen(self.pen("grid"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            room = QRectF(0, y - metrics.height() / 2, area.left() - 6, metrics.height())
            self.write(painter, room, f"{tick_text(tick, spacing)} %", "text2", Qt.AlignmentFlag.AlignRight)
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())

    def _bar(self, painter: QPainter, room: QRectF, share: object, high: float, number: int) -> None:
        value, low, top = share.value, share.low, share.high  # type: ignore[attr-defined]
        place = lambda v: room.bottom() - min(1.0, v / high) * room.height()  # noqa: E731
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour(COLOURS[number % len(COLOURS)]))
        painter.drawRect(QRectF(room.left(), place(value), room.width(), room.bottom() - place(value)))
        if room.width() >= LEAST_BAR and value > 0:  # of an empty one the tooltip and the table have it
            x = room.center().x()
            painter.setPen(self.pen("text2"))
            painter.drawLine(QPointF(x, place(low)), QPointF(x, place(top)))
