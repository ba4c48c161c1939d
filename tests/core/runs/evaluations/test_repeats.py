from __future__ import annotations

import math

import pytest

from core.runs.evaluations.repeats import distinct, repetition


def test_that_a_text_without_repeats_repeats_nothing() -> None:
    assert repetition("one two three four five six") == 0
    assert distinct("one two three four") == 1


def test_that_repeats_are_counted_by_hand() -> None:
    # "a b c d a b c d a b c d": nine 4-grams, of which four are different
    assert repetition("A b, c d. a b c d! a b c d") == pytest.approx(1 - 4 / 9)
    # "no no no": two bigrams, one of them different
    assert distinct("no no no") == 0.5


def test_that_a_short_text_has_no_value() -> None:
    assert math.isnan(repetition("one two three"))
    assert math.isnan(distinct(""))


def test_that_scripts_without_blanks_count_characters() -> None:
    assert repetition("春眠不覺曉處處聞啼鳥") == 0
    assert repetition("春眠春眠春眠春眠春眠春眠") > 0.5
