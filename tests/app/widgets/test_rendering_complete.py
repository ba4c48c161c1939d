"""Rendering never swallows words."""

import pytest

from app.theme.theme_file import load_tokens
from app.widgets.rendering import Look, render
from core.paths import resources_dir


@pytest.fixture
def look():
    tokens = load_tokens(resources_dir() / "themes" / "light.json")
    fields = Look.__dataclass_fields__
    values = {"tokens": tokens, "colours": tuple(sorted(tokens.colours.items())), "dark": False}
    return Look(**{name: values.get(name, 14) for name in fields})


@pytest.mark.parametrize(
    "text",
    ["1. 1. 1. 1. 2. 1. 2. 3. 4. 5.", "> " * 40 + "deep", "|a|\n|-|\n|1|lost|", "# C #"],
    ids=["nested empty lists", "deep quotes", "cells beyond the header", "sign at the end of a heading"],
)
def test_that_markdown_that_would_hide_words_is_shown_as_source(text, look):
    assert render(text, "rendered", look).display is not None


def test_that_ordinary_markdown_is_drawn(look):
    text = "Sure.\n\n1. Put it in the **vault**.\n2. Rotate it.\n\n```python\nprint(1)\n```"
    assert render(text, "rendered", look).display is None
