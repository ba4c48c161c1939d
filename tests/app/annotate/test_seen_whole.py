"""What is not seen of a text is said in its pane; spans are seen in every view; a prompt is read from its beginning."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor

from app.annotate.answer_panes import AnswerPanes
from app.annotate.judgement_form import AnswerSpan
from app.annotate.prompt_card import PromptCard
from app.widgets.rendering import MARKDOWN_LIMIT
from core.domain.conversation import Message, Prompt


def marked(text) -> str:
    """Return the characters of a text that have a background."""
    found, cursor = "", QTextCursor(text.document())
    while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor):
        if cursor.charFormat().background().style() != Qt.BrushStyle.NoBrush:
            found += cursor.selectedText()
        cursor.clearSelection()
    return found


def panes_with(theme, qtbot, left: str, right: str = "short") -> AnswerPanes:
    panes = AnswerPanes(theme)
    qtbot.addWidget(panes)
    panes.resize(900, 500)
    panes.show_pair(left, right)
    return panes


def test_that_a_cut_answer_says_how_much_is_missing_and_shows_all_on_a_key(theme, qtbot):
    panes = panes_with(theme, qtbot, "words " * 34_000)
    assert "4,000 of 204,000 characters are not shown. X shows all" in panes.left.note_words
    assert panes.right.note_words == "" and panes.right.note.isHidden()
    panes.show_all()
    assert "Cut" not in panes.left.note_words and len(panes.left.text.toPlainText()) == 204_000


def test_that_an_answer_too_long_to_be_rendered_says_so(theme, qtbot):
    panes = panes_with(theme, qtbot, "**word** " * (MARKDOWN_LIMIT // 9 + 1))
    assert "Longer than 40,000 characters" in panes.left.note_words
    panes.set_source(True)
    assert panes.left.note_words == ""


def test_that_marks_that_say_little_are_said_for_each_pair(theme, qtbot):
    panes = panes_with(theme, qtbot, "one two three four", "five six seven eight")
    panes.set_diff(True)
    assert "Most words differ" in panes.left.note_words
    panes.show_pair("one two three four", "one two three five")
    assert panes.left.note_words == ""
    panes.set_diff(False)
    assert marked(panes.left.text) == ""


def test_that_spans_are_marked_in_the_rendered_text_and_in_the_source(theme, qtbot):
    text = "It is **plainly** wrong, as said in\n\n1. the *list*"
    panes = panes_with(theme, qtbot, text)
    start = text.index("**plainly")
    panes.show_edit_and_spans(None, [AnswerSpan("left", start, text.index(",", start), "error")])
    assert marked(panes.left.text) == "plainly wrong"
    panes.set_source(True)
    assert marked(panes.left.text) == "**plainly** wrong"


def test_that_words_selected_in_the_rendered_text_are_told_in_the_stored_one(theme, qtbot):
    text = "It is **plainly** *wrong*."
    panes = panes_with(theme, qtbot, text)
    assert panes.left.text.find("plainly wrong")
    selected = panes.selected()
    assert selected is not None
    side, start, end = selected
    assert (side, text[start:end]) == ("left", "plainly** *wrong")


def test_that_a_long_prompt_of_one_turn_opens_at_its_beginning_and_a_conversation_at_its_last_turn(theme, qtbot):
    card = PromptCard(theme)
    qtbot.addWidget(card)
    card.resize(600, 300)
    card.show()
    long = "A sentence of the question. " * 400
    card.show_prompt(Prompt((Message("user", long),)), 1)
    bar = card.text.verticalScrollBar()
    assert bar.maximum() > 0 and bar.value() == 0
    card.show_prompt(Prompt((Message("user", long), Message("assistant", "Yes."), Message("user", long))), 2)
    first = card.text.cursorForPosition(card.text.viewport().rect().topLeft()).block().text()
    assert 0 < bar.value() < bar.maximum() and first.startswith("User")


def test_that_an_answer_is_counted_in_the_unit_of_its_script(theme, qtbot):
    panes = panes_with(theme, qtbot, "今天天气很好，我们去公园。", "One word, " * 750)
    assert [pane.length_words for pane in (panes.left, panes.right)] == ["13 characters", "1,500 words"]
