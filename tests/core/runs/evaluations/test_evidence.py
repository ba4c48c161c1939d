"""Estimates of the evidence stay where their numbers can lie."""

from __future__ import annotations

from core.runs.evaluations.columns import Column
from core.runs.evaluations.comparisons import estimate_of

GROUPS = {"a": "p1", "b": "p2", "c": "p3", "d": "p4"}


def test_that_the_interval_of_a_mean_of_shares_stays_between_0_and_1() -> None:
    found = estimate_of(Column("distinct_2", "mean", "mean share", {"a": 1.0, "b": 1.0, "c": 0.7, "d": 1.0}), GROUPS)
    assert (found.value, found.high) == (0.925, 1.0)
    assert 0.0 < found.low < 0.925


def test_that_the_interval_of_a_number_with_a_unit_is_left_as_it_is() -> None:
    lengths = {"a": 10.0, "b": 30.0, "c": 20.0, "d": 20.0}
    found = estimate_of(Column("length", "mean", "mean length", lengths, "tokens"), GROUPS)
    assert found.low < 20.0 < found.high
    assert found.high > 1.0
