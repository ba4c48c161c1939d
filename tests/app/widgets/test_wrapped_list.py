"""A list that breaks its rows: at any width nothing scrolls sideways, and no word is cut."""

from __future__ import annotations

from app.theme.theme import Theme
from app.widgets.wrapped_list import WrappedList

WORDS = "● pair 4: Both say the same; the shorter one leaves nothing out, so it is the better one here."


def test_that_a_long_row_is_broken_and_follows_the_width(theme: Theme, qtbot: object) -> None:
    shown = WrappedList("Gold items")
    qtbot.addWidget(shown)  # type: ignore[attr-defined]
    theme.style(shown)
    shown.addItem(WORDS)
    shown.resize(900, 200)
    shown.show()
    wide = shown.visualItemRect(shown.item(0)).height()
    shown.resize(200, 200)
    qtbot.waitUntil(lambda: shown.visualItemRect(shown.item(0)).height() > 2 * wide)  # type: ignore[attr-defined]
    assert shown.horizontalScrollBar().maximum() == 0
    picture = shown.viewport().grab().toImage()
    rows = range(2, shown.visualItemRect(shown.item(0)).height() - 2)
    assert len({picture.pixel(picture.width() - 3, y) for y in rows}) == 1, "no letter touches the right edge"
