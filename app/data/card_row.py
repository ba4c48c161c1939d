"""Cards beside each other, or one under the other where the window is too narrow for all."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget


class CardRow(QWidget):
    """Shares its width between cards while each gets the least width that its content needs.

    Args:
        cards: from left to right.
        shares: how the width is divided, one number a card.
    """

    def __init__(self, cards: Sequence[QWidget], shares: Sequence[int]) -> None:
        super().__init__()
        self._cards = list(cards)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        for card, share in zip(cards, shares, strict=True):
            self._box.addWidget(card, share)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the arrangement for the width."""
        needs = sum(card.minimumSizeHint().width() for card in self._cards) + self._box.spacing() * len(self._cards)
        ways = QBoxLayout.Direction
        wanted = ways.LeftToRight if needs <= event.size().width() else ways.TopToBottom
        if wanted != self._box.direction():
            self._box.setDirection(wanted)
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the widest card: they can stand one under the other."""
        return QSize(max(card.minimumSizeHint().width() for card in self._cards), self._box.minimumSize().height())
