"""Chips behind marks: they take room, and nothing is put into the text that is selected and copied."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QTextCursor

from app.theme.theme import Theme
from app.widgets.display import Mark, MarkNote
from app.widgets.safe_text import SafeText

TEXT = "Sehr 😀 **gut** gesagt, and more of it."
BOTH = (MarkNote("R1 R3 good", "good"), MarkNote("R2 unclear", "bad"))


@pytest.fixture
def view(theme: Theme, qtbot: object) -> SafeText:
    widget = SafeText(theme, "Answer A")
    qtbot.addWidget(widget)  # type: ignore[attr-defined]
    widget.resize(420, 200)
    widget.show()
    return widget


def _edge(view: SafeText, words: str) -> float:
    """Return how far right the first of some words begins."""
    cursor = view.document().find(words)
    cursor.setPosition(cursor.selectionStart())
    return view.cursorRect(cursor).left()


@pytest.mark.parametrize("mode", ["rendered", "source"])
def test_that_chips_stand_behind_their_mark_and_leave_the_text_as_it_is(view: SafeText, mode: str) -> None:
    view.set_text(TEXT, mode=mode)  # type: ignore[arg-type]
    end = TEXT.index(" gesagt")
    before, drawn = _edge(view, "gesagt"), view.document().toPlainText()
    view.set_extra_marks([Mark(0, end, "good", BOTH), Mark(end + 1, end + 7, "bad")])
    assert view.mark_notes == ["R1 R3 good R2 unclear"]
    assert view.document().toPlainText() == drawn and view.text_shown == TEXT
    room = _edge(view, "gesagt") - before
    assert room > 100, "the words after the mark make room for two chips"
    view.selectAll()
    assert view.createMimeDataFromSelection().text().strip() == drawn.strip()
    blank = _pixels(view)
    view.set_extra_marks([Mark(0, end, "good")])
    assert view.mark_notes == [] and _edge(view, "gesagt") == before and _pixels(view) != blank


def test_that_the_room_is_behind_the_last_visible_letter_which_stays_whole(view: SafeText) -> None:
    text = "A cafe\u0301  \nand a line."
    view.set_text(text, mode="source")
    view.set_extra_marks([Mark(2, text.index("and"), "bad", BOTH[:1])])
    cursor, spaced = QTextCursor(view.document()), []
    for place in range(len(text)):
        cursor.setPosition(place + 1)
        if cursor.charFormat().fontLetterSpacing() > 0:
            spaced.append(text[place])
    assert view.mark_notes == ["R1 R3 good"] and spaced == ["e", "\u0301"]


def test_that_chips_follow_theme_and_text_size(view: SafeText, theme: Theme, qtbot: object) -> None:
    view.set_text(TEXT, mode="source")
    view.set_extra_marks([Mark(0, 4, "good", BOTH[:1])])
    before = _edge(view, "gut")
    theme.apply("dark", 200)
    qtbot.waitUntil(lambda: theme.settled)  # type: ignore[attr-defined]
    assert view.mark_notes == ["R1 R3 good"] and _edge(view, "gut") > 1.5 * before


def _pixels(view: SafeText) -> bytes:
    return bytes(view.grab().toImage().constBits())
