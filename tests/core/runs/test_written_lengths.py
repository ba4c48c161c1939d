from __future__ import annotations

import itertools

import pytest

from core.runs.child_processes.written_lengths import WrittenLengths

SEEN = WrittenLengths((3, 5, 8, 8), ended=2, most=8)


@pytest.mark.parametrize("most", [1, 3, 6, 8])
def test_that_within_what_was_seen_the_expected_length_is_the_mean_of_the_cut_lengths(most: int) -> None:
    assert SEEN.expected(most) == pytest.approx(sum(min(length, most) for length in SEEN.tokens) / 4)


@pytest.mark.parametrize("of", [2, 3])
def test_that_the_longest_of_several_is_the_mean_over_all_draws(of: int) -> None:
    draws = list(itertools.product(SEEN.tokens, repeat=of))
    assert SEEN.expected(8, of) == pytest.approx(sum(map(max, draws)) / len(draws))


def test_that_beyond_what_was_seen_answers_end_as_often_as_a_token_did() -> None:
    ends, going_on = 2 / 24, 0.5  # two of the 24 written tokens ended an answer, and half of the answers went on
    more = sum(going_on * (1 - ends) ** done for done in range(12))
    assert SEEN.expected(20) == pytest.approx(6.0 + more)


def test_that_answers_that_never_end_are_as_long_as_they_may_get() -> None:
    assert WrittenLengths((8, 8), ended=0, most=8).expected(128, of=8) == pytest.approx(128.0)
    assert WrittenLengths().expected(128) == 128.0
