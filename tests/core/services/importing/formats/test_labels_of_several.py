"""Labels that repeat an answer, and labels of several reviewers in lists, objects and columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import UserError
from core.services.importing.detect import detect
from core.services.importing.formats.sample import Sample
from core.services.importing.limits import Limits, RowRejected
from tests.core.services.importing.formats.test_labels import QA, look, votes


def test_that_a_label_which_repeats_the_text_of_an_answer_names_it() -> None:
    records = [
        {"prompt": "q1", "response_a": "so " * 40, "response_b": "no " * 40, "winner": "no " * 40},
        {"prompt": "q2", "response_a": "alpha", "response_b": "beta", "winner": "alpha"},
        {"prompt": "q3", "response_a": "B", "response_b": "gamma", "winner": "B"},  # the letter is a side
        {"prompt": "q4", "response_a": "x", "response_b": "y", "winner": "tie"},
    ]
    found, reading = look([*records, {"prompt": "q5", "response_a": "k", "response_b": "l", "winner": "k"}])
    assert [votes(found, record)[0][1:] for record in records] == [
        ("prefer", 2), ("prefer", -2), ("prefer", 2), ("tie", None),
    ]  # fmt: skip
    assert any("repeats the text of the better answer" in note for note in reading.notes)
    with pytest.raises(RowRejected, match="which names no side"):
        votes(found, {**records[1], "winner": "gamma"})


def test_that_lists_and_objects_of_words_are_labels_of_a_reviewer_each() -> None:
    listed = [{**QA, "labels": ["A", "B", None]}, {**QA, "prompt": "r", "labels": ["B", "tie", "A"]}]
    found, _ = look(listed)
    assert votes(found, listed[0]) == [("annotator 1", "prefer", -2), ("annotator 2", "prefer", 2)]
    named = [{**QA, "label": {"ann": "A", "bob": "B"}}, {**QA, "prompt": "r", "label": {"ann": "", "bob": "neither"}}]
    found, reading = look(named)
    assert votes(found, named[0]) == [("ann", "prefer", -2), ("bob", "prefer", 2)]
    assert votes(found, named[1]) == [("bob", "neither", None)]
    assert any("named by its key" in note for note in reading.notes)


def test_that_a_list_of_numbers_is_no_list_of_reviewers() -> None:
    with pytest.raises(UserError, match="labels is a list, which names no side"):
        look([{**QA, "labels": [0.9, 0.1]}, {**QA, "prompt": "r", "labels": [0.2, 0.8]}])


def test_that_several_columns_of_words_can_be_the_labels_of_a_reviewer_each() -> None:
    records = [{**QA, "ann_says": "A", "bob_says": "B"}, {**QA, "prompt": "r", "ann_says": "B", "bob_says": ""}]
    _, reading = look(records)
    (question,) = reading.questions
    assert "--answer label=each" in {answer.flag for answer in question.answers}
    found, reading = look(records, answers={"label": "each"})
    assert not reading.questions
    assert votes(found, records[0]) == [("ann_says", "prefer", -2), ("bob_says", "prefer", 2)]
    assert votes(found, records[1]) == [("ann_says", "prefer", 2)]


def test_that_what_stands_beside_a_nested_label_is_told_once_a_row() -> None:
    entries = [{"annotator": "ann", "label": "A", "comment": "c"}, {"annotator": "bob", "label": "B", "comment": "d"}]
    sample = Sample.of([{**QA, "annotations": entries}])
    found = detect(Path("f.jsonl"), sample, Limits())
    sample.remarks.line = 1
    assert len(votes(found, {**QA, "annotations": entries})) == 2
    assert sample.remarks.sentences() == ("1 row: comment beside label in annotations is not kept (first in line 1).",)
