"""Drawn Markdown shows every character that is no markup, as it was written; formulas are pictures or their source."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from app.theme.formulas import Formula, Formulas, draw, is_complete
from app.theme.theme import Theme
from app.widgets.formula_text import find_formulas
from app.widgets.safe_text import PICTURE, SafeText

AWKWARD = {
    "product": "17*23 = 17*20 + 17*3",
    "product with brackets": "2*(3+4)*5 and (a)*b*(c) and 3 *x* 4",
    "powers": "2**10 + 3**2 = 1033",
    "arguments": "def f(*args, **kwargs): call(*args, **kwargs)",
    "names": "__init__ and snake_case_name and _private",
    "paths": r"\\server\share and C:\temp\*.txt",
    "escapes": r"\*not a star\* 1\. not a list \# \_x\_ a\|b",
    "regex": r"use \d+\.\d* or [^\]]",
    "entities": "&lt;tag&gt; &nbsp;&copy; &#65;",
    "links": '[text](http://x.example/ü "title") ![p](q.png) <http://e.example> [ref][1]\n\n[1]: http://z.example',
    "tags": "<b>bold?</b> <!-- seen --> <think>x</think> 5 < 6 > 4",
    "numbers of lists": "3. three\n3. three again\n\n7) seven\n\n- 5 below zero\n+ 30 more",
    "underlined by hand": "Sum\n===\n12",
    "blanks": "a\n\n\n\nb   c\td\n  indented\n    more",
    "poem": "Roses\n  are\n    red,\n\n  violets",
    "money": "It costs $5 and $6, or US$7 to US$8; 5$ or 6$, $5-$6.",
    "shell": "echo $HOME/$USER and ${PATH}; price$x$y",
    "formula that is not known": r"\(\foo{a}\) and $$\color{red}{x}$$",
    "broken formula": r"\(\frac{1}\) and $x^$ and \[ never closed",
    "right to left": "أوسلو (Oslo) 100%.\n\n1. א\n2. ב",
    "chinese": "这是**重要**的 *一* 点。",
    "code": "```python\ndef f(x):\n    return x  # two  spaces\n\n\n```\nand `a * b`",
    "table": "| a | b |\n|:--|--:|\n| 1*2*3 | \\(x\\) |",
    "wide table row": "| a |\n|---|\n| 1 | more |",
    "heading": "# C #\n\n## 1. One *two*",
    "quote": "> a * b * c\n> > deep",
    "task": "- [ ] todo\n- [x] done",
    "unclosed": "**bold\n\n```js\nlet a = 1;",
    "bell": "a\x07b\x00c\u2028d\u3000",
}
MARKUP = "*_`~#>|-+:•"


def letters(text: str) -> str:
    """Return a text without white space and without the signs that can be markup of blocks."""
    return "".join(sign for sign in text if sign not in MARKUP and not sign.isspace() and sign.isprintable())


@pytest.fixture
def view(theme: Theme, qtbot) -> SafeText:
    widget = SafeText(theme, "Answer")
    qtbot.addWidget(widget)
    widget.resize(420, 500)
    return widget


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_that_every_character_that_is_no_markup_is_seen_and_the_stored_text_stays(view: SafeText, text: str) -> None:
    view.set_text(text, mode="rendered")
    seen = re.sub(r"\[U\+[0-9A-F]{4}[^\]]*\]", "", view.toPlainText())
    sources = iter(view.formulas_shown)
    seen = "".join(next(sources) if sign == PICTURE else sign for sign in seen)
    assert letters(seen) == letters(text)
    assert view.text_shown == text


@pytest.mark.parametrize(
    "name", ["product", "product with brackets", "powers", "arguments", "names", "paths", "escapes"]
)
def test_that_signs_of_products_names_and_paths_are_no_emphasis(view: SafeText, name: str) -> None:
    view.set_text(AWKWARD[name], mode="rendered")
    assert view.note == "" and view.toPlainText() == AWKWARD[name]


def test_that_blank_lines_blanks_and_indents_are_seen(view: SafeText) -> None:
    view.set_text("  a\n\n\n\nb   c\td\n    e", mode="rendered")
    assert view.toPlainText() == "  a\n\n\nb   c\td\n    e"
    assert view.toHtml().count("-qt-paragraph-type:empty") == 2


def test_that_emphasis_and_lists_are_still_drawn(view: SafeText) -> None:
    view.set_text("**b** *i* ~~s~~ `c`\n\n- one\n- two\n\n1. x\n2. y", mode="rendered")
    assert view.note == "" and view.toPlainText().split() == ["b", "i", "s", "c", "one", "two", "1.", "x", "2.", "y"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\(a=1\) and \[b\]", ["a=1", "b"]),
        ("$x^2=4$, $n$-th, $$y$$", ["x^2=4", "n", "y"]),
        ("$5 and $6", []),
        ("between $5/month and 10$/month", []),
        ("$HOME/bin:$PATH", []),
        ("a\n\n$x\n\ny$", []),
        (r"\begin{align}a &= b\end{align}", [r"\begin{align}a &= b\end{align}"]),
        (r"\\(no\\)", []),
    ],
)
def test_that_formulas_are_told_from_money_and_variables(text: str, found: list[str]) -> None:
    assert [formula.tex for formula in find_formulas(text)] == found


def test_that_a_formula_is_a_picture_that_is_copied_as_its_source(view: SafeText) -> None:
    text = r"So \(x^2\) is $\frac{1}{2}$."
    view.set_text(text, mode="rendered")
    assert view.toPlainText() == f"So {PICTURE} is {PICTURE}."
    view.selectAll()
    assert view.createMimeDataFromSelection().text() == text
    view.set_text(text, mode="source")
    assert view.toPlainText() == text


@pytest.mark.parametrize("tex", [r"\foo{a}", r"\color{red}{x}", r"\frac{1}", "x^", "{" * 3000, r"\label{eq:1} a"])
def test_that_a_formula_that_cannot_be_drawn_in_full_has_no_picture(tex: str, qapp) -> None:
    assert draw(Formula(tex, False, 14, "#000000"), 1.0) is None


@pytest.mark.parametrize(
    "tex",
    [
        r"\int_0^1 \frac{a}{b}\,dx = \sqrt{2}",
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        r"f'(x) \ge |x| \cdot 50\%",
        r"\left( \frac12 \right) \text{ if } x_{i,j} \in \mathbb{R}",
        r"\lim_{n\to\infty} \sum_{i=1}^{n} i!",
    ],
)
def test_that_usual_formulas_are_drawn_in_the_colour_of_the_text(tex: str, qapp) -> None:
    drawn = draw(Formula(tex, True, 14, "#ff0000"), 2.0)
    assert drawn is not None
    image, width, height = drawn
    assert image.width() == 2 * width and image.height() == 2 * height
    inks = {image.pixelColor(x, y).red() for x in range(image.width()) for y in range(image.height())}
    assert QColor("#ff0000").red() in inks


def test_that_a_letter_more_or_less_is_noticed() -> None:
    assert is_complete("a_1 + b", "a1+b") and not is_complete("a_1 + b", "a+b")


def test_that_the_source_is_shown_until_the_pictures_are_drawn(view: SafeText, theme: Theme) -> None:
    waiting = []
    theme.formulas = Formulas(theme)
    theme.formulas.drawn.connect(view._take_formulas)
    theme.formulas.draw_with(lambda work, done: waiting.append((work, done)))
    view.set_text("so $a+b$", mode="rendered")
    assert view.toPlainText() == "so $a+b$"
    ((work, done),) = waiting
    done(work())
    assert view.toPlainText() == f"so {PICTURE}"


def test_that_each_paragraph_has_the_direction_of_its_script_and_code_goes_from_left_to_right(view: SafeText) -> None:
    view.set_text("קוד: כאן\n\nEnglish\n\n```python\n# הערה\nx = [1, 2]\n```", mode="rendered")
    block, found = view.document().begin(), {}
    while block.isValid():
        found[block.text().split("\u2028")[0]] = block.textDirection()
        block = block.next()
    assert found["קוד: כאן"] == Qt.LayoutDirection.RightToLeft
    assert found["English"] == found["# הערה"] == Qt.LayoutDirection.LeftToRight
