"""What each token of a pair's answers adds to h: chosen above rejected on one scale, in nats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter

from app.theme.theme import Theme
from app.widgets.plots.painted_chart import PaintedChart, Spot
from app.widgets.plots.ticks import linear_ticks, tick_text
from app.widgets.token_texts import token_sentence, token_words
from core.domain.number_text import signed
from core.domain.prompt_inspection import InspectedAnswer, InspectedToken, LikelyToken

Look = Literal["bars", "heat", "sum"]
LOOKS: tuple[tuple[Look, str], ...] = (("bars", "Bars"), ("heat", "Heat"), ("sum", "Running sum"))
SIDES = ("Chosen", "Rejected")
_MASK_PX, _ROW_PX, _LEAST_REACH, _MOST_LIKELY = 34, 62, 0.5, 5
Y_TITLE, X_TITLE = "↑ h_t = log π − log π ref, nats", "token position, not scored: hatched →"


class RewardStrip(PaintedChart):
    """Both answers token by token. The arrows walk the tokens, hovering tells one with its likeliest alternatives.

    Signals:
        moved(int, int): another token is current: 0 for chosen or 1 for rejected, and its place from 0.
    """

    moved = Signal(int, int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Reward by token")
        self.answers: tuple[InspectedAnswer, ...] = ()
        self.look: Look = "bars"

    def show_answers(self, answers: Sequence[InspectedAnswer]) -> None:
        """Show chosen and rejected; none clears the chart."""
        self.answers, self._current, self.spots = tuple(answers[:2]), -1, []
        sums = (f"{side} {signed(one.displacement, 3)} nats" for side, one in zip(SIDES, self.answers, strict=False))
        self.setAccessibleDescription("; ".join(sums))
        self.update()

    def set_look(self, look: Look) -> None:
        """Show bars, colours, or the running sum."""
        self.look = look
        self.update()

    def go(self, side: int, place: int) -> None:
        """Make a token the current one."""
        wanted = (side, place)
        if not self.spots:
            self.grab()  # paints, which places the tokens
        found = next((n for n, spot in enumerate(self.spots) if spot.key == wanted), -1)
        if found >= 0 and found != self._current:
            self._go(found)

    def _go(self, place: int) -> None:
        super()._go(place)
        key = self.spots[place].key
        if isinstance(key, tuple):
            self.moved.emit(*key)

    def sizeHint(self) -> QSize:
        """Return room for both rows."""
        return QSize(self.theme.px(420), 2 * self.theme.px(_ROW_PX) + round(4.6 * self._line()))

    def minimumSizeHint(self) -> QSize:
        """Return the least width at which bars can be told apart."""
        return QSize(self.theme.px(240), self.sizeHint().height())

    def _line(self) -> float:
        return QFontMetricsF(self.theme.font(11)).height()

    def values(self, answer: InspectedAnswer) -> list[float]:
        """Return the numbers of an answer's tokens in the present look."""
        moved = [token.displacement for token in answer.tokens]
        return list(accumulate(moved)) if self.look == "sum" else moved

    def paint(self, painter: QPainter) -> None:
        """Draw both rows with their mask and EOS."""
        if not self.answers:
            return
        painter.setFont(self.theme.font(11))
        line, row_px = self._line(), float(self.theme.px(_ROW_PX))
        metrics = QFontMetricsF(painter.font())
        values = [self.values(answer) for answer in self.answers]
        reach = max([_LEAST_REACH, *(abs(value) for row in values for value in row if math.isfinite(value))])
        left = metrics.horizontalAdvance("Rejected ") + metrics.horizontalAdvance("−00.0") + 10
        mask = float(self.theme.px(_MASK_PX))
        width = max(1.0, self.width() - left - mask - 10)
        step = width / max([1, *(len(row) for row in values)])
        self.write(painter, QRectF(0, 0, self.width(), line), Y_TITLE, "text3", Qt.AlignmentFlag.AlignLeft)
        for side, (answer, row) in enumerate(zip(self.answers, values, strict=True)):
            top = 1.9 * line + side * (row_px + 0.9 * line)
            area = QRectF(left + mask, top, width, row_px)
            self._name(painter, side, answer, QRectF(0, top, left, row_px), reach)
            self._masked(painter, QRectF(left, top, mask, row_px))
            end = area.left() + step * len(row)
            self._masked(painter, QRectF(end, top, area.right() - end, row_px))
            self._tokens(painter, area, side, answer.tokens, row, reach, step)
            if answer.finished and row:
                self._eos(painter, QPointF(end - step / 2, top), row_px, line)
        self._places(painter, left + mask, step, max(len(row) for row in values), line)

    def _name(self, painter: QPainter, side: int, answer: InspectedAnswer, room: QRectF, reach: float) -> None:
        line = self._line()
        middle = room.center().y()
        self.write(
            painter, QRectF(0, middle - line, room.width(), line), SIDES[side], "text", Qt.AlignmentFlag.AlignLeft
        )
        words = f"Σ {signed(answer.displacement, 3)}"
        self.write(painter, QRectF(0, middle, room.width(), line), words, "text2", Qt.AlignmentFlag.AlignLeft)
        if self.look == "heat":
            return
        spacing, _ = linear_ticks(-reach, reach, 3)
        for value in (-spacing, 0.0, spacing):
            y = middle - value / reach * room.height() / 2
            if abs(value) <= reach:
                words = ("+" if value > 0 else "") + tick_text(value, spacing)
                at = QRectF(0, y - line / 2, room.width() - 4, line)
                self.write(painter, at, words, "text3", Qt.AlignmentFlag.AlignRight)

    def _masked(self, painter: QPainter, room: QRectF) -> None:
        """Hatch what is no part of the answer."""
        if room.width() > 1:
            painter.fillRect(room, self.colour("sunken"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour("border_strong", 0.5))
            brush = painter.brush()
            brush.setStyle(Qt.BrushStyle.BDiagPattern)
            painter.fillRect(room, brush)

    def _tokens(
        self,
        painter: QPainter,
        area: QRectF,
        side: int,
        tokens: Sequence[InspectedToken],
        row: Sequence[float],
        reach: float,
        step: float,
    ) -> None:
        middle, half = area.center().y(), area.height() / 2
        painter.setPen(self.pen("border_strong"))
        painter.drawLine(QPointF(area.left(), middle), QPointF(area.right(), middle))
        gap = 1.0 if step > 4 else 0.0
        for place, (token, value) in enumerate(zip(tokens, row, strict=True)):
            x = area.left() + place * step
            colour = "plot_chosen" if value >= 0 else "plot_rejected"
            if self.look == "heat":
                shown = QRectF(x, area.top(), max(0.5, step - gap), area.height())
                painter.fillRect(shown, self.colour(colour, min(1.0, abs(value) / reach)))
            else:
                high = value / reach * half
                shown = QRectF(x, middle - max(high, 0.0), max(0.5, step - gap), max(1.0, abs(high)))
                painter.fillRect(shown, self.colour(colour))
            spot = QRectF(x, area.top(), max(1.0, step - gap), area.height())
            self.spots.append(Spot(spot, (side, place), token_card(SIDES[side], place, len(tokens), token)))

    def _eos(self, painter: QPainter, at: QPointF, height: float, line: float) -> None:
        painter.setPen(self.pen("text", 1, Qt.PenStyle.DotLine))
        painter.drawLine(at, at + QPointF(0, height))
        width = QFontMetricsF(painter.font()).horizontalAdvance("EOS") + 4
        room = QRectF(min(at.x() - width / 2, self.width() - width), at.y() - 0.9 * line, width, line)
        self.write(painter, room, "EOS", "text", Qt.AlignmentFlag.AlignHCenter)

    def _places(self, painter: QPainter, left: float, step: float, count: int, line: float) -> None:
        """Write the positions of tokens below both rows."""
        top = self.height() - 2 * line - 2
        metrics = QFontMetricsF(painter.font())
        every = next(
            n for n in (1, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if n * step > metrics.horizontalAdvance("0000")
        )
        for place in range(count):
            if place == 0 or (place + 1) % every == 0:
                room = QRectF(left + (place + 0.5) * step - 24, top, 48, line)
                self.write(painter, room, f"{place + 1}", "text2", Qt.AlignmentFlag.AlignHCenter)
        room = QRectF(0, top + line, self.width() - 4, line)
        self.write(painter, room, X_TITLE, "text3", Qt.AlignmentFlag.AlignRight)


def token_card(side: str, place: int, count: int, token: InspectedToken) -> str:
    """Return what is told of a token: both log-probs, and the likeliest tokens of each model at its place."""
    own = sorted(token.likely, key=lambda one: -one.policy)[:_MOST_LIKELY]
    reference = sorted(token.likely, key=lambda one: -one.reference)[:_MOST_LIKELY]
    return "\n".join(
        (
            f"{side}, of {count}: {token_sentence(place, token)}",
            f"policy: {_likely(own, reads_policy=True)}",
            f"reference: {_likely(reference, reads_policy=False)}",
        )
    )


def _likely(tokens: Sequence[LikelyToken], *, reads_policy: bool) -> str:
    chances = ((one.text, math.exp(one.policy if reads_policy else one.reference)) for one in tokens)
    return ", ".join(f"{token_words(text)} {chance:.3f}" for text, chance in chances)
