from __future__ import annotations

import pytest

from core.services.importing.limits import Limits, RowRejected, check_text, parse_json

LIMITS = Limits(line_bytes=10_000, field_bytes=100)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 1, "a": 2}', "'a' appears twice"),
        (b'{"x": {"a": 1, "a": 2}}', "'a' appears twice"),
        (b'{"a": ', "not JSON"),
        (b'{"a": 1} {"b": 2}', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8 text (byte 8)"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": "' + b"x" * 10_000 + b'"}', "more than the 10,000 bytes"),
    ],
)
def test_that_a_row_that_other_readers_would_damage_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(RowRejected) as caught:
        parse_json(data, LIMITS)
    assert reason in caught.value.reason


def test_that_deep_nesting_is_a_reason_and_no_crash() -> None:
    with pytest.raises(RowRejected) as caught:
        parse_json(b"[" * 100_000, Limits())
    assert "nested too deeply" in caught.value.reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("\ud800", "surrogate"),
        ("a\x00b", "NUL"),
        ("é" * 51, "102 bytes"),
        (None, "missing"),
        (True, "the boolean true"),
        (1.5, "a number"),
        ([], "a list"),
    ],
)
def test_that_a_text_that_cannot_be_stored_is_refused(value: object, reason: str) -> None:
    with pytest.raises(RowRejected) as caught:
        check_text(value, "answer", LIMITS)
    assert caught.value.reason.startswith("answer")
    assert reason in caught.value.reason


def test_that_ordinary_text_passes_unchanged_with_emoji_and_hidden_marks() -> None:
    text = "a\u202eb 👩‍🔬 \r\n\t=1+1"
    assert check_text(text, "answer", LIMITS) is text
