"""Ticks are round, have room, and are never fractions of a step or a count."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from app.widgets.plots.ticks import linear_ticks, log_ticks, power_text, tick_text


@pytest.mark.parametrize("most", range(2, 12))
@pytest.mark.parametrize(
    "ends",
    [
        (0.0, 40.0),
        (-0.6, 55.0),
        (0.693, 0.6931),
        (1e-14, 9e-14),
        (-3e6, 8e6),
        (0.0, 1.0),
        (1e12, 1e12 + 19),
        (0.69314718055989, 0.69314718055999),
        (0.69314718055994, 0.693147180559945),
        (0.0, 2e301),
        (1e9, 1e9 + 1),
        (-2e-300, 3e-300),
    ],
)
def test_that_there_are_never_more_ticks_than_have_room(ends: tuple[float, float], most: int) -> None:
    spacing, values = linear_ticks(*ends, most)
    assert len(values) <= most
    assert all(ends[0] - 1e-9 * spacing <= value <= ends[1] + 1e-9 * spacing for value in values)
    texts = [tick_text(value, spacing) for value in values]
    assert len(set(texts)) == len(texts), "two ticks never say the same"


@pytest.mark.parametrize("last", [1, 2, 3, 7, 40, 123, 100_000])
def test_that_steps_and_counts_have_whole_ticks(last: int) -> None:
    for most in (2, 5, 9):
        _, values = linear_ticks(-0.5, last + 0.5, most, whole=True)
        assert values and all(value == int(value) for value in values)
        places = log_ticks(0.0, math.log10(last + 0.5), most, whole=True)
        assert all(abs(10**place - round(10**place)) < 1e-6 * 10**place for place in places)


@pytest.mark.parametrize("most", range(2, 10))
@pytest.mark.parametrize("ends", [(0.0, 1.6), (0.0, 5.0), (-4.0, 4.0), (2.0, 2.5), (-0.2, 3.1)])
def test_that_ticks_of_a_logarithmic_axis_keep_their_distance(ends: tuple[float, float], most: int) -> None:
    places = log_ticks(*ends, most)
    gaps = [b - a for a, b in pairwise(places)]
    assert all(gap * most >= 0.6 * (ends[1] - ends[0]) for gap in gaps)
    assert [power_text(place) for place in places] == list(dict.fromkeys(power_text(place) for place in places))


def test_that_an_axis_without_length_has_no_ticks() -> None:
    assert linear_ticks(1.0, 1.0, 5)[1] == []
    assert linear_ticks(math.nan, 1.0, 5)[1] == []
