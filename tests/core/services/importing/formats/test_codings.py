from __future__ import annotations

import pytest

from core.domain.judgement import Verdict
from core.services.importing.formats.codings import guess_coding, read_label
from core.services.importing.limits import RowRejected


@pytest.mark.parametrize(
    ("values", "zero_named", "coding"),
    [
        ([1, 2, 1], False, "one_based"),
        (["1", "2", "tie"], False, "one_based"),
        ([0, 1, 2], False, "one_based"),
        ([0, 1, 1], False, "zero_based"),
        ([0, 1, 2], True, "zero_based"),
        ([1, 1], False, "one_based"),
        ([-1, 1, 0], False, "signed"),
        ([-3, 2], False, "signed"),
        (["A", "B"], False, "one_based"),
        ([1.0, 2.0, None], False, "one_based"),
    ],
)
def test_that_the_coding_is_told_from_the_values(values: list, zero_named: bool, coding: str) -> None:
    assert guess_coding(values, zero_named=zero_named) == coding


@pytest.mark.parametrize(
    ("value", "coding", "strength"),
    [
        (1, "one_based", -2),
        ("2", "one_based", 2),
        (2.0, "one_based", 2),
        (0, "zero_based", -2),
        (1, "zero_based", 2),
        (1, "first_is_one", -2),
        (0, "first_is_one", 2),
        (-3, "signed", -3),
        ("+1", "signed", 1),
        ("A", "one_based", -2),
        (" model_b ", "one_based", 2),
        ("response_1", "zero_based", -2),
    ],
)
def test_that_a_value_names_the_side_it_means(value: object, coding: str, strength: int) -> None:
    label = read_label(value, "label", coding)  # type: ignore[arg-type]
    assert label is not None
    assert (label.verdict, label.strength) == (Verdict.PREFER, strength)


@pytest.mark.parametrize("value", [0, "tie", "Tie", "both"])
def test_that_a_tie_is_a_verdict_of_its_own(value: object) -> None:
    label = read_label(value, "label", "one_based")
    assert label is not None
    assert (label.verdict, label.strength) == (Verdict.TIE, None)


def test_that_both_bad_is_not_a_tie() -> None:
    label = read_label("tie (bothbad)", "winner", "one_based")
    assert label is not None
    assert label.verdict is Verdict.NEITHER


@pytest.mark.parametrize("value", [None, "", " ", "NaN"])
def test_that_a_blank_cell_is_no_label(value: object) -> None:
    assert read_label(value, "label", "one_based") is None


@pytest.mark.parametrize(
    ("value", "coding"),
    [
        (True, "one_based"),
        (7, "one_based"),
        (4, "signed"),
        ("maybe", "one_based"),
        (0.5, "one_based"),
        ([], "one_based"),
    ],
)
def test_that_a_value_that_names_no_side_is_rejected(value: object, coding: str) -> None:
    with pytest.raises(RowRejected, match="label is"):
        read_label(value, "label", coding)  # type: ignore[arg-type]
