"""Formulas of a text that is shown as it is written: pictures in their places, and not one character altered."""

from __future__ import annotations

from typing import Any

import pytest

import app.widgets.formula_text as formula_text
from app.theme.theme import Theme
from app.widgets.conversation import conversation_text
from app.widgets.display import PICTURE
from app.widgets.formula_text import MOST_OPENINGS, find_formulas
from app.widgets.formulas_in_source import plain_formulas
from app.widgets.safe_text import SafeText
from core.domain.conversation import Message

TEXT = "Solve $x^2 = 4$ and \\(a+b\\), 5 😀 dollars: $5 and $6.\nThen stop."


@pytest.fixture
def view(theme: Theme, qtbot: Any) -> SafeText:
    widget = SafeText(theme, "Prompt")
    qtbot.addWidget(widget)
    widget.resize(420, 300)
    widget.show()
    return widget


def test_that_formulas_become_pictures_and_the_text_around_them_stays(view: SafeText) -> None:
    view.set_text(TEXT, mode="formulas")
    shown = view.toPlainText()
    assert shown == TEXT.replace("$x^2 = 4$", PICTURE).replace("\\(a+b\\)", PICTURE)
    assert view.formulas_shown == ("$x^2 = 4$", "\\(a+b\\)")
    assert view.text_shown == TEXT
    view.selectAll()
    assert view.createMimeDataFromSelection().text() == TEXT
    assert view.selected_range() == (0, len(TEXT))
    view.set_mode("source")
    assert view.toPlainText() == TEXT


def test_that_every_picture_is_one_that_was_drawn_here(view: SafeText) -> None:
    view.set_text(TEXT, mode="formulas")
    names = []
    block = view.document().begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            form = pieces.fragment().charFormat()
            if form.isImageFormat():
                names.append(form.toImageFormat().name())
            pieces += 1
        block = block.next()
    assert len(names) == 2 and all(view._theme.formulas.named(name) is not None for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "In code `$x^2$` and\n```sh\necho $a_b$\n```",
        "hidden $x\u200b^2$ sign",
        "costs $5 to $6",
        "unclosed \\( here",
    ],
)
def test_that_code_and_hidden_characters_stay_as_they_are(view: SafeText, text: str) -> None:
    view.set_text(text, mode="formulas")
    assert view.formulas_shown == ()
    assert PICTURE not in view.toPlainText()


def test_that_no_formula_swallows_the_name_of_a_role() -> None:
    turns = (Message("user", "Begin \\(a+"), Message("assistant", "b\\) end"), Message("user", "$y_1$?"))
    text, roles = conversation_text(turns)
    assert [found.tex for _, found in plain_formulas(text, roles)] == ["y_1"]


def test_that_a_hostile_text_is_not_searched_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    one = formula_text.formula_at

    def spy(text: str, place: int) -> Any:
        tried.append(place)
        return one(text, place)

    monkeypatch.setattr(formula_text, "formula_at", spy)
    for sign in ("$ ", "\\( ", "\\begin{cases} ", "$$"):
        tried.clear()
        find_formulas(sign * 200_000)
        assert len(tried) <= MOST_OPENINGS


def test_that_a_formula_as_long_as_the_limit_is_found_and_a_longer_one_is_not_cut() -> None:
    inside = "x+" * 299 + "x"
    assert [found.tex for found in find_formulas(f"$${inside}$$")] == [inside]
    longer = "x+" * 400 + "x"
    assert find_formulas(f"$${longer}$$") == [] and find_formulas(f"${longer}$") == []
