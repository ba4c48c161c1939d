"""A very long text is laid out in parts, one in each turn of the event loop; it is shown and copied as it is stored."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from app.theme.theme import Theme
from app.widgets.display import LONGEST_LINE, SHOW_AT_FIRST, Mark, make_display
from app.widgets.growing_text import PART_CHARS, PART_LINES, GrowingText
from app.widgets.safe_text import SafeText

LINES = "\n".join(f"line {n} of a long answer, with an emoji 😀 and words" for n in range(20_000))
ONE_LINE = "the quick brown fox " * 50_000


@pytest.fixture
def view(theme: Theme, qtbot: Any) -> SafeText:
    widget = SafeText(theme, "Answer A")
    qtbot.addWidget(widget)
    widget.resize(420, 500)
    widget.show()
    return widget


@pytest.mark.parametrize("text", [LINES, ONE_LINE], ids=["lines", "one line"])
def test_that_the_rest_is_laid_out_in_small_parts(
    view: SafeText, text: str, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.set_text(text, mode="source")
    parts: list[tuple[int, int]] = []
    grow = GrowingText._grow

    def spy(self: GrowingText) -> None:
        before = view.document().characterCount(), view.document().blockCount()
        grow(self)
        parts.append((view.document().characterCount() - before[0], view.document().blockCount() - before[1]))

    monkeypatch.setattr(GrowingText, "_grow", spy)
    view._growing._timer.timeout.disconnect()
    view._growing._timer.timeout.connect(lambda: view._growing._grow())
    at_first = view.document().characterCount()
    view.show_all()
    assert view.document().characterCount() == at_first  # nothing is laid out while the key is handled
    qtbot.waitUntil(lambda: view._growing.is_whole)
    assert len(parts) > 10
    assert max(chars for chars, _ in parts) <= 2 * PART_CHARS  # an emoji counts two for Qt
    assert max(blocks for _, blocks in parts) <= PART_LINES
    assert view.document().toPlainText() == make_display(text, limit=None).text
    assert view.cut_off == 0


def test_that_a_text_that_is_shown_meanwhile_is_not_mixed_with_the_rest(view: SafeText, qtbot: Any) -> None:
    view.set_text(LINES, mode="source")
    view.show_all()
    QApplication.processEvents()
    view.set_text("another", mode="source")
    for _ in range(20):
        QApplication.processEvents()
    assert view.toPlainText() == "another"
    view.set_text("*drawn*", mode="rendered")
    for _ in range(5):
        QApplication.processEvents()
    assert view.toPlainText().strip() == "drawn"


def test_that_the_place_stays_where_more_is_shown(view: SafeText, qtbot: Any) -> None:
    view.set_text(LINES, mode="source")
    for _ in range(10):
        QApplication.processEvents()  # the scroll bar appears and makes the lines shorter
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum())
    place = bar.value()
    view.show_all()
    qtbot.waitUntil(lambda: view._growing.is_whole)
    assert bar.value() == place > 0


def test_that_marks_in_the_rest_are_drawn_too(view: SafeText, qtbot: Any) -> None:
    start = LINES.index("line 19000")
    view.set_text(LINES, mode="source", extra=[Mark(start, start + 4, "find")])
    view.show_all()
    qtbot.waitUntil(lambda: view._growing.is_whole)
    cursor = view.document().find("line 19000")
    cursor.setPosition(cursor.selectionStart() + 2)
    assert cursor.charFormat().background().color() == view._theme.tokens.colour("find")


def test_that_a_line_that_was_broken_for_the_layout_is_copied_as_it_is_stored(view: SafeText, qtbot: Any) -> None:
    text = ONE_LINE[: SHOW_AT_FIRST + 3 * LONGEST_LINE]
    view.set_text(text, mode="source")
    assert view.document().blockCount() == 1
    view.show_all()
    qtbot.waitUntil(lambda: view._growing.is_whole)
    assert view.document().blockCount() in (3, 4)  # each break stands behind a blank
    view.selectAll()
    assert view.createMimeDataFromSelection().text() == text
