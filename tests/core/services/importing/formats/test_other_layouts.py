"""Layouts and names that other tools and other languages write: read where they are clear, else named in the hint."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.domain.errors import BadInput
from tests.core.services.importing.formats.records import detected, plain, read, remarks


def test_that_nested_scores_with_decimal_commas_are_numbers_where_all_are_written_so() -> None:
    def row(*scores: object) -> dict[str, Any]:
        answers = [{"text": text, "score": score} for text, score in zip(("a", "b"), scores, strict=True)]
        return {"prompt": "q", "responses": answers}

    first, second = map(plain, read(row("3,5", "4,25"), row("4,5", "3")))
    assert (first[1:3], second[1:3]) == (("b", "a"), ("a", "b"))
    assert read(row("3.5", "4.25"), row("4,5", "3"))[1] == "score is '4,5', but other rows write decimals with a point"


def test_that_contents_with_parts_are_messages() -> None:
    turn = {"role": "user", "parts": [{"text": "Name a "}, {"text": "river."}]}
    scored = [
        {"score": s, "completion": {"role": "model", "parts": [{"text": t}]}} for s, t in ((0.0, "x"), (1.0, "Ob"))
    ]
    (pair,) = read({"contents": [turn], "completions": scored})
    assert plain(pair)[:3] == (["Name a river."], "Ob", "x")


def test_that_ranks_are_told_to_be_best_at_the_lowest_number() -> None:
    row = {"prompt": "q", "responses": ["a", "b", "c"], "ranks": [2, 1, 3]}
    assert "by ranks (the lowest number is the best)" in remarks(row)
    assert [plain(pair)[1:3] for pair in read(row)] == [("b", "a"), ("b", "c")]


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (("Frage", "Antwort A", "Antwort B", "Gewinner"),
         "--map Frage=prompt --map 'Antwort A=first' --map 'Antwort B=second' --map Gewinner=label"),
        (("question", "réponse 1", "réponse 2", "note"), "--map 'réponse 1=first' --map 'réponse 2=second'"),
        (("问题", "回答A", "回答B", "偏好"),
         "--map '问题=prompt' --map '回答A=first' --map '回答B=second' --map '偏好=label'"),
    ],
)  # fmt: skip
def test_that_names_in_other_languages_are_offered_with_what_they_seem_to_be(
    columns: tuple[str, ...], hint: str
) -> None:
    with pytest.raises(BadInput) as caught:
        detected(*(dict(zip(columns, (f"q{i}", "x", "y", "A"), strict=True)) for i in range(3)))
    assert caught.value.hint == f"If these columns hold what is missing, name them: {hint}."


def test_that_a_column_of_whole_json_records_is_named_with_their_keys() -> None:
    record = json.dumps({"prompt": "q", "chosen": "x", "rejected": "y"})
    with pytest.raises(BadInput) as caught:
        detected({"id": 1, "text": record}, {"id": 2, "text": record})
    assert "its column 'text' are whole JSON records of their own, with the keys 'prompt', 'chosen', 'rejected'" in (
        caught.value.message
    )
    assert "Write each of these texts as a line of its own" in caught.value.hint


def test_that_thumbs_mark_an_answer() -> None:
    rows = [{"prompt": "q", "response": text, "feedback": mark} for text, mark in (("a", "thumbs_up"), ("b", "👎"))]
    detection, _ = detected(*rows)
    assert [answer.key for answer in detection.bound.questions[0].answers] == ["by_prompt", "nothing"]


def test_that_speakers_that_stay_in_the_prompt_are_told() -> None:
    rows = [
        {side: f"User: q{i}\nBot: {text} {i}" for side, text in (("chosen", "good"), ("rejected", "bad"))}
        for i in (1, 2)
    ]
    assert "the texts name their speakers (Bot:); they are read as one text, and the marks stay in the prompt" in (
        remarks(*rows)
    )
    plain_rows = [{"chosen": f"Name river {i}: Rhine", "rejected": f"Name river {i}: none"} for i in (1, 2)]
    assert "speakers" not in remarks(*plain_rows)


def test_that_a_column_of_a_known_name_with_nothing_in_it_gives_way_to_the_next() -> None:
    rows = [{"prompt": None, "question": f"q{i}", "chosen": "x", "rejected": "y"} for i in range(2)]
    assert [plain(pair)[0] for pair in read(*rows)] == [["q0"], ["q1"]]


def test_that_every_key_that_may_hold_a_text_is_offered() -> None:
    with pytest.raises(BadInput) as caught:
        detected({"prompt": {"text": "q"}, "chosen": {"text": "x"}, "rejected": {"text": "y"}})
    assert caught.value.hint == (
        "If these keys hold the texts, name them: --map chosen.text=chosen --map rejected.text=rejected "
        "--map prompt.text=prompt."
    )
