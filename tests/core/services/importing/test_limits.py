from __future__ import annotations

import pytest

from core.services.importing.limits import Limits, RowRejected, check_text, parse_json

LIMITS = Limits(line_bytes=10_000, field_bytes=100)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": ', "not JSON"),
        (b'{"a": 1} {"b": 2}', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8 text (byte 8 is 0xFF)"),
        (b'{"a": "' + b"x" * 10_000 + b'"}', "more than the 10,000 bytes"),
    ],
)
def test_that_a_row_that_other_readers_would_damage_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(RowRejected) as caught:
        parse_json(data, LIMITS)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (b"NaN", "chosen is NaN, not text"),
        (b"-Infinity", "chosen is Infinity, not text"),
        (b"1e999", "chosen is Infinity, not text"),
        (b'1, "chosen": 2', "chosen is given twice with different values"),
        (b"9" * 5000, "chosen is a number with 5,000 digits"),
        (b"[" * 3000 + b"]" * 3000, "chosen is nested too deeply"),
        (b'{"text": "a", "score": 1}', "chosen is an object with the fields text, score, not text"),
        (b'"\\ud83d"', "half of a surrogate pair"),
    ],
)
def test_that_a_value_which_cannot_be_kept_costs_only_the_rows_that_use_it(damage: bytes, reason: str) -> None:
    row = parse_json(b'{"prompt": "q", "chosen": ' + damage + b', "rejected": "b"}', LIMITS)
    assert isinstance(row, dict)
    assert (row["prompt"], row["rejected"]) == ("q", "b")
    with pytest.raises(RowRejected) as caught:
        check_text(row["chosen"], "chosen", LIMITS)
    assert reason in caught.value.reason


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '{"a": 1,}', '{"a": [1,],}', '{"a": "x,}",}'])
def test_that_harmless_slips_are_read_as_they_were_meant(text: str) -> None:
    assert parse_json(text, LIMITS) in ({"a": 1}, {"a": [1]}, {"a": "x,}"})


def test_that_a_row_of_a_million_tiny_values_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(RowRejected, match="500,000 values"):
        parse_json(b'{"a": [' + b"{}," * 1_000_000 + b"{}]}", Limits())


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
