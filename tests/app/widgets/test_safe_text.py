from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QKeyEvent, QTextDocument

from app.theme.theme import Theme
from app.widgets.display import SHOW_AT_FIRST, Mark
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import compare

HOSTILE = {
    "image file": "![x](file:///etc/hostname) <img src='/etc/hostname'>",
    "image http": "![x](http://example.invalid/a.png)",
    "unc path": "![x](//server/share/a.png)",
    "data url": "![x](data:image/png;base64,AAAA)",
    "css import": "<style>@import url('file:///etc/hostname');</style> text",
    "link": "[click](javascript:alert(1)) [click](file:///etc/hostname) <http://example.invalid>",
    "object": "<object data='/etc/hostname'></object><iframe src='/etc/hostname'></iframe>",
    "table image": "|a|\n|-|\n|![x](file:///etc/hostname)|",
    "entity": "&lt;img src=x&gt; &#60;img src=x&#62;",
    "background": "<body background='/etc/hostname'><div style='background-image:url(/etc/hostname)'>t</div>",
}
SLOW = {
    "no spaces": "x" * 5_000_000,
    "no spaces, short": "x" * 39_000,
    "combining marks": "e" + "\u0301" * 50_000,
    "overrides": "\u202e" * 39_000,
    "stars": "*a **b " * 5600,
    "brackets": "[" * 39_000,
    "quotes": ">" * 39_000,
    "quoted lines": "> a\n" * 9000,
    "cells": "|a" * 200 + "|\n" + "|-" * 200 + "|\n" + ("|b" * 200 + "|\n") * 80,
    "list": "- a\n" * 9000,
    "backticks": "`" * 39_000,
    "code": "```python\n" + "x=[1,2]\n" * 4000 + "```",
    "words": "the quick brown fox " * 9000,
}


@pytest.fixture
def view(theme: Theme, qtbot: object) -> SafeText:
    widget = SafeText(theme, "Answer A")
    qtbot.addWidget(widget)  # type: ignore[attr-defined]
    widget.resize(420, 500)
    widget.show()
    return widget


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("mode", ["rendered", "source"])
def test_that_hostile_text_opens_nothing(view: SafeText, text: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    load = SafeText.loadResource

    def spy(self: SafeText, kind: int, name: QUrl) -> object:
        asked.append(str(name))
        return load(self, kind, name)

    monkeypatch.setattr(SafeText, "loadResource", spy)
    view.set_text(text, mode=mode)  # type: ignore[arg-type]
    view.grab()
    assert asked == []
    assert "<img" not in view.toHtml().lower()


def test_that_every_resource_is_an_empty_picture(view: SafeText) -> None:
    for kind in QTextDocument.ResourceType:
        answer = view.loadResource(kind.value, QUrl("file:///etc/hostname"))
        assert isinstance(answer, QImage)


@pytest.mark.parametrize(
    "text", ["<think>secret</think> answer", "a <b>bold</b> & co", "<script>x</script>", "1 < 2 > 0"]
)
def test_that_tags_are_shown_as_text(view: SafeText, text: str) -> None:
    view.set_text(text, mode="rendered")
    assert view.toPlainText().strip() == text


@pytest.mark.parametrize(
    "text", ["", "one", "  two \n\n three\t.", "émoji 😀 and العربية", "a\r\nb", "# not a heading"]
)
def test_that_the_source_is_shown_exactly(view: SafeText, text: str) -> None:
    view.set_text(text, mode="source")
    assert view.toPlainText() == text.replace("\r\n", "\n").replace("\r", "\n")


def test_that_a_direction_override_becomes_a_visible_chip(view: SafeText) -> None:
    view.set_text("safe \u202eevil", mode="rendered")
    assert "[U+202E RLO]" in view.toPlainText()
    assert view.has_hidden_characters


def test_that_links_show_their_address_and_lead_nowhere(view: SafeText) -> None:
    view.set_text("[home](https://example.invalid/login)", mode="rendered")
    assert "https://example.invalid/login" in view.toPlainText()
    assert "href" not in view.toHtml()


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_that_a_text_that_is_slow_to_draw_is_shown_as_source_and_only_its_beginning_is_laid_out(
    view: SafeText, text: str
) -> None:
    view.set_text(text, mode="rendered")
    assert view.note.endswith("this is its source.")
    assert view.document().characterCount() <= 1.01 * SHOW_AT_FIRST
    assert view.document().blockCount() <= 10_000


def test_that_only_the_beginning_of_a_huge_text_is_shown_until_asked(view: SafeText, qtbot: object) -> None:
    with qtbot.waitSignal(view.cut_changed) as cut:  # type: ignore[attr-defined]
        view.set_text("word " * 60_000, mode="source")
    assert cut.args == [True]
    with qtbot.waitSignal(view.cut_changed) as cut:  # type: ignore[attr-defined]
        view.show_all()
    assert cut.args == [False]


def test_that_differences_are_marked_with_the_colour_of_their_side_and_a_line(view: SafeText, theme: Theme) -> None:
    text = "😀 keep this one"
    view.set_text(text, mode="diff", marks=compare(text, "😀 keep this two").left)
    cursor = view.textCursor()
    cursor.setPosition(len(text.encode("utf-16-le")) // 2 - 1)
    style = cursor.charFormat()
    assert style.background().color().name().upper() == theme.tokens["diff_a"]
    assert style.fontUnderline() or style.underlineStyle() != style.UnderlineStyle.NoUnderline


def test_that_a_selection_is_told_in_offsets_of_the_stored_text(view: SafeText) -> None:
    text = "😀 a\u202eb word"
    view.set_text(text, mode="source")
    assert view.selected_range() is None
    assert view.find("word")
    assert view.selected_range() == (text.index("word"), len(text))


def test_that_extra_marks_survive_a_change_of_theme(view: SafeText, theme: Theme, qtbot: object) -> None:
    view.set_text("find me", mode="source")
    view.set_extra_marks([Mark(0, 4, "find")])
    theme.apply("dark", 100)
    qtbot.waitUntil(lambda: theme.settled)  # type: ignore[attr-defined]
    cursor = view.textCursor()
    cursor.setPosition(2)
    assert cursor.charFormat().background().color().name().upper() == theme.tokens["find"]


def test_that_only_plain_text_leaves_by_the_clipboard(view: SafeText) -> None:
    view.set_text("**bold** <b>x</b>", mode="rendered")
    view.selectAll()
    mime = view.createMimeDataFromSelection()
    assert (mime.hasHtml(), mime.text().strip()) == (False, "bold <b>x</b>")
    view.copy_all()
    assert QGuiApplication.clipboard().text() == "**bold** <b>x</b>"


def test_that_single_keys_are_left_to_the_page(view: SafeText) -> None:
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_1, Qt.KeyboardModifier.NoModifier, "1")
    event.ignore()
    view.event(event)
    assert not event.isAccepted()


def test_that_code_keeps_every_character(view: SafeText) -> None:
    code = 'key = {"a": 1}  # note\n    indented\n\ttabbed'
    view.set_text(f"```python\n{code}\n```", mode="rendered")
    assert code in view.toPlainText()


def test_that_no_file_is_read_while_hostile_text_is_drawn(view: SafeText, tmp_path: Path) -> None:
    canary = tmp_path / "canary.png"
    canary.write_bytes(b"x")
    before = canary.stat().st_atime_ns
    for text in (f"<img src='{canary}'>", f"![a]({canary})", f"![a](file://{canary})"):
        view.set_text(text, mode="rendered")
        view.grab()
    assert canary.stat().st_atime_ns == before
