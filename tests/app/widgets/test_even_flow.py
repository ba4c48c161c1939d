"""A row of cards of equal width."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QWidget

from app.widgets.flow import EvenFlow


def placed(qtbot: Any, least: list[int], width: int) -> list[tuple[int, int]]:
    """Return row and width of each card."""
    frame = QWidget()
    qtbot.addWidget(frame)
    flow = EvenFlow(frame, spacing=10)
    cards = [QWidget() for _ in least]
    for card, pixels in zip(cards, least, strict=True):
        card.setMinimumSize(pixels, 20)
        flow.addWidget(card)
    frame.resize(width, 200)
    frame.show()
    qtbot.waitExposed(frame)
    rows = sorted({card.y() for card in cards})
    return [(rows.index(card.y()), card.width()) for card in cards]


@pytest.mark.parametrize(
    ("least", "width", "wanted"),
    [
        ([50, 50, 50], 320, [(0, 100), (0, 100), (0, 100)]),
        ([50, 150, 50], 320, [(0, 75), (0, 150), (0, 75)]),
        ([50, 150, 50, 50], 320, [(0, 155), (0, 155), (1, 155), (1, 155)]),
    ],
    ids=["equal widths", "the widest takes what it needs", "two rows where one is too narrow"],
)
def test_that_cards_are_as_equal_as_their_texts_allow(
    qtbot: Any, least: list[int], width: int, wanted: list[tuple[int, int]]
) -> None:
    assert placed(qtbot, least, width) == wanted
