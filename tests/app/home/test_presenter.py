"""What Home says is next, and which first steps are done."""

from __future__ import annotations

import pytest

from app.home.presenter import LabelledPairs, ago, checklist, next_step


@pytest.mark.parametrize(
    ("counts", "published", "people", "place"),
    [
        ({}, False, 0, "data"),
        ({"pairs": 3}, False, 0, "rubrics"),
        ({"pairs": 3, "labelled": 1}, True, 1, "annotate"),
        ({"pairs": 3, "labelled": 3}, True, 0, "annotate"),
        ({"pairs": 3, "labelled": 3}, True, 3, "train"),
    ],
)
def test_that_the_next_step_follows_from_what_there_is(counts, published, people, place):
    assert next_step(counts, published, LabelledPairs(people)).place == place


@pytest.mark.parametrize(
    ("every", "labelled", "title", "text"),
    [
        (
            200,
            LabelledPairs(0, 0, "mira"),
            "Begin labelling",
            "mira has labelled none of 200 pairs. Each pair has a label by",
        ),
        (200, LabelledPairs(0), "Begin labelling", "People have labelled none of 200 pairs. Each pair has a label by"),
        (12, LabelledPairs(12, 12, "mira"), "Continue labelling", "mira has labelled 12 of 200 pairs, 188 are left."),
        (90, LabelledPairs(80, 12, "mira"), "Continue labelling", "188 are left. With imported and scripted labels"),
        (199, LabelledPairs(199), "Continue labelling", "People have labelled 199 of 200 pairs, 1 is left."),
        (200, LabelledPairs(200, 200, "mira"), "All pairs are labelled", "mira has labelled all 200. Freeze"),
        (90, LabelledPairs(80, 12, "mira", 20), "Continue labelling", "12 of 200 pairs, 168 are left."),
        (90, LabelledPairs(80, 12, "mira", 20, 8), "Continue labelling", "12 of 200 pairs, 160 are left."),
        (
            9,
            LabelledPairs(9, 172, "mira", 20, 8),
            "All pairs are labelled",
            "200 but 20 of a sealed test and 8 without consent.",
        ),
        (200, LabelledPairs(9, 180, "mira", 20), "All pairs are labelled", "all 200 but 20 of a sealed test. Freeze"),
    ],
)
def test_that_home_tells_what_is_left_for_whom(every, labelled, title, text):
    found = next_step({"pairs": 200, "labelled": every}, True, labelled)
    assert found.title == title
    assert text in found.text


def test_that_first_steps_are_ticked_one_by_one():
    assert [step.done for step in checklist({}, False, LabelledPairs())] == [False] * 4
    assert [step.done for step in checklist({"pairs": 40, "runs": 1}, True, LabelledPairs(20))] == [True] * 4
    assert not checklist({"pairs": 40, "labels": 400}, True, LabelledPairs(19))[2].done
    assert checklist({"pairs": 3}, True, LabelledPairs(3))[2].done


def test_that_times_are_told_roughly():
    assert [ago(0, ms) for ms in (1000, 120_000, 7_200_000)] == ["now", "2 min", "2 h"]
