from __future__ import annotations

from typing import cast

import pytest

from core.services.importing.formats.codings import CODINGS, Coding, possible_codings, read_number, read_values
from core.services.importing.formats.verdict_words import read_words


def said(values: list[str], coding: Coding | None = None) -> list[str]:
    reads = read_values(dict.fromkeys(values, 1), coding)
    return [f"{reads[v].reads}{reads[v].strength or ''}" for v in values]


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([1, 0], ["first_is_1", "second_is_1"]),
        (["true", "false"], ["first_is_1", "second_is_1"]),
        ([1], ["first_is_1", "second_is_1"]),
        ([0], ["first_is_1", "second_is_1", "one_based"]),
        ([1, 2], ["one_based", "zero_based"]),
        ([0, 1, 2], ["one_based", "zero_based"]),
        ([-1, 1], ["signed", "signed_first_positive"]),
        ([-1, 0, 1], ["signed", "signed_first_positive"]),
        ([-3, 2], ["signed", "signed_first_positive"]),
        ([0.25, 0.5, 1], ["first_is_1", "second_is_1"]),
        ([1, 3, 5], ["scale_5", "scale_5_reversed", "scale_7", "scale_7_reversed"]),
        ([1, 1.5, 2], ["one_to_two"]),
        ([10, 50], []),
    ],
)
def test_that_numbers_leave_open_what_they_mean_and_each_possible_coding_is_named(
    values: list, codings: list[str]
) -> None:
    assert possible_codings({str(value): 3 for value in values}, words=False) == codings


def test_that_a_number_among_words_may_also_be_a_mistake() -> None:
    assert possible_codings({"2": 1}, words=True)[-1] == "words"
    assert said(["A", "2"], "words") == ["first2", "refused"]


def test_that_a_coding_fits_that_knows_the_most_values() -> None:
    assert possible_codings({"1": 90, "2": 80, "9": 1}, words=False) == ["one_based", "zero_based"]


@pytest.mark.parametrize(
    ("value", "coding", "read"),
    [
        ("1", "one_based", "first2"),
        ("2.0", "one_based", "second2"),
        ("0", "one_based", "tie"),
        ("0", "zero_based", "first2"),
        ("2", "zero_based", "tie"),
        ("true", "first_is_1", "first2"),
        ("no", "first_is_1", "second2"),
        ("0.5", "first_is_1", "tie"),
        ("0.62", "first_is_1", "first1"),
        ("0.25", "second_is_1", "first2"),
        ("0.97", "second_is_1", "second3"),
        ("1.5", "first_is_1", "refused"),
        ("-3", "signed", "first3"),
        ("+1", "signed", "second1"),
        ("-3", "signed_first_positive", "second3"),
        ("4", "signed", "refused"),
        ("3", "zero_based", "refused"),
        ("3", "scale_5", "tie"),
        ("7", "scale_7_reversed", "first3"),
    ],
)
def test_that_a_number_names_the_side_that_its_coding_says(value: str, coding: str, read: str) -> None:
    assert said([value], cast("Coding", coding)) == [read]


def test_that_numbers_without_a_coding_stay_open() -> None:
    assert said(["1", "0.5", "true"]) == ["open", "open", "open"]


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("A", "first2"),
        (" model_b ", "second2"),
        ("Response 1", "first2"),
        ("response_2", "second2"),
        ("[[B]]", "second2"),
        ("left", "first2"),
        ("the second response is much better", "second3"),
        ("A is slightly better", "first1"),
        ("significantly B", "second3"),
        ("A>B", "first2"),
        ("B+", "second2"),
        ("tie", "tie"),
        ("A=B", "tie"),
        ("Both are good", "tie"),
        ("no preference", "tie"),
        ("tie (bothbad)", "neither"),
        ("both_bad", "neither"),
        ("Neither", "neither"),
        ("None", "no label"),
        ("nan", "no label"),
        ("N/A", "no label"),
        ("-", "no label"),
        ("maybe", "refused"),
        ("hm, A or B", "refused"),
    ],
)
def test_that_a_word_says_who_won_or_that_nobody_answered(word: str, read: str) -> None:
    assert said([word]) == [read]


def test_that_one_mark_is_a_slight_preference_where_a_double_one_is_used_too() -> None:
    assert said(["A++", "A+", "=", "B+", "B++"]) == ["first3", "first1", "tie", "second1", "second3"]
    assert said(["A>>B", "A>B", "B>A", "A<<B"]) == ["first3", "first1", "second1", "second3"]


@pytest.mark.parametrize("coding", CODINGS)
def test_that_no_coding_contradicts_the_sentence_that_explains_it(coding: Coding) -> None:
    reads = [read_number(number, coding).reads for number in range(-3, 8)]
    assert coding == "words" or {"first", "second"} <= set(reads)
    assert not read_words(["1", "2.5", "-1"])
