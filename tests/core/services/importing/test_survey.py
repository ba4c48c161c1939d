"""The first look at a file counts everything, keeps little, and applies what the user says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from core.domain.errors import UsageError
from core.services.importing import survey as module
from core.services.importing.reading import Choices
from core.services.importing.rows import RawRow
from core.services.importing.survey import key_reader, survey


def raw(*rows: dict[str, Any] | None) -> Iterator[RawRow]:
    return (RawRow(i, row, "" if row is not None else "it is torn") for i, row in enumerate(rows, 1))


def test_that_every_cell_is_counted_and_blank_ones_are_not() -> None:
    rows = [{"a": text, "b": {"x": 1}} for text in ("word", "word", "", None, " ", "long " * 40)]
    sample = survey(raw(*rows, None), Choices()).sample
    tally = sample.tally("a")
    assert (tally.filled, dict(tally.values)) == (3, {"word": 2})
    assert sample.tally("b").describe() == "objects with the keys x"
    assert (sample.total, sample.complete) == (7, True)


def test_that_rows_are_kept_from_the_whole_file_and_not_too_many(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "HEAD_ROWS", 10)
    monkeypatch.setattr(module, "_SPREAD_ROWS", 8)
    found = survey(raw(*({"n": i} for i in range(1000))), Choices())
    lines = list(found.sample.lines)
    assert lines[:10] == list(range(1, 11))
    assert len(lines) <= 18
    assert max(lines) > 800
    gaps = {later - earlier for earlier, later in pairwise(lines[10:])}
    assert len(gaps) == 1


def test_that_a_look_can_end_early_and_says_so() -> None:
    found = survey(raw(*({"n": i} for i in range(5000))), Choices(), lambda count: count >= 2000)
    assert (found.sample.total, found.sample.complete) == (2000, False)


def test_that_unreadable_rows_are_counted_by_reason_with_the_first_line() -> None:
    assert survey(raw({"a": 1}, None, None), Choices()).problems == {"it is torn": (2, 2)}


def test_that_of_two_columns_that_differ_in_case_the_fuller_one_is_read() -> None:
    sample = survey(raw({"Prompt": "odd"}, *({"prompt": "q"} for _ in range(3))), Choices()).sample
    assert sample.pick("prompt") == "prompt"
    (note,) = sample.notes
    assert "'prompt' is read (3 rows), 'Prompt' is not (1 row)" in note


def test_that_a_named_column_takes_the_place_of_every_other_that_could_be_it() -> None:
    rows = [{"question": "not this", "ask": "q", "chosen": "x", "rejected": "y", "l": "a", "r": "b"}]
    sample = survey(raw(*rows), Choices(columns={"ask": "prompt", "l": "first", "r": "second"})).sample
    assert sample.pick("prompt", "question") == "ask"
    assert sample.pick_pair([("response_a", "response_b")]) == ("l", "r")
    assert sample.pick("chosen") is None
    unused = survey(raw(*rows), Choices(columns={"chosen": "unused"})).sample
    assert unused.pick("chosen") is None


def test_that_a_key_inside_an_object_can_be_named() -> None:
    choices = Choices(columns={"chosen.answer.text": "chosen"})
    sample = survey(raw({"chosen": {"answer": {"text": "x"}}}, {"chosen": "plain"}), choices).sample
    assert sample.pick("chosen") == "chosen.answer.text"
    assert [row.get("chosen.answer.text") for row in sample.rows] == ["x", None]
    read = key_reader(Choices(columns={"a.b": "prompt"}))
    assert read is not None
    assert read({"a.b": "a column of that very name"})["a.b"] == "a column of that very name"


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (Choices(columns={"promt": "prompt"}), "no column 'promt'"),
        (Choices(columns={"a": "wizard"}), "cannot be 'wizard'"),
        (Choices(columns={"a": "prompt", "b": "prompt"}), "cannot both be prompt"),
        (Choices(reviewer_columns=("z",)), "no column 'z'"),
        (Choices(columns={"a": "label"}, reviewer_columns=("b",)), "not both"),
    ],
)
def test_that_choices_that_contradict_the_file_or_themselves_are_refused(choices: Choices, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        survey(raw({"a": 1, "b": 2}), choices)
