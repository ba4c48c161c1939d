"""Verdicts of one pair on the line of the scale: who stands where, stacked where several say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.annotate.verdict_scale import SCALE_STRENGTHS, VERDICT_POINTS
from app.theme.theme import Theme
from core.domain.judgement import JudgementDraft, screen_words, to_screen
from core.domain.pair import Side

YOU = "You"
_FONT_PX, _EDGE_PX, _ENDS_PX = 11, 22, 6


@dataclass(frozen=True, slots=True)
class LineMark:
    """One verdict on the line; ``strength`` by the sides of the screen, None for one that names no point of it."""

    who: str
    strength: int | None
    words: str


def line_marks(said: Sequence[tuple[str, JudgementDraft]], left: Side) -> list[LineMark]:
    """Return the verdicts as marks; "neither valid" and "cannot judge" have no place on the line."""
    found = []
    for who, draft in said:
        strength = draft.strength if draft.strength is not None else 0 if draft.verdict.value == "tie" else None
        seen = None if strength is None else to_screen(strength, left)
        found.append(LineMark(who, seen, screen_words(draft, left)))
    return found


class VerdictLine(QWidget):
    """The points of a scale from left to right with a mark for each verdict; what has no place stands below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.marks: Sequence[LineMark] = ()
        self._points: tuple[int, ...] = SCALE_STRENGTHS[7]
        self.setAccessibleName("Verdicts on the scale")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_marks(self, marks: Sequence[LineMark], scale: int) -> None:
        """Show other verdicts on the points of a scale."""
        self.marks, self._points = marks, SCALE_STRENGTHS[scale]
        words = "; ".join(f"{one.who}: {one.words}" for one in marks)
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.updateGeometry()
        self.update()

    @property
    def apart(self) -> str:
        """The verdicts without a place on the line, in words."""
        return "; ".join(f"{one.who}: {one.words.lower()}" for one in self.marks if one.strength is None)

    def sizeHint(self) -> QSize:
        """Return room for the highest stack, the keys and the names of both ends."""
        high = self._row_height()
        rows = self._stack() + 2 + bool(self.apart)
        return QSize(self._theme.px(240), round(rows * high + self._theme.px(14)))

    def minimumSizeHint(self) -> QSize:
        """Return the least room."""
        return QSize(self._theme.px(150), self.sizeHint().height())

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self._theme.font(_FONT_PX))

    def _row_height(self) -> float:
        return self._metrics().height() + self._theme.px(3)

    def _stack(self) -> int:
        """Return how many marks stand above each other at most."""
        on = [one.strength for one in self.marks if one.strength is not None]
        return max((on.count(strength) for strength in on), default=1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw the line, its points with their keys, the marks and the names of both ends."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(_FONT_PX))
        high, edge = self._row_height(), self._theme.px(_EDGE_PX)
        y = self._stack() * high - high / 2 + self._theme.px(4)
        colour = self._theme.tokens.colour
        painter.setPen(QPen(colour("text2"), 1))
        painter.drawLine(QPointF(edge, y), QPointF(self.width() - edge, y))
        for strength in self._points:
            x = self._x(strength)
            painter.setPen(QPen(colour("text2"), 1))
            painter.drawLine(QPointF(x, y - 4), QPointF(x, y + 4))
            key = next(n for n, point in enumerate(VERDICT_POINTS, 1) if point.strength == strength)
            self._write(
                painter, QRectF(x - edge, y + high / 2, 2 * edge, high), str(key), Qt.AlignmentFlag.AlignHCenter
            )
        for place, one in self._placed():
            self._mark(painter, one, self._x(one.strength or 0), y - place * high, high)
        self._ends(painter, y + 1.5 * high, high)

    def _placed(self) -> list[tuple[int, LineMark]]:
        """Return each mark on the line with how many stand below it; the adjudicator's stands lowest."""
        counts: dict[int, int] = {}
        found = []
        for one in sorted(self.marks, key=lambda mark: mark.who != YOU):
            if one.strength is not None:
                found.append((counts.get(one.strength, 0), one))
                counts[one.strength] = counts.get(one.strength, 0) + 1
        return found

    def _x(self, strength: int) -> float:
        edge = self._theme.px(_EDGE_PX)
        return edge + (strength + 3) / 6 * (self.width() - 2 * edge)

    def _mark(self, painter: QPainter, one: LineMark, x: float, y: float, high: float) -> None:
        colour, own = self._theme.tokens.colour, one.who == YOU
        wide = self._metrics().horizontalAdvance(one.who) + self._theme.px(12)
        box = QRectF(x - wide / 2, y - high / 2 + 1, wide, high - 2)
        painter.setPen(QPen(colour("accent" if own else "text2"), 1.5))
        painter.setBrush(colour("accent" if own else "surface"))
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setPen(colour("on_accent" if own else "text"))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), one.who)

    def _ends(self, painter: QPainter, y: float, high: float) -> None:
        room = QRectF(_ENDS_PX, y, self.width() - 2 * _ENDS_PX, high)
        self._write(painter, room, "left better", Qt.AlignmentFlag.AlignLeft)
        self._write(painter, room, "right better", Qt.AlignmentFlag.AlignRight)
        tie = self._metrics().horizontalAdvance("left better right better tie") < room.width()
        if tie:
            self._write(painter, room, "tie", Qt.AlignmentFlag.AlignHCenter)
        if self.apart:
            room.translate(0, high)
            text = self._metrics().elidedText(self.apart, Qt.TextElideMode.ElideRight, room.width())
            self._write(painter, room, text, Qt.AlignmentFlag.AlignLeft)

    def _write(self, painter: QPainter, room: QRectF, text: str, flag: Qt.AlignmentFlag) -> None:
        painter.setPen(self._theme.tokens.colour("text2"))
        painter.drawText(room, int(flag | Qt.AlignmentFlag.AlignVCenter), text)
