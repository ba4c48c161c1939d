"""Counts of words, sentences, paragraphs and list items, by hand."""

from __future__ import annotations

import pytest

from core.evaluation.text_counts import characters, list_items, paragraphs, sentences, words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("- a\n- b\n- c", 3),
        ("Here:\n\n1. a\n2. b\n\nDone.", 2),
        ("1) a\n  * b\n\t+ c\n• d\n– e\n(3) f\na) g\n**4.** h", 8),
        ("1、苹果\n2、梨\n（3） 桃\n•李", 4),
        ("١. تفاح\n٢. كمثرى", 2),
        ("**bold** text\n*emphasis*\n---\n-5 degrees\n2024. was good\n3.5 litres\n-", 0),
        ("A. Smith came.", 0),
    ],
)
def test_list_items(text: str, count: int) -> None:
    assert list_items(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("one two  three\nfour", 4),
        ("It's 3.5 - no, 4!", 4),
        ("- a\n- b", 2),
        ("我喜欢猫。", 4),
        ("我用 Python 3 编程", 6),
        ("ذهب الولد إلى المدرسة", 4),
    ],
)
def test_words(text: str, count: int) -> None:
    assert words(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("No end", 1),
        ("One. Two! Three? Four... Five", 5),
        ("It costs 3.50 euros at www.example.org today.", 1),
        ("Dr. Smith met J. R. Tolkien, e.g. in Oxford.", 1),
        ("Das gilt z. B. für Prof. Meier, Nr. 5 usw. Und hier.", 1 + 1),
        ('He said "Stop." Then he left.', 2),
        ("你好。你怎么样？我很好！", 3),
        ("كيف حالك؟ أنا بخير.", 2),
        ("A list:\n- one\n- two", 3),
        ("First part\n\nSecond part", 2),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert sentences(text) == count


def test_paragraphs_and_characters() -> None:
    assert paragraphs("a\nb\n\nc\n \t\n\n\nd\n") == 3
    assert paragraphs(" \n\n ") == 0
    assert characters("  cafe\u0301 ole \n") == len("café ole")
