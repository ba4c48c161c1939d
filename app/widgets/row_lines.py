"""Draws the rows of a list as an icon with up to three lines: a name, and under it, paler, what is known of it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QIcon, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.theme.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_LINE_PX, _MARGIN_PX = 16.5, 8


class RowLines(QStyledItemDelegate):
    """Draws the text of an item line by line, its first line as the name.

    Args:
        theme: colours and fonts.
        lines: how many lines a row has room for.
    """

    def __init__(self, theme: Theme, lines: int = 3) -> None:
        super().__init__()
        self._theme, self._lines = theme, lines

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - Qt passes it
        """Be that many lines high at every text size."""
        return QSize(0, self._theme.px(_MARGIN_PX + _LINE_PX * self._lines))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row of the style without words, then icon and lines."""
        theme, rect, lines = self._theme, QRect(option.rect), self._lines  # type: ignore[attr-defined]
        self.initStyleOption(option, index)
        option.text, option.icon = "", QIcon()  # type: ignore[attr-defined]
        style = option.widget.style()  # type: ignore[attr-defined]
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)  # type: ignore[attr-defined]
        side = theme.px(18)
        icon: QIcon = index.data(Qt.ItemDataRole.DecorationRole)
        icon.paint(painter, QRect(rect.x() + theme.px(8), rect.y() + (rect.height() - side) // 2, side, side))
        name, _, about = str(index.data()).partition("\n")
        words = [(name, 13, "text"), *((line, 12, "text2") for line in about.split("\n") if line)][:lines]
        height = (rect.height() - theme.px(_MARGIN_PX)) // lines
        start = theme.px(_MARGIN_PX / 2) + (lines - len(words)) * height // 2
        for place, (text, size, colour) in enumerate(words):
            top, low = start + place * height, start + (place + 1) * height
            room = QRect(rect.x() + theme.px(34), rect.y() + top, rect.width() - theme.px(40), low - top)
            painter.setFont(theme.font(size))
            painter.setPen(theme.tokens.colour(colour))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
