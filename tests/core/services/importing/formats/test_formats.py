from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput, UsageError
from core.domain.judgement import Verdict
from core.services.importing.detect import detect
from core.services.importing.formats.codings import Coding
from core.services.importing.formats.sample import Sample
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.rows import ParsedPair

LIMITS = Limits()
ROW = {"role": "user", "content": "q"}


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def found(*rows: dict[str, Any], fmt: str | None = None) -> tuple[str, list[ParsedPair]]:
    detection = detect(Path("file.jsonl"), Sample.of(rows), LIMITS, fmt)
    return detection.key, [pair for row in rows for pair in detection.bound.convert(row)]


def plain(pair: ParsedPair) -> tuple[list[str], str, str, list[tuple[str, int | None]]]:
    labels = [(label.verdict.value, label.strength) for label in pair.labels]
    return [m.content for m in pair.prompt.messages], pair.first.text, pair.second.text, labels


CASES: dict[str, tuple[dict[str, Any], str, tuple]] = {
    "hh transcripts": (
        {"chosen": "\n\nHuman: q\n\nAssistant: x", "rejected": "\n\nHuman: q\n\nAssistant: y"},
        "hh",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "trl standard": (
        {"prompt": "q", "chosen": "x", "rejected": "y"},
        "trl",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "trl standard with a transcript as prompt": (
        {"prompt": "\n\nHuman: q\n\nAssistant: a\n\nHuman: r\n\nAssistant:", "chosen": " x", "rejected": "y"},
        "trl",
        (["q", "a", "r"], " x", "y", [("prefer", -2)]),
    ),
    "trl conversational": (
        {"prompt": [user("q")], "chosen": [answer("x")], "rejected": [answer("y")]},
        "conversational",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "conversational with the whole talk repeated": (
        {"prompt": "q", "chosen": [user("q"), answer("x")], "rejected": [user("q"), answer("y")], "score_chosen": 5.0},
        "conversational",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "conversational with answers over several turns": (
        {
            "prompt": [user("q")],
            "chosen": [answer("a"), user("r"), answer("x")],
            "rejected": [answer("a"), user("r"), answer("y")],
        },
        "conversational",
        (["q", "a", "r"], "x", "y", [("prefer", -2)]),
    ),
    "equal scores are a tie": (
        {
            "prompt": "q",
            "chosen": [user("q"), answer("x")],
            "rejected": [user("q"), answer("y")],
            "score_chosen": 6,
            "score_rejected": 6.0,
        },
        "conversational",
        (["q"], "x", "y", [("tie", None)]),
    ),
    "implicit prompt in messages": (
        {"chosen": [user("q"), answer("x")], "rejected": [user("q"), answer("y")]},
        "implicit",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "implicit prompt in texts": (
        {"chosen": "The sky is blue.", "rejected": "The sky is green."},
        "implicit",
        (["The sky is"], "blue.", "green.", [("prefer", -2)]),
    ),
    "sharegpt preference": (
        {
            "conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}],
            "chosen": {"from": "gpt", "value": "x"},
            "rejected": {"from": "gpt", "value": "y"},
        },
        "sharegpt",
        (["s", "q"], "x", "y", [("prefer", -2)]),
    ),
    "instruction and input": (
        {"instruction": "do", "input": "this", "chosen": "x", "rejected": "y", "system": "s"},
        "trl",
        (["s", "do\n\nthis"], "x", "y", [("prefer", -2)]),
    ),
    "table with letters": (
        {"prompt": "q", "response_a": "x", "response_b": "y", "winner": "B"},
        "table",
        (["q"], "x", "y", [("prefer", 2)]),
    ),
    "table with a tie": (
        {"question": "q", "response1": "x", "response2": "y", "label": "tie"},
        "table",
        (["q"], "x", "y", [("tie", None)]),
    ),
    "answers numbered from zero": (
        {"prompt": "q", "response_0": "x", "response_1": "y", "better_response_id": 1},
        "table:zero_based",
        (["q"], "x", "y", [("prefer", 2)]),
    ),
    "signed strength": (
        {"prompt": "q", "response1": "x", "response2": "y", "overall_preference": -3},
        "table:signed",
        (["q"], "x", "y", [("prefer", -3)]),
    ),
    "human preferences, one is the first": (
        {"history": "q", "human_ref_A": "x", "human_ref_B": "y", "labels": 1},
        "table:first_is_1",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "arena with one-hot winners": (
        {
            "prompt": "q",
            "response_a": "x",
            "response_b": "y",
            "winner_model_a": "0",
            "winner_model_b": "1",
            "winner_tie": "0",
        },
        "table",
        (["q"], "x", "y", [("prefer", 2)]),
    ),
    "arena with two conversations": (
        {"conversation_a": [user("q"), answer("x")], "conversation_b": [user("q"), answer("y")], "winner": "model_a"},
        "table",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "table without labels": (
        {"prompt": "q", "response_a": "x", "response_b": "y"},
        "table",
        (["q"], "x", "y", []),
    ),
    "messages as JSON text in a cell": (
        {"prompt": json.dumps([user("q")]), "chosen": json.dumps([answer("x")]), "rejected": json.dumps([answer("y")])},
        "conversational",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "an exported dataset version": (
        {
            "prompt": [user("q")],
            "chosen": [answer("x")],
            "rejected": [answer("y")],
            "strengths": [3, -1, 0],
            "pair_sha256": "ab",
        },
        "pairwright",
        (["q"], "x", "y", [("prefer", -3), ("prefer", 1), ("tie", None)]),
    ),
    "an exported pair table": (
        {
            "pair_sha256": "ab",
            "source": "s",
            "prompt": "q",
            "messages": "",
            "response_a": "x",
            "response_b": "y",
            "labels": json.dumps([{"reviewer": "Ann", "verdict": "prefer", "strength": 2}]),
        },
        "pairwright_table",
        (["q"], "x", "y", [("prefer", 2)]),
    ),
    "scored completions": (
        {"prompt": "q", "completions": [{"response": "x", "score": 2}, {"response": "y", "score": 1}]},
        "scored",
        (["q"], "x", "y", [("prefer", -2)]),
    ),
    "column names in capitals": (
        {"Prompt": "q", "Chosen": "x", "Rejected": ""},
        "trl",
        (["q"], "x", "", [("prefer", -2)]),
    ),
}


CODED: dict[Coding, tuple[object, int]] = {
    "first_is_1": (True, -2),
    "second_is_1": (0.95, 3),
    "one_based": (2, 2),
    "zero_based": ("0", -2),
    "one_to_two": (1.35, -1),
    "signed": (-3, -3),
    "signed_first_positive": (-1, 1),
    "scale_5": (1, -3),
    "scale_5_reversed": (2.0, 1),
    "scale_7": ("6", 2),
    "scale_7_reversed": (5, -1),
    "words": ("A", -2),
}
"""Coding -> a value and the strength that it means under it."""


@pytest.mark.parametrize("name", CASES)
def test_that_the_format_is_told_and_read(name: str) -> None:
    row, key, expected = CASES[name]
    format_key, pairs = found(row)
    assert format_key == key
    assert [plain(pair) for pair in pairs] == [expected]


@pytest.mark.parametrize("coding", CODED)
def test_that_a_coding_that_is_asked_for_is_used(coding: Coding) -> None:
    value, strength = CODED[coding]
    rows = [{"prompt": "q", "response1": "x", "response2": "y", "label": cell} for cell in (value, "tie")]
    _, pairs = found(*rows, fmt=f"table:{coding}")
    assert [label.strength for pair in pairs for label in pair.labels] == [strength, None]


def test_that_several_annotators_become_several_labels() -> None:
    row = {"instruction": "q", "input": "", "response1": "x", "response2": "y", "annotator1": 1, "annotator2": 0}
    _, pairs = found({**row, "annotator3": 2}, fmt="table:one_based")
    assert [(label.reviewer, label.strength) for label in pairs[0].labels] == [
        ("annotator1", -2),
        ("annotator2", None),
        ("annotator3", 2),
    ]


def test_that_an_annotator_who_left_the_cell_empty_gives_no_label() -> None:
    _, pairs = found({"prompt": "q", "response1": "x", "response2": "y", "rater_1": "A", "rater_2": None})
    assert [label.reviewer for label in pairs[0].labels] == ["rater_1"]


def test_that_a_record_for_each_judgement_names_its_annotator() -> None:
    row = {"prompt": "q", "response_a": "x", "response_b": "y", "winner": "model_b", "judge": "expert_7"}
    _, pairs = found(row)
    assert [(label.reviewer, label.strength) for label in pairs[0].labels] == [("expert_7", 2)]


def test_that_the_best_of_scored_completions_meets_each_other_one() -> None:
    completions = [
        {"response": "low", "overall_score": 3, "model": "m1"},
        {"response": "best", "overall_score": 8.5, "model": "m2"},
        {"response": "as good", "overall_score": 8.5},
        {"response": "low", "overall_score": 2},
    ]
    key, pairs = found({"instruction": "q", "completions": completions})
    assert key == "scored"
    assert [plain(pair)[1:] for pair in pairs] == [
        ("best", "low", [("prefer", -2)]),
        ("best", "as good", [("tie", None)]),
    ]
    assert pairs[0].first.generation is not None
    assert pairs[0].first.generation.model == "m2"
    assert pairs[0].first.generation.extra == {"score": 8.5}


def test_that_models_and_scores_stay_with_their_answer() -> None:
    row = {"prompt": "q", "chosen": "x", "rejected": "y", "chosen_model": "big", "rejected_model": "small"}
    _, pairs = found({**row, "score_chosen": 9, "score_rejected": 4})
    records = [response.generation for response in (pairs[0].first, pairs[0].second)]
    assert [(r.model, r.extra) for r in records if r] == [("big", {"score": 9.0}), ("small", {"score": 4.0})]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "", "chosen": "x", "rejected": "y"}, "prompt is empty"),
        ({"prompt": None, "chosen": "x", "rejected": "y"}, "prompt is missing"),
        ({"prompt": "q", "chosen": True, "rejected": "y"}, "chosen is the boolean true"),
        ({"prompt": "q", "chosen": "x"}, "rejected is missing"),
        ({"prompt": "q", "chosen": "x\ud800", "rejected": "y"}, "surrogate"),
        ({"prompt": "q", "chosen": "x" * (1 << 20) + "x", "rejected": "y"}, "more than the"),
    ],
)
def test_that_a_row_that_does_not_fit_is_rejected_with_its_reason(row: dict[str, Any], reason: str) -> None:
    good = {"prompt": "q", "chosen": "x", "rejected": "y"}
    bound = detect(Path("f"), Sample.of([good]), LIMITS).bound
    with pytest.raises(RowRejected) as caught:
        bound.convert(row)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([{"role": "wizard", "content": "q"}], "unknown role 'wizard'"),
        ([{"role": "user", "content": None}], "message 1 of prompt is missing"),
        ([user("q"), answer("a")], "ends with a message of the assistant"),
        ([{"role": "user", "content": [{"type": "image"}]}], "holds a picture; only texts"),
    ],
)
def test_that_damaged_messages_are_rejected(messages: list, reason: str) -> None:
    row = {"prompt": messages, "chosen": [answer("x")], "rejected": [answer("y")]}
    good = {"prompt": [user("q")], "chosen": [answer("x")], "rejected": [answer("y")]}
    bound = detect(Path("f"), Sample.of([good]), LIMITS).bound
    with pytest.raises(RowRejected) as caught:
        bound.convert(row)
    assert reason in caught.value.reason


def test_that_text_parts_of_a_message_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    _, pairs = found(
        {"prompt": [{"role": "user", "content": parts}], "chosen": [answer("x")], "rejected": [answer("y")]}
    )
    assert pairs[0].prompt.last_text == "ab"


def test_that_an_option_turns_the_labels_round() -> None:
    row = {"prompt": "q", "response1": "x", "response2": "y", "label": 1}
    for option, strength in (("one_based", -2), ("zero_based", 2), ("first_is_one", -2)):
        key, pairs = found(row, fmt=f"table:{option}")
        assert key == f"table:{option.replace('_one', '_1')}"
        assert plain(pairs[0])[3] == [("prefer", strength)]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": "q", "type": "t", "label": "safe"}, "known to hold the two answers"),
        ({"prompt": "q", "completion": "x", "annotation_1": "ok"}, "one answer"),
        ({"title": "x", "body": "y"}, "known to hold the prompt and the two answers"),
        ({"response_a": "x", "response_b": "y"}, "no column is known to hold their prompt"),
        ({"prompt": "q", "chosen": 1, "rejected": 2}, "chosen is a number"),
    ],
)
def test_that_a_file_without_pairs_is_refused_and_told_why(row: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        found(row)
    assert caught.value.hint


def test_that_an_unknown_or_unfitting_format_is_refused() -> None:
    row = {"prompt": "q", "chosen": "x", "rejected": "y"}
    with pytest.raises(UsageError, match="no import format 'xml'"):
        found(row, fmt="xml")
    with pytest.raises(BadInput, match="lacks the columns"):
        found(row, fmt="table")
    with pytest.raises(UsageError, match="no option"):
        found(row, fmt="trl:zero_based")


def test_that_a_verdict_of_neither_is_kept() -> None:
    _, pairs = found({"prompt": "q", "response_a": "x", "response_b": "y", "winner": "tie (bothbad)"})
    assert pairs[0].labels[0].verdict is Verdict.NEITHER
