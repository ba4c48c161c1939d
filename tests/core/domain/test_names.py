"""Names are one line of visible text of a bounded length."""

from __future__ import annotations

import pytest

from core.domain.errors import BadInput
from core.domain.names import LONGEST, checked_name, cleaned_name


@pytest.mark.parametrize(
    "name", ["Ann", "Zoë", "李雷", "नीलम", "👩‍🔬 A", "v1.0 (b)", "o'Neill", "x" * LONGEST, "می‌خواهم"]
)
def test_that_visible_names_pass_unchanged(name: str) -> None:
    assert checked_name(f"  {name} ", "reviewer") == name
    assert cleaned_name(name, "reviewer") == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "needs a name"),
        (" \t ", "needs a name"),
        ("a\nb", "a line break"),
        ("a\rb", "a line break"),
        ("a\x00b", "a NUL character"),
        ("a\u202eb", r"U\+202E \(right-to-left override\)"),
        ("a\u2066b", r"U\+2066"),
        ("a\u200bb", r"U\+200B"),
        ("\u3164", r"U\+3164"),
        ("\ufeffa", r"U\+FEFF"),
        ("a\x1b[31m", r"U\+001B"),
        ("a\ud800", r"U\+D800"),
        ("x" * (LONGEST + 1), "121 characters"),
    ],
)
def test_that_other_names_are_refused_in_words_and_cleaned_when_they_came_with_a_file(name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        checked_name(name, "reviewer")
    cleaned = cleaned_name(name, "somebody")
    assert checked_name(cleaned, "reviewer") == cleaned


def test_that_composed_and_decomposed_letters_make_one_name() -> None:
    assert checked_name("Zoe\u0308", "reviewer") == checked_name("Zo\u00eb", "reviewer")
