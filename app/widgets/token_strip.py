"""The tokens of an answer under both models: each with a strip of log π and one of log ref, coloured by the change."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QResizeEvent

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.token_texts import token_sentence, token_words
from core.domain.prompt_inspection import InspectedAnswer

_LOWEST = -12.0
"""Nats at which a strip is empty; certain tokens fill it."""
_STRIP_PX, _GAP_PX, _LEAST_PX = 5, 6, 26


class TokenStrip(PaintedChart):
    """Tokens in rows that break. Below each stand two bars: log π above, log ref under it, longer is likelier.

    The background of a token tells what training moved: one colour where the policy says it more, the other where
    less. The arrow keys go from token to token.

    Signals:
        moved(int): another token is current; its place from 0.
    """

    moved = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Tokens under policy and reference")
        self.answer: InspectedAnswer | None = None
        self._reach = 1.0
        self._rows = 1

    def show_answer(self, answer: InspectedAnswer | None, reach: float) -> None:
        """Show another answer; ``reach`` is the change in nats that has the full colour."""
        self.answer, self._reach, self._current, self.spots = answer, reach, -1, []
        self.setAccessibleDescription(answer.text[:400] if answer is not None else "")
        self._fit_height()
        self.update()

    @property
    def current(self) -> int:
        """Place of the current token, -1 for none."""
        return self._current

    def go(self, place: int) -> None:
        """Make a token the current one."""
        if self.answer is not None and 0 <= place < len(self.answer.tokens):
            if not self.spots:
                self.grab()  # paints, which places the tokens
            self._go(place)

    def _go(self, place: int) -> None:
        super()._go(place)
        self.moved.emit(place)

    def sizeHint(self) -> QSize:
        """Return the height of all rows at the present width."""
        return QSize(self.theme.px(420), self._rows * self._row_px() + self.theme.px(_GAP_PX))

    def minimumSizeHint(self) -> QSize:
        """Return the same height; a narrow strip has more rows."""
        return QSize(self.theme.px(160), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the rows anew."""
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        places = self._places()
        rows = 1 + max((row for row, _, _ in places), default=0)
        if rows != self._rows:
            self._rows = rows
            self.updateGeometry()

    def _row_px(self) -> int:
        line = QFontMetricsF(self.theme.font(12, mono=True)).height()
        return round(line + 2 * self.theme.px(_STRIP_PX) + self.theme.px(_GAP_PX) + 3)

    def _places(self) -> list[tuple[int, float, float]]:
        """Return row, left edge and width of each token."""
        if self.answer is None:
            return []
        metrics = QFontMetricsF(self.theme.font(12, mono=True))
        gap, least = self.theme.px(_GAP_PX), self.theme.px(_LEAST_PX)
        found, row, x = list[tuple[int, float, float]](), 0, 0.0
        for token in self.answer.tokens:
            width = max(float(least), metrics.horizontalAdvance(token_words(token.text)) + 6)
            if x and x + width > self.width():
                row, x = row + 1, 0.0
            found.append((row, x, width))
            x += width + gap
        return found

    def paint(self, painter: QPainter) -> None:
        """Draw each token with its background and both bars."""
        if self.answer is None:
            return
        painter.setFont(self.theme.font(12, mono=True))
        line, strip = QFontMetricsF(painter.font()).height(), float(self.theme.px(_STRIP_PX))
        placed = zip(self.answer.tokens, self._places(), strict=True)
        for place, (token, (row, x, width)) in enumerate(placed):
            top = row * self._row_px() + self.theme.px(_GAP_PX) / 2
            share = min(1.0, abs(token.displacement) / self._reach)
            room = QRectF(x, top, width, line + 1)
            more = token.displacement > 0
            painter.fillRect(room, self.colour("plot_chosen" if more else "plot_rejected", 0.08 + 0.42 * share))
            self.write(painter, room, token_words(token.text), "text", Qt.AlignmentFlag.AlignHCenter)
            for at, (value, name) in enumerate(((token.policy, "plot_chosen"), (token.reference, "text3"))):
                y = top + line + 2 + at * (strip + 1)
                painter.fillRect(QRectF(x, y, width, strip), self.colour("grid"))
                likely = max(0.0, 1.0 - value / _LOWEST)
                painter.fillRect(QRectF(QPointF(x, y), QPointF(x + width * likely, y + strip)), self.colour(name))
            area = QRectF(x, top, width, line + 2 * strip + 4)
            self.spots.append(Spot(area, place, token_sentence(place, token)))
