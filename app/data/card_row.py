"""Cards beside each other, or one under the other where the window is too narrow for all."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QSizePolicy, QWidget

from app.widgets.flow import EvenFlow


class CardRow(QWidget):
    """Gives cards equal widths and heights; each gets at least the width that its content needs.

    Args:
        cards: from left to right.
    """

    def __init__(self, cards: Sequence[QWidget]) -> None:
        super().__init__()
        row = EvenFlow(self)
        for card in cards:
            policy = card.sizePolicy()
            policy.setVerticalPolicy(QSizePolicy.Policy.Expanding)
            card.setSizePolicy(policy)
            row.addWidget(card)
