"""What Home says is next, and which first steps are done."""

from __future__ import annotations

import pytest

from app.home.presenter import ago, checklist, next_thing


@pytest.mark.parametrize(
    ("counts", "published", "place"),
    [
        ({}, False, "data"),
        ({"pairs": 3}, False, "rubrics"),
        ({"pairs": 3, "labelled": 1}, True, "annotate"),
        ({"pairs": 3, "labelled": 3}, True, "train"),
    ],
)
def test_that_the_next_thing_follows_from_what_there_is(counts, published, place):
    assert next_thing(counts, published).place == place


def test_that_first_steps_are_ticked_one_by_one():
    assert [step.done for step in checklist({}, False)] == [False] * 4
    assert [step.done for step in checklist({"pairs": 1, "labels": 20, "runs": 1}, True)] == [True] * 4
    assert not checklist({"labels": 19}, True)[2].done


def test_that_times_are_told_roughly():
    assert [ago(0, ms) for ms in (1000, 120_000, 7_200_000)] == ["now", "2 min", "2 h"]
