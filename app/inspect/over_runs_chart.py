"""One pair over all runs of the workspace: its h at the last look of each, beside the median of that look."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from app.theme.theme import Theme
from app.widgets.labels import short
from app.widgets.plots.painted_chart import PaintedChart, Spot, bounds
from core.domain.counting import counted
from core.domain.number_text import signed
from core.domain.pair_dossier import RunLook

HEADS = ("Run", "Look", "h, nats", "z", "Median h", "Pairs", "")
X_TITLE = "h at the last look, nats →"
_MOST_NAME = 18


class OverRunsChart(PaintedChart):
    """A line a run: a dot for the pair, a tick for the median; hollow with another objective. A press opens the run."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "This pair over runs")
        self.runs: tuple[RunLook, ...] = ()
        self._own = ""

    def show_runs(self, runs: Sequence[RunLook], own: str) -> None:
        """Show runs; ``own`` is the id of the one that is inspected."""
        self.runs, self._own, self._current = tuple(runs), own, -1
        self.setAccessibleDescription("; ".join(map(run_words, self.runs)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for a line a run."""
        return QSize(self.theme.px(340), round((max(1, len(self.runs)) * 1.5 + 3) * self._line()))

    def minimumSizeHint(self) -> QSize:
        """Return the same height."""
        return QSize(self.theme.px(220), self.sizeHint().height())

    def _line(self) -> float:
        return QFontMetricsF(self.theme.font(11)).height()

    def paint(self, painter: QPainter) -> None:
        """Draw the axis, and a line a run."""
        if not self.runs:
            return
        painter.setFont(self.theme.font(11))
        metrics, line = QFontMetricsF(painter.font()), self._line()
        names = [short(one.name, _MOST_NAME) + ("" if one.same_fingerprint else " ≠") for one in self.runs]
        left = min(0.42 * self.width(), max(map(metrics.horizontalAdvance, names)) * 1.2 + 10)
        area = QRectF(QPointF(left, 2), QPointF(self.width() - 12, self.height() - 2 * line - 8))
        low, high = bounds(
            [0.0, *(value for one in self.runs for value in (one.h, one.median_h))], least=2.0, share=0.2
        )
        low = min(low, -0.1 * (high - low))
        self.x_axis(painter, area, low, high, X_TITLE, digits=1)

        def x_of(value: float) -> float:
            return area.left() + (value - low) / (high - low) * area.width()

        painter.setPen(self.pen("text2"))
        painter.drawLine(QPointF(x_of(0.0), area.top()), QPointF(x_of(0.0), area.bottom()))
        for place, (one, name) in enumerate(zip(self.runs, names, strict=True)):
            y = area.top() + (place + 0.5) * area.height() / len(self.runs)
            weight = QFont.Weight.DemiBold if one.run_id == self._own else QFont.Weight.Normal
            painter.setFont(self.theme.font(11, weight=weight))
            room = QRectF(0, y - line / 2, left - 6, line)
            shown = QFontMetricsF(painter.font()).elidedText(name, Qt.TextElideMode.ElideRight, room.width())
            self.write(
                painter, room, shown, "text" if one.run_id == self._own else "text2", Qt.AlignmentFlag.AlignRight
            )
            self._run(painter, one, QPointF(x_of(one.h), y), x_of(one.median_h), area)

    def _run(self, painter: QPainter, one: RunLook, at: QPointF, middle: float, area: QRectF) -> None:
        half, line = float(self.theme.px(5)), self._line()
        if one.median_h == one.median_h:  # not NaN
            painter.setPen(self.pen("text3", 2))
            painter.drawLine(QPointF(middle, at.y() - half - 1), QPointF(middle, at.y() + half + 1))
        painter.setPen(self.pen("plot_margin", 1.6))
        painter.setBrush(self.colour("plot_margin" if one.same_fingerprint else "surface"))
        painter.drawEllipse(at, half, half)
        words = signed(one.h, 2)
        width = QFontMetricsF(painter.font()).horizontalAdvance(words) + 4
        left = at.x() - half - width - 2
        room = QRectF(left if left > area.left() else at.x() + half + 4, at.y() - line / 2, width, line)
        self.write(painter, room, words, "text", Qt.AlignmentFlag.AlignHCenter)
        spot = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
        self.spots.append(Spot(spot, one.run_id, run_words(one)))


def run_words(one: RunLook) -> str:
    """Return one run's look at the pair as a sentence."""
    other = "" if one.same_fingerprint else "; another objective"
    swapped = "; trained with the other answer as the chosen one" if one.is_swapped else ""
    return (
        f"{one.name}, {one.kind}, step {one.step}: h {signed(one.h, 3)} nats, z {signed(one.margin, 3)}; median h of "
        f"{counted(one.pairs, 'pair')} {signed(one.median_h, 3)}{other}{swapped}"
    )
