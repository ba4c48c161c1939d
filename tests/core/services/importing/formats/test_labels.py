"""Label columns: which they are, what is asked, what is told, and that no vote is lost or made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import UsageError
from core.services.importing.detect import Detection, detect, read_as
from core.services.importing.formats.sample import Sample
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.reading import Choices, Reading

QA = {"prompt": "q", "response_a": "x", "response_b": "y"}


def rows(*labels: Any, column: str = "winner", **more: Any) -> list[dict[str, Any]]:
    return [{**QA, "prompt": f"q{i}", column: label, **more} for i, label in enumerate(labels)]


def look(records: list[dict[str, Any]], **choices: Any) -> tuple[Detection, Reading]:
    sample = Sample.of(records, Choices(**choices))
    found = detect(Path("f.csv"), sample, Limits())
    return found, read_as(found, sample)


def votes(found: Detection, record: dict[str, Any]) -> list[tuple[str, str, int | None]]:
    (pair,) = found.bound.convert(record)
    return [(label.reviewer, label.verdict.value, label.strength) for label in pair.labels]


@pytest.mark.parametrize(
    ("labels", "flags"),
    [
        ([1, 0, 1], {"first_is_1", "second_is_1"}),
        ([True, False], {"first_is_1", "second_is_1"}),
        (["yes", "no"], {"first_is_1", "second_is_1"}),
        ([0.25, 0.75], {"first_is_1", "second_is_1"}),
        (["1", "1"], {"first_is_1", "second_is_1"}),
        (["1", "2"], {"one_based", "zero_based"}),
        ([1, -1], {"signed", "signed_first_positive"}),
        (["A", "B", "1"], {"first_is_1", "second_is_1", "words"}),
    ],
)
def test_that_values_with_two_meanings_are_asked_with_what_each_coding_would_mean(
    labels: list[Any], flags: set[str]
) -> None:
    found, reading = look(rows(*labels))
    (question,) = reading.questions
    assert question.key == "coding"
    assert "winner holds" in question.sentence
    assert {answer.flag for answer in question.answers} == {f"--coding {flag}" for flag in flags}
    assert len({answer.meaning for answer in question.answers}) == len(question.answers)
    assert reading.coding is not None
    assert "open" in {value.reads for value in reading.coding.values}
    assert set(found.alternatives) == {f"table:{flag}" for flag in flags}


def test_that_a_label_that_comes_late_in_a_sorted_file_is_counted() -> None:
    _, reading = look(rows(*[1] * 2010, *[2] * 40, *[0] * 30))
    assert "1 (2,010 times), 2 (40 times), 0 (30 times)" in reading.questions[0].sentence


def test_that_the_answer_settles_the_question_and_names_every_value() -> None:
    found, reading = look(rows(1, 1, 0), coding="second_is_1")
    assert not reading.questions
    assert (reading.fmt, reading.coding.key if reading.coding else "") == ("table:second_is_1", "second_is_1")
    assert reading.coding is not None
    assert [(v.value, v.count, v.reads) for v in reading.coding.values] == [("1", 2, "second"), ("0", 1, "first")]
    assert votes(found, rows(1)[0]) == [("", "prefer", 2)]


@pytest.mark.parametrize(
    ("record", "option", "vote"),
    [
        ({"history": "q", "human_ref_A": "x", "human_ref_B": "y", "labels": 0}, "first_is_1", 2),
        ({"prompt": "q", "response_1": "x", "response_2": "y", "preference_strength": 1}, "signed", 1),
        ({"prompt": "q", "response1": "x", "response2": "y", "overall_preference": -3}, "signed", -3),
        ({"prompt": "q", "response_0": "x", "response_1": "y", "better_response_id": 0}, "zero_based", -2),
        ({"prompt": "q", "output_1": "x", "output_2": "y", "better_id": 1, "label": None}, "", None),
    ],
)
def test_that_a_documented_coding_is_not_asked(record: dict[str, Any], option: str, vote: int | None) -> None:
    found, reading = look([record])
    assert not reading.questions
    assert found.bound.option == option
    assert [strength for _, _, strength in votes(found, record)] == ([] if vote is None else [vote])


def test_that_marks_of_both_directions_letters_of_any_width_and_the_printed_minus_are_read() -> None:
    found, reading = look(rows("A>B", "B>A", "B>>A", "B=A", "Ａ", "Ｂ"))
    assert not reading.questions
    said = [votes(found, record)[0][1:] for record in rows("A>B", "B>A", "B>>A", "B=A", "Ａ", "Ｂ")]
    assert said == [("prefer", -1), ("prefer", 1), ("prefer", 3), ("tie", None), ("prefer", -2), ("prefer", 2)]
    with pytest.raises(RowRejected, match="'A>A', which names no side"):
        found.bound.convert(rows("A>A")[0])
    found, _ = look(rows("−2", "3", "0", column="overall_preference"))
    assert votes(found, rows("−2", column="overall_preference")[0]) == [("", "prefer", -2)]


@pytest.mark.parametrize(("first", "third", "label"), [("a", "c", "C"), ("1", "3", "3"), ("0", "2", "2")])
def test_that_a_third_answer_is_no_tie_of_the_first_two(first: str, third: str, label: str) -> None:
    second = chr(ord(first) + 1)
    texts = {f"response_{name}": f"text {name}" for name in (first, second, third)}
    records = [{"prompt": f"q{n}", **texts, "winner": value} for n, value in enumerate((first, second, label))]
    coding = {"1": "one_based", "0": "zero_based"}.get(first)
    found, reading = look(records, coding=coding)
    assert [votes(found, record)[0][2] for record in records[:2]] == [-2, 2]
    assert any(f"response_{third} holds a third answer" in note for note in reading.notes)
    with pytest.raises(RowRejected, match="names no side"):
        found.bound.convert(records[2])


def test_that_a_column_that_names_the_loser_is_read_the_other_way_round() -> None:
    records = rows("A", "B", "tie", column="loser")
    _, reading = look(records)
    assert "names the worse answer" in reading.questions[0].answers[0].meaning
    found, reading = look(records, answers={"label": "loser"})
    assert [votes(found, record)[0][1:] for record in records] == [("prefer", 2), ("prefer", -2), ("tie", None)]
    assert any("loser names the worse answer" in note for note in reading.notes)


def test_that_the_name_of_an_answers_column_means_that_answer() -> None:
    records = [
        {"prompt": "q", "response_0": "x", "response_1": "y", "winner": name} for name in ("response_1", "Response_0")
    ]
    found, reading = look(records)
    assert not reading.questions
    assert [votes(found, record)[0][2] for record in records] == [2, -2]


@pytest.mark.parametrize("blank", ["", " ", None, "None", "none", "nan", "N/A", "null", float("nan")])
def test_that_a_blank_is_no_vote_and_never_neither(blank: object) -> None:
    found, _ = look(rows("A", "B", blank))
    assert votes(found, rows(blank)[0]) == []


def test_that_one_bad_cell_costs_one_vote_and_is_told() -> None:
    records = [
        {**QA, "annotator_1": "A", "annotator_2": "x", "annotator_3": "B"},
        {**QA, "annotator_1": "tie", "annotator_2": None, "annotator_3": "both bad"},
    ]
    found, reading = look(records)
    assert votes(found, records[0]) == [("annotator_1", "prefer", -2), ("annotator_3", "prefer", 2)]
    assert votes(found, records[1]) == [("annotator_1", "tie", None), ("annotator_3", "neither", None)]
    assert "1 row: annotator_2 is 'x', which names no side; that label is left out (first in line 1)." in reading.notes


def test_that_a_row_whose_only_votes_name_no_side_is_refused() -> None:
    found, reading = look(rows("A", "B", "banana", "banana"))
    with pytest.raises(RowRejected, match="winner is 'banana'"):
        found.bound.convert(rows("banana")[0])
    assert reading.coding is not None
    assert ("banana", 2, "refused") in [(v.value, v.count, v.reads) for v in reading.coding.values]


def test_that_a_second_label_column_that_disagrees_is_told_and_not_read() -> None:
    records = [
        {"prompt": "q", "response_0": "x", "response_1": "y", "better_response_id": i % 2, "safer_response_id": 0}
        for i in range(4)
    ]
    _, reading = look(records)
    told = "2 rows: safer_response_id says otherwise than better_response_id, which is read (first in line 2)."
    assert told in reading.notes
    assert [use.name for use in reading.unused] == ["safer_response_id"]
    _, other = look(records, columns={"safer_response_id": "label"}, coding="zero_based")
    assert {use.name: use.role for use in other.columns}["safer_response_id"] == "label"


def test_that_each_individual_score_becomes_a_label_of_its_own_reviewer() -> None:
    record = {
        "context": "q",
        "response1": "x",
        "response2": "y",
        "overall_preference": -2,
        "individual_preference": [{"score": -3, "reasoning": "r"}, {"score": 0}, {"score": None}],
    }
    found, _ = look([record])
    assert votes(found, record) == [
        ("", "prefer", -2),
        ("individual 1", "prefer", -3),
        ("individual 2", "tie", None),
    ]


def test_that_pairs_never_come_without_labels_unsaid_where_a_column_may_hold_them() -> None:
    records = [
        {**QA, "who_was_right": side, "gpt_vote": number, "topic": "t", "score_a": 2, "score_b": number}
        for side, number in (("A", 1), ("B", 3))
    ]
    found, reading = look(records)
    (question,) = reading.questions
    assert [answer.key for answer in question.answers] == ["who_was_right", "gpt_vote", "scores", "none"]
    assert votes(found, records[0]) == []
    found, reading = look(records, answers={"label": "who_was_right"})
    assert not reading.questions
    assert votes(found, records[1]) == [("", "prefer", 2)]
    found, _ = look(records, answers={"label": "scores"})
    assert [votes(found, record) for record in records] == [[("", "prefer", -2)], [("", "prefer", 2)]]
    found, reading = look(records, answers={"label": "none"})
    assert not reading.questions
    assert votes(found, records[0]) == []
    with pytest.raises(UsageError, match="cannot be read from 'topic'"):
        look(records, answers={"label": "topic"})


def test_that_a_table_without_any_sign_of_labels_comes_without_them_and_says_so() -> None:
    _, reading = look([{**QA, "topic": "t", "turn": 1}])
    assert not reading.questions
    assert "No column says which answer is better; the pairs come without labels." in reading.notes


def test_that_the_user_says_what_a_value_means() -> None:
    found, reading = look(
        rows("better", "worse", "meh"), values={"better": "first", "worse": "second", "meh": "no label"}
    )
    assert [votes(found, record) for record in rows("better", "worse", "meh")] == [
        [("", "prefer", -2)],
        [("", "prefer", 2)],
        [],
    ]
    assert not reading.questions


def test_that_the_user_names_the_columns_of_reviewers() -> None:
    record = {**QA, "ann": "A", "bob": "B", "winner": "tie"}
    found, reading = look([record], reviewer_columns=("ann", "bob"))
    assert votes(found, record) == [("ann", "prefer", -2), ("bob", "prefer", 2)]
    assert [use.name for use in reading.unused] == ["winner"]


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"coding": "klingon"}, "no coding 'klingon'"),
        ({"coding": "one_based"}, "for numbers"),
        ({"values": {"C++": "first"}}, "No label column holds 'C\\+\\+'"),
        ({"fmt": "table:signed", "coding": "one_based"}, "contradict"),
    ],
)
def test_that_choices_that_do_not_fit_are_refused(choices: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        look(rows("A", "B"), **choices)


def test_that_a_coding_that_knows_no_value_or_finds_no_label_is_refused() -> None:
    with pytest.raises(UsageError, match="knows none of the values"):
        look(rows(7, 9), coding="one_based")
    with pytest.raises(UsageError, match="no label column"):
        look([QA], coding="one_based")


@pytest.mark.parametrize("mark", [1, "1", 1.0, True, "true"])
def test_that_a_winner_marked_by_a_one_is_read_in_every_spelling(mark: object) -> None:
    off = False if mark is True else type(mark)(0) if not isinstance(mark, str) else "0"
    record = {**QA, "winner_model_a": off, "winner_model_b": mark, "winner_tie": off}
    found, reading = look([record])
    assert votes(found, record) == [("", "prefer", 2)]
    assert reading.coding is not None
    assert [(v.value, v.count, v.reads) for v in reading.coding.values][1] == ("winner_model_b=1", 1, "second")


def test_that_scores_against_the_label_are_told_and_nan_is_no_score() -> None:
    records = [
        {"prompt": "q", "chosen": "x", "rejected": "y", "score_chosen": one, "score_rejected": other}
        for one, other in ((4.0, 2.0), (float("nan"), 2.0), (3.0, 3.0), (2.0, 4.0))
    ]
    found, reading = look(records)
    assert [votes(found, record)[0][1] for record in records] == ["prefer", "prefer", "tie", "prefer"]
    assert any(note.startswith("1 row: score_chosen and score_rejected rank the answers") for note in reading.notes)


def test_that_decimal_commas_are_numbers_where_the_column_writes_them_so() -> None:
    def scored(*scores: tuple[str, str]) -> list[dict[str, str]]:
        return [
            {"prompt": "q", "chosen": "x", "rejected": "y", "score_chosen": one, "score_rejected": other}
            for one, other in scores
        ]

    records = scored(("3,5", "3,5"), ("4,5", "1,0"), ("4", "2"))
    found, _ = look(records)
    assert [votes(found, record)[0][1] for record in records] == ["tie", "prefer", "prefer"]
    mixed = scored(("3,5", "3.5"), ("4.5", "1.0"))
    found, _ = look(mixed)
    with pytest.raises(RowRejected, match="score_chosen is '3,5', but other rows write decimals with a point"):
        found.bound.convert(mixed[0])


def test_that_a_winner_named_by_its_model_is_read_row_by_row() -> None:
    names = [("pear", "fig"), ("fig", "pear"), ("pear", "fig")]
    records = [
        {**row, "model_a": a, "model_b": b} for row, (a, b) in zip(rows("pear", "pear", "tie"), names, strict=True)
    ]
    found, reading = look(records)
    assert not reading.questions
    assert [votes(found, record)[0][1:] for record in records] == [("prefer", -2), ("prefer", 2), ("tie", None)]
    assert any("names a model" in note for note in reading.notes)
    for bad in ({"model_b": "pear"}, {"winner": "plum"}):
        with pytest.raises(RowRejected, match="names no side"):
            found.bound.convert({**records[0], **bad})


def test_that_two_columns_of_ratings_are_offered_as_the_label() -> None:
    records = [{**QA, "prompt": f"q{i}", "rating_a": i, "rating_b": 3} for i in range(1, 5)]
    _, reading = look(records)
    assert [answer.key for answer in reading.questions[0].answers] == ["scores", "none"]
    found, _ = look(records, answers={"label": "scores"})
    assert [votes(found, record)[0][1] for record in records] == ["prefer", "prefer", "tie", "prefer"]


def test_that_a_column_of_a_new_name_with_sentences_is_offered_as_labels() -> None:
    said = ("Strongly prefer response A", "Slightly prefer response B", "Neutral", "Prefer response A", "see comment")
    _, reading = look(rows(*said, column="rating"))
    (question,) = reading.questions
    assert [answer.key for answer in question.answers] == ["rating", "none"]
    found, _ = look(rows(*said, column="rating"), answers={"label": "rating"})
    assert [votes(found, record)[0][1:] for record in rows(*said[:4], column="rating")] == [
        ("prefer", -3), ("prefer", 1), ("tie", None), ("prefer", -2)
    ]  # fmt: skip


def test_that_a_word_that_says_otherwise_than_the_marks_is_told() -> None:
    marks = {"winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0}
    _, reading = look(rows("model_b", "model_a", "tie", **marks))
    assert any("2 rows: winner says otherwise than winner_model_a" in note for note in reading.notes)


def test_that_ranks_of_two_answers_are_offered_and_the_lower_one_wins() -> None:
    records = [{**QA, "rank_a": a, "rank_b": b} for a, b in ((1, 2), ("2", "1"), (1, 1), (None, 1))]
    _, asked = look(records)
    assert {answer.key for answer in asked.questions[0].answers} == {"ranks", "none"}
    assert asked.questions[0].answers[0].meaning == "the lower one of rank_a and rank_b wins, as 1 is the first place"
    found, reading = look(records, answers={"label": "ranks"})
    assert [[v for _, v, _ in votes(found, record)] for record in records] == [["prefer"], ["prefer"], ["tie"], []]
    assert [s for record in records[:2] for _, _, s in votes(found, record)] == [-2, 2]
    assert reading.questions == ()


def test_that_a_column_that_says_which_rows_were_turned_is_told_and_one_value_says_nothing() -> None:
    turned = [{**row, "swapped": i % 2 == 0} for i, row in enumerate(rows("A", "B", "A", "A"))]
    assert any(note.startswith("swapped seems to say which rows") for note in look(turned)[1].notes)
    never = [{**row, "swapped": False} for row in rows("A", "B", "A", "A")]
    assert not any("swapped" in note for note in look(never)[1].notes)


@pytest.mark.parametrize("word", ["unentschieden", "Égalité", "empate", "平局", "引き分け", "무승부", "ничья"])
def test_that_a_tie_is_read_in_other_languages(word: str) -> None:
    found, _ = look(rows("A", "B", word))
    assert votes(found, {**QA, "winner": word}) == [("", "tie", None)]


def test_that_answers_called_left_and_right_are_read() -> None:
    records = [
        {"prompt": f"q{i}", "left": "x", "right": "y", "choice": side} for i, side in enumerate(("left", "Right"))
    ]
    found, _ = look(records)
    assert [votes(found, record)[0][2] for record in records] == [-2, 2]
