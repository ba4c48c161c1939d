from __future__ import annotations

import pytest

from app.widgets.hidden_chars import badge_text, find_hidden


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("plain text\nwith\ttabs\r\n", []),
        ("a\u202eb", ["U+202E RLO"]),
        ("zero\u200bwidth", ["U+200B ZWSP"]),
        ("\ufeffstart", ["U+FEFF BOM"]),
        ("nul\x00", ["U+0000"]),
        ("bell\x07", ["U+0007"]),
        ("soft\u00adhyphen", ["U+00AD soft hyphen"]),
        ("tag\U000e0041", ["U+E0041 tag"]),
        ("\u2066\u2066\u2066", ["U+2066 LRI ×3"]),
        ("line\u2028sep", ["U+2028 LSEP"]),
        ("👨\u200d👩\u200d👧", []),
        ("می\u200cخواهم", []),
        ("a\u200db", ["U+200D ZWJ"]),
        ("e\u0301té", []),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_that_only_invisible_characters_get_a_chip(text: str, labels: list[str]) -> None:
    assert [h.label for h in find_hidden(text)] == labels


def test_that_a_tower_of_combining_marks_is_cut_after_eight() -> None:
    (found,) = find_hidden("e" + "\u0301" * 50_000)
    assert found.start == 9
    assert found.label == "+49,992 combining marks"


def test_that_the_badge_counts_characters() -> None:
    assert badge_text(find_hidden("a\u200b\u200bb\u202e")) == "3 hidden characters"
    assert badge_text([]) == ""
