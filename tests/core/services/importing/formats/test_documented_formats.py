"""Formats of other tools and data sets, each read as its publisher documents it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput, UsageError
from core.services.importing.files.kinds import sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.reading import Choices
from tests.core.services.importing.formats.records import LIMITS, answer, detected, plain, read, remarks, user

WON = [("", "prefer", -2)]
LOST = [("", "prefer", 2)]
DONE = "submitted"
TIE = [("", "tie", None)]


def argilla(*said: tuple[Any, str, str]) -> dict[str, Any]:
    responses = [{"value": value, "user_id": who, "status": status} for value, who, status in said]
    fields = {"instruction": "q", "reply_1": "x", "reply_2": "y"}
    return {"id": "1", "fields": fields, "responses": {"choice": responses}, "status": "completed"}


def label_studio(*said: tuple[int, str], **more: Any) -> dict[str, Any]:
    made = [
        {"completed_by": who, "was_cancelled": False, "result": [{"type": "pairwise", "value": {"selected": side}}]}
        for who, side in said
    ]
    return {"id": 4, "data": {"prompt": "q", "text_1": "x", "text_2": "y"}, "annotations": made, **more}


def prodigy(accept: list[int], verdict: str = "accept", who: str = "set-ann") -> dict[str, Any]:
    options = [{"id": 1, "text": "x"}, {"id": 2, "text": "y"}]
    return {"text": "q", "options": options, "accept": accept, "answer": verdict, "_session_id": who}


CASES: dict[str, tuple[dict[str, Any], str, list[tuple]]] = {
    "a list of answers and the number of the chosen one": (
        {"prompt": "q", "responses": ["x", "y", "z"], "chosen": 0},
        "numbered",
        [(["q"], "x", "y", WON), (["q"], "x", "z", WON)],
    ),
    "a list of answers with both numbers": (
        {"question": "q", "answers": [{"text": "x"}, {"text": "y"}, {"text": "z"}], "chosen_id": 0, "rejected_id": 2},
        "numbered",
        [(["q"], "x", "z", WON)],
    ),
    "a list of answers and the letter of the best": (
        {"prompt": "q", "options": ["y", "x"], "best": "B"},
        "numbered",
        [(["q"], "x", "y", WON)],
    ),
    "a list of answers and the text of the chosen one": (
        {"prompt": "q", "candidates": ["y", "x"], "chosen": "x"},
        "numbered",
        [(["q"], "x", "y", WON)],
    ),
    "labels in a list of annotations": (
        {
            "prompt": "q",
            "response_a": "x",
            "response_b": "y",
            "annotations": [{"annotator": "ann", "label": "A"}, {"annotator": "ben", "label": "tie"}, {"label": "B"}],
        },
        "nested_labels",
        [(["q"], "x", "y", [("ann", "prefer", -2), ("ben", "tie", None), ("annotator 3", "prefer", 2)])],
    ),
    "axolotl with chosen_response": (
        {"system": "s", "instruction": "q", "chosen_response": "x", "rejected_response": "y"},
        "trl",
        [(["s", "q"], "x", "y", WON)],
    ),
    "axolotl with one message each": (
        {"messages": [user("q")], "chosen": answer("x"), "rejected": answer("y")},
        "sharegpt",
        [(["q"], "x", "y", WON)],
    ),
    "a conversation that repeats the chosen answer": (
        {"messages": [user("q"), answer("x")], "chosen": [answer("x")], "rejected": [answer("y")]},
        "sharegpt",
        [(["q"], "x", "y", WON)],
    ),
    "transcripts with a system column": (
        {"system": "s", "chosen": "\n\nHuman: q\n\nAssistant: x", "rejected": "\n\nHuman: q\n\nAssistant: y"},
        "hh",
        [(["s", "q"], "x", "y", WON)],
    ),
    "transcripts beside their prompt": (
        {
            "prompt": "\n\nHuman: q\n\nAssistant:",
            "chosen": "\n\nHuman: q\n\nAssistant: x",
            "rejected": "\n\nHuman: q\n\nAssistant: y",
        },
        "hh",
        [(["q"], "x", "y", WON)],
    ),
    "openai preference": (
        {
            "input": {"messages": [user("q")], "tools": [], "parallel_tool_calls": True},
            "preferred_output": [answer("x")],
            "non_preferred_output": [answer("y")],
        },
        "openai",
        [(["q"], "x", "y", WON)],
    ),
    "stack-exchange-paired": (
        {"qid": 3, "question": "q", "response_j": "x", "response_k": "y"},
        "stack_exchange",
        [(["q"], "x", "y", WON)],
    ),
    "prometheus": (
        {
            "orig_instruction": "q",
            "orig_response_A": "x",
            "orig_response_B": "y",
            "orig_preference": "B",
            "orig_score_A": "2",
            "orig_score_B": "4",
            "instruction": "###Task Description",
            "output": "Feedback",
        },
        "prometheus",
        [(["q"], "x", "y", LOST)],
    ),
    "alpaca with two outputs": (
        {"instruction": "q", "input": "i", "output": ["x", "y"], "system": "s", "history": [["a", "b"]]},
        "alpaca",
        [(["s", "a", "b", "q\n\ni"], "x", "y", WON)],
    ),
    "alpaca with history": (
        {"instruction": "q", "input": "", "chosen": "x", "rejected": "y", "history": [["a", "b"], ["c", "d"]]},
        "alpaca",
        [(["a", "b", "c", "d", "q"], "x", "y", WON)],
    ),
    "rewardbench 2": (
        {"prompt": "q", "chosen": ["x"], "rejected": ["y", "z"], "num_correct": 1},
        "best_of",
        [(["q"], "x", "y", WON), (["q"], "x", "z", WON)],
    ),
    "distilabel": (
        {"instruction": "q", "generations": ["y", "x"], "generation_models": ["m", "n"], "ratings": [1, 4.5]},
        "scored",
        [(["q"], "x", "y", WON)],
    ),
    "nectar": (
        {
            "prompt": "\n\nHuman: q\n\nAssistant: ",
            "answers": [{"answer": "y", "model": "m", "rank": 2.0}, {"answer": "x", "model": "n", "rank": 1.0}],
        },
        "scored",
        [(["q"], "x", "y", WON)],
    ),
    "ranks from 0 and answers as messages": (
        {
            "context": [user("q")],
            "completions": [{"rank": 0, "completion": [answer("x")]}, {"rank": 1, "completion": [answer("y")]}],
        },
        "scored",
        [(["q"], "x", "y", WON)],
    ),
    "a list of answers beside a list of rewards": (
        {"prompt": "q", "responses": ["x", "y"], "rewards": [0.5, 0.5]},
        "scored",
        [(["q"], "x", "y", TIE)],
    ),
    "lmarena table with lists": (
        {
            "prompt": '["q","r"]',
            "response_a": '["a","x"]',
            "response_b": '["a","y"]',
            "winner_model_a": 1,
            "winner_model_b": 0,
        },
        "table",
        [(["q", "a", "r"], "x", "y", WON)],
    ),
    "lmarena with parts": (
        {
            "conversation_a": [
                {"role": "user", "content": [{"type": "text", "text": "q", "image": None}]},
                answer("x"),
            ],
            "conversation_b": [
                {"role": "user", "content": [{"type": "text", "text": "q", "image": None}]},
                answer("y"),
            ],
            "winner": "both_bad",
        },
        "table",
        [(["q"], "x", "y", [("", "neither", None)])],
    ),
    "argilla records": (
        argilla(("reply_2", "u1", "submitted"), ("reply_1", "u2", "draft")),
        "argilla",
        [(["q"], "y", "x", [("u1", "prefer", -2)])],
    ),
    "argilla records in flat columns": (
        {
            "question": "q",
            "response-1": "x",
            "response-2": "y",
            "best.responses": [["response-2", "response-1"], ["response-1", "response-2"]],
            "best.responses.users": ["u1", "u2"],
            "best.responses.status": ["submitted", "submitted"],
            "best.suggestion": "response-1",
        },
        "argilla",
        [(["q"], "y", "x", [("u1", "prefer", -2), ("u2", "prefer", 2)])],
    ),
    "argilla 1 responses in a column": (
        {
            "prompt": "q",
            "reply-1": "x",
            "reply-2": "y",
            "order": [
                {"user_id": "u", "value": {"rank": [2, 1], "value": ["reply-1", "reply-2"]}, "status": "submitted"}
            ],
        },
        "argilla",
        [(["q"], "y", "x", [("u", "prefer", -2)])],
    ),
    "helpsteer 2 with each reviewer": (
        {
            "prompt": "q",
            "response_1": "x",
            "response_2": "y",
            "preference_strength": 2,
            "all_preferences_unprocessed": [{"strength": 3, "statement": "s"}, {"strength": -1}],
        },
        "table:signed",
        [(["q"], "x", "y", [("", "prefer", 2), ("individual 1", "prefer", 3), ("individual 2", "prefer", -1)])],
    ),
    "label studio pairwise": (
        label_studio((7, "right"), (8, "left")),
        "label_studio",
        [(["q"], "x", "y", [("annotator 7", "prefer", 2), ("annotator 8", "prefer", -2)])],
    ),
    "label studio json-min": (
        {
            "id": 1,
            "prompt": "q",
            "answer1": "x",
            "answer2": "y",
            "pw": [{"selected": "left"}],
            "annotator": 3,
            "annotation_id": 9,
        },
        "label_studio_min",
        [(["q"], "x", "y", [("annotator 3", "prefer", -2)])],
    ),
    "label studio csv": (
        {
            "id": "1",
            "prompt": "q",
            "answer1": "x",
            "answer2": "y",
            "pw": '{"selected": "right"}',
            "annotator": "3",
            "lead_time": "2",
        },
        "label_studio_min",
        [(["q"], "x", "y", [("annotator 3", "prefer", 2)])],
    ),
    "prodigy choice": (
        prodigy([2]),
        "prodigy",
        [(["q"], "y", "x", [("set-ann", "prefer", -2)])],
    ),
    "prodigy compare": (
        {
            "input": {"text": "q"},
            "options": [{"id": "A", "text": "x"}, {"id": "B", "text": "y"}],
            "accept": ["A"],
            "answer": "accept",
            "_annotator_id": "ann",
        },
        "prodigy",
        [(["q"], "x", "y", [("ann", "prefer", -2)])],
    ),
    "one marked answer": (
        {"prompt": "q", "completion": "x", "label": True},
        "unpaired",
        [],
    ),
    "one marked answer, to be paired by prompt": (
        {"prompt": "q", "completion": "x", "label": True},
        "unpaired:by_prompt",
        [],
    ),
    "answers as objects": (
        {"question": "q", "chosen": {"answer": "x", "score": 1}, "rejected": {"answer": "y", "score": 0}},
        "objects",
        [(["q"], "x", "y", WON)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_that_the_format_is_told_and_read(name: str) -> None:
    row, key, expected = CASES[name]
    choices = Choices(answers={"pairing": "by_prompt"} if key == "unpaired:by_prompt" else {})
    detection, _ = detected(row, choices=choices)
    assert detection.key == key
    assert bool(detection.bound.questions) is (key == "unpaired")
    assert [plain(pair) for pair in read(row, choices=choices) if not isinstance(pair, str)] == expected


def test_that_an_argilla_draft_or_discard_is_no_label_and_is_told() -> None:
    rows = (
        argilla(("reply_1", "u1", "submitted")),
        argilla(("reply_1", "u1", "draft"), (None, "u2", "discarded"), ("reply_9", "u3", "submitted")),
    )
    assert plain(read(*rows)[1])[3] == []
    told = remarks(*rows)
    assert "drafted is no label" in told and "discarded is no label" in told and "names none of the texts" in told


@pytest.mark.parametrize(
    "value",
    [
        ["reply_2", "reply_1"],
        [{"value": "reply_2", "rank": 1}, {"value": "reply_1", "rank": 2}],
        {"value": ["reply_1", "reply_2"], "rank": [2, 1]},
    ],
)
def test_that_an_argilla_ranking_is_its_order_or_its_ranks(value: Any) -> None:
    assert plain(read(argilla((value, "u1", "submitted")))[0])[1:3] == ("y", "x")


def test_that_argilla_ranks_may_be_equal_and_rank_more_than_two() -> None:
    fields = {"prompt": "q", "answer-1": "x", "answer-2": "y", "answer-3": "z"}
    ranking = [{"value": "answer-3", "rank": 1}, {"value": "answer-1", "rank": 2}, {"value": "answer-2", "rank": 2}]
    row = {"fields": fields, "responses": {"order": [{"value": ranking, "user_id": "u", "status": "submitted"}]}}
    assert [plain(pair)[1:3] for pair in read(row)] == [("z", "x"), ("z", "y")]
    version_1 = {
        "fields": fields,
        "responses": [{"user_id": "u", "status": "submitted", "values": {"order": {"value": ranking}}}],
    }
    assert [plain(pair)[1:3] for pair in read(version_1)] == [("z", "x"), ("z", "y")]


def test_that_label_studio_skips_and_comments_are_no_labels_and_told() -> None:
    rows = [label_studio((7, "left")), label_studio((7, "left"), predictions=[{"result": []}]), label_studio()]
    rows[0]["annotations"][0]["was_cancelled"] = True
    rows[1]["annotations"][0]["result"].append({"type": "textarea", "value": {"text": ["why"]}})
    rows[2]["annotations"] = [{"completed_by": {"id": 5}, "result": []}]
    assert [len(plain(pair)[3]) for pair in read(*rows)] == [0, 1, 0]
    told = remarks(*rows)
    for words in ("skipped is no label", "without a verdict", "beside the verdict", "predictions of a model"):
        assert words in told


def test_that_an_empty_cell_of_label_studio_is_told_once() -> None:
    row, _, _ = CASES["label studio csv"]
    assert plain(read(row, {**row, "pw": ""})[1])[3] == []
    assert "1 row: an annotation without a verdict is no label" in remarks(row, {**row, "pw": ""})


def test_that_one_chosen_answer_is_paired_with_each_of_a_list() -> None:
    pairs = read({"prompt": "q", "chosen": "[good]", "rejected": ["bad", "worse"]})
    assert [plain(pair)[1:3] for pair in pairs] == [("[good]", "bad"), ("[good]", "worse")]


@pytest.mark.parametrize("names", [("preferred_completion", "other_completion"), ("better_response", "worse_response")])
def test_that_columns_whose_names_say_which_answer_won_need_no_label(names: tuple[str, str]) -> None:
    (pair,) = read({"prompt": "q", names[0]: "good", names[1]: "bad"})
    assert plain(pair) == (["q"], "good", "bad", [("", "prefer", -2)])


def test_that_label_studio_ranks_and_grades_are_read() -> None:
    items = [{"id": "m1", "body": "x"}, {"id": "m2", "body": "y"}, {"id": "m3", "body": "z"}]
    ranked = {"type": "ranker", "value": {"ranker": {"rank": ["m2", "m3", "m1"]}}}
    row = {"data": {"prompt": "q", "items": items}, "annotations": [{"completed_by": 1, "result": [ranked]}]}
    assert [plain(pair)[1:3] for pair in read(row)] == [("y", "x"), ("z", "x"), ("y", "z")]
    graded = [{"type": "rating", "to_name": name, "value": {"rating": n}} for name, n in (("text_1", 2), ("text_2", 5))]
    other = {**label_studio(), "annotations": [{"completed_by": 1, "result": graded}]}
    assert plain(read(other)[0])[1:] == ("y", "x", [("annotator 1", "prefer", -2)])


def test_that_an_ignored_prodigy_task_has_no_label_and_two_people_are_two_reviewers() -> None:
    rows = (prodigy([1]), prodigy([2], who="set-bob"), prodigy([], "ignore"), prodigy([1], "reject"), prodigy([1, 2]))
    labels = [plain(pair)[3] for pair in read(*rows)]
    assert [entry[0][0] if entry else "" for entry in labels] == ["set-ann", "set-bob", "", "", "set-ann"]
    assert labels[4][0][1] == "tie"
    assert "'ignore' has no label" in remarks(*rows)


def test_that_a_ranked_list_gives_the_best_or_every_decisive_pair() -> None:
    row = {"prompt": "q", "responses": ["a", "b", "c"], "scores": [1, 2, 2]}
    assert [plain(pair)[1:] for pair in read(row)] == [("b", "a", WON), ("b", "c", TIE)]
    every = read(row, choices=Choices(pairs="decisive"))
    assert [plain(pair)[1:3] for pair in every] == [("b", "a"), ("c", "a")]
    assert "--pairs decisive" in remarks(row)
    (offer,) = detected(row)[0].bound.offers
    assert (offer.key, offer.default) == ("pairs", "best")
    assert not detected({"prompt": "q", "responses": ["a", "b"], "scores": [1, 2]})[0].bound.offers


@pytest.mark.parametrize("gap", [None, "N/A", float("nan"), ""])
def test_that_an_answer_without_a_score_is_left_out_and_told(gap: object) -> None:
    row = {"prompt": "q", "responses": ["a", "b", "c"], "scores": [1, gap, 3]}
    assert [plain(pair)[1:3] for pair in read(row)] == [("c", "a")]
    assert "without a score are left out" in remarks(row)


def test_that_two_scores_that_contradict_each_other_are_asked_for() -> None:
    def made(first: float, second: float) -> dict[str, Any]:
        answers = [{"response": "x", "overall_score": first, "fine-grained_score": 4}]
        answers.append({"response": "y", "overall_score": second, "fine-grained_score": 1})
        return {"instruction": "q", "completions": answers}

    opposite, agree = made(8, 10), made(8, 2)
    detection, _ = detected(opposite, agree)
    (question,) = detection.bound.questions
    assert "opposite ways in 1 of 2 rows" in question.sentence
    assert [entry.flag for entry in question.answers] == [
        "--answer score=overall_score",
        "--answer score=fine-grained_score",
    ]
    chosen = Choices(answers={"score": "fine-grained_score"})
    assert [plain(pair)[1] for pair in read(opposite, agree, choices=chosen)] == ["x", "x"]
    assert not detected(opposite, choices=chosen)[0].bound.questions
    # In a row behind the sample nobody was asked about: it is refused, not guessed.
    bound = detected(agree)[0].bound
    with pytest.raises(Exception, match="opposite ways"):
        bound.convert(opposite)
    with pytest.raises(UsageError, match="no score 'mean'"):
        detected(opposite, choices=Choices(answers={"score": "mean"}))


def test_that_objects_with_several_texts_ask_which_is_the_answer() -> None:
    row = {"question": "q", "chosen": {"answer": "x", "plan": "p"}, "rejected": {"answer": "y", "plan": "o"}}
    (question,) = detected(row)[0].bound.questions
    assert "objects with the keys answer, plan" in question.sentence
    assert plain(read(row, choices=Choices(answers={"answer_key": "plan"}))[0])[1:3] == ("p", "o")
    with pytest.raises(UsageError, match="no key 'text'"):
        detected(row, choices=Choices(answers={"answer_key": "text"}))


def test_that_tools_of_a_conversation_are_told() -> None:
    row, _, _ = CASES["openai preference"]
    row = {**row, "input": {**row["input"], "tools": [{"name": "search"}]}}
    assert "tools beside the messages are not kept" in remarks(row)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"instruction": "q", "output": ["x", "y", "z"]}, "output holds 3 answers"),
        ({"prompt": "q", "responses": ["x"], "scores": [1]}, "fewer than two answers"),
        ({"prompt": "q", "responses": ["x", "y"], "scores": [1]}, "1 value for 2 answers"),
        ({"prompt": "q", "responses": ["x", "x"], "scores": [1, 2]}, "fewer than two different answers"),
        ({"prompt": "q", "chosen": ["x"], "rejected": ["x"]}, "no pair of different texts"),
    ],
)
def test_that_lists_that_make_no_pair_are_refused(row: dict[str, Any], reason: str) -> None:
    good = {key: ["x", "y"] if isinstance(value, list) else value for key, value in row.items()}
    if "scores" in row:
        good["scores"] = [1, 2]
    if "chosen" in row:
        good["rejected"] = ["z"]
    assert reason in str(read(good, row)[-1])


def test_that_marks_of_any_kind_pair_a_better_and_a_worse_answer() -> None:
    choices = Choices(answers={"pairing": "by_prompt"})
    scored = [{"prompt": "q", "response": text, "helpfulness": mark} for text, mark in (("y", 1), ("x", 4), ("z", 4))]
    pairs = [plain(pair)[1:3] for pair in read(*scored, choices=choices) if not isinstance(pair, str)]
    assert pairs == [("x", "y"), ("z", "y")]
    talks = [{"messages": [user("q"), answer(text)], "kto_tag": mark} for text, mark in (("x", True), ("y", False))]
    assert [plain(pair)[:3] for pair in read(*talks, choices=choices)[1:]] == [(["q"], "x", "y")]
    with pytest.raises(BadInput):
        detected(*scored, choices=Choices(answers={"pairing": "nothing"}))


@pytest.mark.parametrize("name", CASES)
def test_that_a_file_with_one_record_holds_that_record(name: str, tmp_path: Path) -> None:
    row, _, _ = CASES[name]
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with RowReader(path, sniff(path, LIMITS), LIMITS) as reader:
        assert [found.values for found in reader] == [row]


NUMBERED = {"prompt": "q", "responses": ["x", "y", "z"]}
PAIR = {"prompt": "q", "response_a": "x", "response_b": "y"}


def numbered(*values: object) -> list[dict[str, Any]]:
    return [NUMBERED | {"chosen": value} for value in values]


def test_that_numbers_that_may_begin_with_0_or_1_are_asked_and_taken_as_said() -> None:
    (question,) = detected(*numbered(1, 2))[0].bound.questions
    assert [answer.key for answer in question.answers] == ["from_0", "from_1"]
    chosen = {
        key: [plain(pair)[1] for pair in read(*numbered(1, 2), choices=Choices(answers={"numbers": key}))]
        for key in ("from_0", "from_1")
    }
    assert chosen == {"from_0": ["y", "y", "z", "z"], "from_1": ["x", "x", "y", "y"]}


@pytest.mark.parametrize(("value", "first"), [(0, "0"), (3, "1"), ("3", "1"), (3.0, "1")])
def test_that_a_number_that_fits_one_way_only_settles_all_rows(value: object, first: str) -> None:
    bound = detected(*numbered(1, value))[0].bound
    assert bound.questions == ()
    assert f"the first answer is {first}" in bound.notes[0]


def test_that_numbers_from_0_and_from_1_in_one_file_are_asked() -> None:
    (question,) = detected(*numbered(0, 1, 2, 3))[0].bound.questions
    assert {answer.key for answer in question.answers} == {"from_0", "from_1"}


def test_that_a_number_without_an_answer_costs_its_row_and_a_row_that_names_none_has_no_label() -> None:
    rows = numbered(0, 2, 9, None, True)
    found = read(*rows, choices=Choices(answers={"numbers": "from_0"}))
    told = [entry for entry in found if isinstance(entry, str)]
    assert told == [f"chosen is {value!r}, which is none of its 3 answers" for value in ("9", "true")]
    assert [plain(entry)[3] for entry in found if not isinstance(entry, str)] == [WON] * 4 + [[], []]


def test_that_numbers_in_a_list_of_annotations_are_asked() -> None:
    rows = [PAIR | {"votes": [{"user": "ann", "vote": 1}, {"user": "ben", "vote": 2}]}, PAIR | {"votes": []}]
    bound = detected(*rows)[0].bound
    assert [question.key for question in bound.questions] == ["coding"]
    said = [plain(pair)[3] for pair in read(*rows, choices=Choices(coding="one_based"))]
    assert said == [[("ann", "prefer", -2), ("ben", "prefer", 2)], []]


def test_that_a_verdict_of_a_list_that_names_no_side_is_told_and_the_others_count() -> None:
    entries = [{"annotator": "ann", "label": "A"}, {"annotator": "ben", "label": "perhaps"}, {"annotator": "cy"}]
    one, other = read(PAIR | {"annotations": entries}, PAIR | {"annotations": entries[1:]})
    assert plain(one)[3] == [("ann", "prefer", -2)]
    assert other == "label in annotations is 'perhaps', which names no side"
    assert "names no side; it is left out" in remarks(PAIR | {"annotations": entries})


def test_that_scores_that_rank_another_answer_higher_than_the_chosen_one_are_told() -> None:
    rows = [NUMBERED | {"scores": scores, "best_index": 0} for scores in ([1, 2, 3], [3, 2, 1])]
    assert detected(*rows)[0].fmt.key == "numbered"
    assert "1 row: scores ranks another answer above the one that best_index names" in remarks(*rows)


def test_that_keys_inside_objects_are_offered_where_no_column_holds_prompt_and_answers() -> None:
    row = {"id": 1, "example": PAIR, "label": "A"}
    with pytest.raises(BadInput) as caught:
        read(row)
    flags = re.findall(r"--map (\S+)=(\w+)", caught.value.hint)
    assert flags == [("example.prompt", "prompt"), ("example.response_a", "first"), ("example.response_b", "second")]
