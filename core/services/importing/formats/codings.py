"""Codings of a label column: which value means which side, or a tie.

Words and letters are unambiguous. Numbers are not: 1 is the first response in one file and the second in another. The
coding is guessed from the values in a sample and shown to the user for confirmation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from core.domain.judgement import Verdict
from core.services.importing.limits import RowRejected, describe_type
from core.services.importing.rows import ParsedLabel

Coding = Literal["one_based", "zero_based", "signed", "first_is_one"]
CODINGS: dict[Coding, str] = {
    "one_based": "1 = first, 2 = second, 0 = tie",
    "zero_based": "0 = first, 1 = second, 2 = tie",
    "signed": "-3..-1 = first, 0 = tie, 1..3 = second",
    "first_is_one": "1 = first, 0 = second",
}
BINARY_STRENGTH = 2  # of a preference without a degree: the middle of the scale
_FIRST = {
    "a",
    "first",
    "left",
    "model_a",
    "response_a",
    "answer_a",
    "assistant_a",
    "response_1",
    "response1",
    "model_1",
}
_SECOND = {"b", "second", "right", "model_b", "response_b", "answer_b", "assistant_b", "response_2", "response2"}
_SECOND |= {"model_2"}
_TIE = {"tie", "same", "equal", "draw", "both", "tied", "c", "both good"}
_NEITHER = {"neither", "both bad", "bothbad", "both_bad", "tie (bothbad)", "tie (both bad)", "none"}
_BLANK = {"", "null", "nan", "n/a", "na"}
_NUMBER = re.compile(r"[+-]?\d+(\.0+)?")
_NUMERIC: dict[str, dict[int, int]] = {
    "one_based": {1: -1, 2: 1, 0: 0, -1: 0, 3: 0},
    "zero_based": {0: -1, 1: 1, 2: 0, -1: 0},
    "first_is_one": {1: -1, 0: 1},
}


def guess_coding(values: Iterable[object], *, zero_named: bool) -> Coding:
    """Return the coding that fits the values of a column.

    Args:
        values: cells of a sample.
        zero_named: the responses themselves are numbered from 0, so their labels are.
    """
    seen = {number for value in values if (number := as_number(value)) is not None}
    if any(number < -1 for number in seen) or ({-1, 1} <= seen and 2 not in seen):
        return "signed"
    if zero_named or (0 in seen and not seen & {2, 3}):
        return "zero_based"
    return "one_based"


def as_number(value: object) -> int | None:
    """Return the whole number that a cell holds or spells, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(float(value))
    return None


def read_label(value: object, name: str, coding: Coding, reviewer: str = "") -> ParsedLabel | None:
    """Return the label that a cell holds; None when the cell is blank.

    Raises:
        RowRejected: when the coding does not know the value.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        raise RowRejected(f"{name} is {describe_type(value)}; its side is not defined")
    number = as_number(value)
    if number is not None:
        return _numeric(number, name, coding, reviewer)
    if not isinstance(value, str):
        raise RowRejected(f"{name} is {describe_type(value)}, which is no label")
    word = value.strip().lower()
    if word in _BLANK:
        return None
    for words, strength in ((_FIRST, -BINARY_STRENGTH), (_SECOND, BINARY_STRENGTH)):
        if word in words:
            return ParsedLabel(Verdict.PREFER, strength, reviewer)
    if word in _TIE:
        return ParsedLabel(Verdict.TIE, None, reviewer)
    if word in _NEITHER:
        return ParsedLabel(Verdict.NEITHER, None, reviewer)
    raise RowRejected(f"{name} is {value[:40]!r}, which names no side")


def side_label(side: int, reviewer: str = "", strength: int = BINARY_STRENGTH) -> ParsedLabel:
    """Return the label for -1 (first), 0 (tie) or 1 (second)."""
    if side == 0:
        return ParsedLabel(Verdict.TIE, None, reviewer)
    return ParsedLabel(Verdict.PREFER, side * strength, reviewer)


def _numeric(number: int, name: str, coding: Coding, reviewer: str) -> ParsedLabel:
    if coding == "signed":
        if abs(number) > 3:
            raise RowRejected(f"{name} is {number}; a strength lies between -3 and 3")
        return side_label((number > 0) - (number < 0), reviewer, abs(number) or 1)
    side = _NUMERIC[coding].get(number)
    if side is None:
        raise RowRejected(f"{name} is {number}, which names no side where {CODINGS[coding]}")
    return side_label(side, reviewer)
