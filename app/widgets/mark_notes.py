"""Words behind the marks of a text: small chips such as "R1 R3 good", painted where the text leaves room for them.

Nothing is put into the document, so that what is selected and copied stays the text. The room is the letter spacing of
the last letter of a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt, QTextBoundaryFinder
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.theme.theme import Theme
from app.widgets.display import PICTURE, Mark, MarkNote

CHIP_PX, TEXT_PX, SIDE_PX, GAP_PX, OVER_PX = 16, 10, 5, 4, 3
"""Design pixels: height of a chip, of its words, room beside its words, before a chip, above and below it."""
TONES = {"good": "ok", "bad": "bad"}
"""Kind of a mark -> colour of its chip; all others have that of text."""


@dataclass(frozen=True, slots=True)
class _NotePlace:
    """A group of chips behind the letter at ``place`` (Qt's offset in the document), ``width`` pixels wide."""

    place: int
    notes: tuple[MarkNote, ...]
    width: float


class MarkNotes:
    """Paints the chips of one text view."""

    def __init__(self, view: QTextEdit, theme: Theme) -> None:
        self._view, self._theme = view, theme
        self._placed: list[_NotePlace] = []

    @property
    def shown(self) -> list[str]:
        """The words of the chips, in the order of the text."""
        return [" ".join(note.words for note in one.notes) for one in self._placed]

    def place(self, marks: Sequence[tuple[Mark, int, int]]) -> None:
        """Make room behind marks, each with Qt's offsets of start and end; one that ends in a picture has none.

        To be called after each change of the document, which takes the room away.
        """
        self._placed = []
        document = self._view.document()
        cursor = QTextCursor(document)
        text = document.toPlainText() if marks else ""
        for mark, start, end in sorted(marks, key=lambda one: one[1:]):
            if (last := _last_letter(text, start, end)) is None:
                continue
            width = sum(self._width(note) for note in mark.notes) + self._theme.px(GAP_PX) / 2
            room = QTextCharFormat()
            room.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
            room.setFontLetterSpacing(width)
            cursor.setPosition(last[0])
            cursor.setPosition(last[1], QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(room)
            self._placed.append(_NotePlace(last[0], mark.notes, width))

    def paint(self) -> None:
        """Paint the chips; to be called at the end of the view's own painting."""
        if not self._placed:
            return
        painter = QPainter(self._view.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        for one in self._placed:
            if (corner := self._corner(one)) is not None:
                self._paint_group(painter, corner, one)
        painter.end()

    def _paint_group(self, painter: QPainter, corner: QPointF, one: _NotePlace) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        height = px(CHIP_PX)
        over = px(OVER_PX)
        painter.fillRect(QRectF(corner.x(), corner.y() - over, one.width, height + 2 * over), tokens.colour("surface"))
        x = corner.x()
        for note in one.notes:
            width = self._width(note)
            box = QRectF(x + px(GAP_PX), corner.y(), width - px(GAP_PX) - px(1), height).adjusted(0.5, 0.5, -0.5, -0.5)
            colour = tokens.colour(TONES.get(note.kind, "text2"))
            painter.setPen(QPen(colour, 1))
            painter.drawRoundedRect(box, height / 2 - 1, height / 2 - 1)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, note.words)
            x += width

    def _corner(self, one: _NotePlace) -> QPointF | None:
        """Return the upper left corner of a group in the viewport, None where it is out of sight."""
        document = self._view.document()
        block = document.findBlock(one.place)
        line = block.layout().lineForTextPosition(one.place - block.position()) if block.isValid() else None
        if line is None or not line.isValid():
            return None
        edges = [_x(line.cursorToX(one.place - block.position() + n)) for n in (0, 1)]
        box = document.documentLayout().blockBoundingRect(block)
        bars = self._view.horizontalScrollBar().value(), self._view.verticalScrollBar().value()
        middle = box.top() + line.y() + line.ascent() - QFontMetricsF(self._view.font()).xHeight() / 2
        corner = QPointF(box.left() + max(edges) - one.width - bars[0], middle - self._theme.px(CHIP_PX) / 2 - bars[1])
        seen = -self._theme.px(CHIP_PX) < corner.y() < self._view.viewport().height()
        return corner if seen else None

    def _width(self, note: MarkNote) -> float:
        words = QFontMetricsF(self._font()).horizontalAdvance(note.words)
        return words + self._theme.px(2 * SIDE_PX + GAP_PX + 1)

    def _font(self) -> QFont:
        return self._theme.font(TEXT_PX, weight=QFont.Weight.DemiBold)


def _x(found: object) -> float:
    """Return the place of a cursor; the binding gives it alone, or with the offset that it stands at."""
    place = found[0] if isinstance(found, tuple) else found
    return float(place) if isinstance(place, int | float) else 0.0


def _last_letter(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the last visible letter of a part begins and ends, in Qt's offsets; None where it has none.

    ``text`` is that of the document, whose offsets Qt counts in units of UTF-16.
    """
    raw = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
    raw = raw.rstrip()
    if not raw or raw[-1] == PICTURE:
        return None
    length = len(raw.encode("utf-16-le", "surrogatepass")) // 2
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, raw)
    finder.toEnd()
    return start + max(0, finder.toPreviousBoundary()), start + length
