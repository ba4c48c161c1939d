from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.widgets.word_diff import Marks, compare, matching_words

WORDS = st.lists(st.sampled_from(["red", "fox", " ", "\n", ".", "a"]), max_size=25).map("".join)


def _without(text: str, marks: Marks) -> list[str]:
    kept = text
    for start, end in reversed(marks.spans):
        kept = kept[:start] + " " + kept[end:]
    return kept.split()


def test_that_only_the_words_of_one_side_are_marked() -> None:
    left, right = "the red fox runs", "the brown fox runs fast"
    diff = compare(left, right)
    assert [left[slice(*s)] for s in diff.left.spans] == ["red"]
    assert [right[slice(*s)] for s in diff.right.spans] == ["brown", "fast"]


def test_that_neighbouring_words_are_one_mark() -> None:
    left = "keep one two three keep"
    assert [left[slice(*s)] for s in compare(left, "keep keep").left.spans] == ["one two three"]


def test_that_differences_in_white_space_alone_are_not_marked() -> None:
    diff = compare("a  b\n\nc", "a b c")
    assert (diff.left.spans, diff.right.spans, diff.changed) == ((), (), 0.0)


@given(WORDS, WORDS)
@settings(max_examples=150, deadline=None)
def test_that_what_is_not_marked_is_the_same_on_both_sides(left: str, right: str) -> None:
    diff = compare(left, right)
    assert "".join(_without(left, diff.left)) == "".join(_without(right, diff.right))


def test_that_nothing_in_common_counts_as_mostly_changed() -> None:
    diff = compare("alpha beta", "gamma delta")
    assert diff.changed == 1.0
    assert diff.mostly


def test_that_three_thousand_words_are_compared_word_by_word() -> None:
    draw = random.Random(1)
    texts = [" ".join(draw.choice("abcdefgh") * draw.randint(1, 4) for _ in range(2920)) for _ in range(2)]
    diff = compare(*texts)
    assert 0.0 < diff.changed < 1.0
    assert len(diff.left.spans) > 100


def test_that_in_long_texts_a_word_is_still_found_by_itself() -> None:
    words = [f"{kind}{n % 50}" for n in range(6000) for kind in ("the", "of", "fox", "runs")]
    other = [f"new{place}" if place % 900 == 5 else word for place, word in enumerate(words)]
    left, right = " ".join(words), " ".join(["Well", *other])
    diff = compare(left, right)
    found = [right[slice(*span)] for span in diff.right.spans]
    assert found == ["Well", *(word for word in other if word.startswith("new"))]
    assert not diff.by_lines and diff.changed < 0.01


def test_that_huge_texts_fall_back_to_lines_and_say_so() -> None:
    left = "\n".join(f"line {n} of many words here" for n in range(24_000))
    right = left.replace("line 2000 of", "line 2000 of other")
    diff = compare(left, right)
    assert [left[slice(*s)] for s in diff.left.spans] == ["line 2000 of many words here"] and diff.by_lines


@pytest.mark.parametrize(
    ("left", "right", "only_left"),
    [
        ("今天天气很好，我们去公园。", "今天天气很差，我们去公园。", ["好"]),
        ("東京は晴れです", "東京は雨です", ["晴れ"]),
        ("วันนี้อากาศดี", "วันนี้อากาศร้อน", ["ดี"]),
    ],
)
def test_that_scripts_without_blanks_are_compared_by_characters(left: str, right: str, only_left: list[str]) -> None:
    assert [left[slice(*span)] for span in compare(left, right).left.spans] == only_left


def test_that_the_passages_that_both_texts_have_are_told_in_both() -> None:
    left, right = "say **hello** to x", "say hello to y"
    same = [(left[slice(*a)], right[slice(*b)]) for a, b in matching_words(left, right)]
    assert same == [("say ", "say "), ("hello", "hello"), (" to ", " to ")]
