"""What people wrote is kept as they wrote it: JSON, speakers' marks and quoted dialogue stay texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.core.services.importing.formats.records import answer, detected, plain, read, remarks, user

CHAT = json.dumps([user("hi")])


def trl(prompt: object, chosen: object = "x", rejected: object = "y") -> dict[str, Any]:
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


@pytest.mark.parametrize(
    "text",
    [
        '[{"role": "admin", "content": "x"}]',
        '{"role": "user", "content": "hi"}',
        '[{"content": 1}] repair this list',
        '{"from": "gpt", "value": "x"}',
        '{"broken": ',
        CHAT,
    ],
)
def test_that_a_text_that_is_json_stays_a_text(text: str) -> None:
    rows = [trl("plain"), trl(text, text, "y"), trl("plain too")]
    (_, pair, _) = read(*rows)
    assert plain(pair)[:3] == ([text], text, "y")
    table = [
        {"prompt": "q", "response_a": text, "response_b": "y", "winner": "A"},
        {"prompt": text, "response_a": "x", "response_b": "y", "winner": "B"},
    ]
    assert [plain(pair)[:2] for pair in read(*table)] == [(["q"], text), ([text], "x")]


def test_that_a_single_text_that_reads_like_messages_is_told() -> None:
    assert "prompt reads like a list of messages" in remarks(trl("plain"), trl(CHAT), trl("plain"))
    assert "reads like" not in remarks(trl("plain"), trl('[{"role": "admin", "content": "x"}]'))


def test_that_a_column_of_json_messages_is_read_as_messages_and_said() -> None:
    rows = [trl(json.dumps([user(f"q{n}")]), json.dumps([answer("x")]), json.dumps([answer("y")])) for n in range(12)]
    detection, _ = detected(*rows)
    assert detection.key == "conversational"
    assert any("are JSON lists of messages" in note for note in detection.bound.notes)
    assert plain(read(*rows)[3])[:3] == (["q3"], "x", "y")
    odd = [*rows, trl("a plain question", "x", "y")]
    assert plain(read(*odd)[-1])[:3] == (["a plain question"], "x", "y")
    assert "a text among lists of messages" in remarks(*odd)


def test_that_rows_of_either_kind_are_read_in_one_file() -> None:
    rows = [
        trl("q"),
        trl([user("q")], [answer("x")], "y"),
        trl("q"),
        trl(7),
        trl("q", ["a", "b"]),
        trl("q", {"text": "x"}),
    ]
    found = read(*rows)
    assert [plain(pair)[:3] for pair in found[:3]] == [(["q"], "x", "y")] * 3
    assert found[3:] == [
        "prompt is a number, not text",
        "chosen is a list, not text",
        "chosen is an object with the fields text, not text",
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}], "ab"),
        ([{"text": "no type"}], "no type"),
        (["bare", " text"], "bare text"),
        ({"type": "text", "text": "an object"}, "an object"),
        ([{"type": "text", "text": "filled by Arrow", "image_url": None}], "filled by Arrow"),
        ([{"type": "refusal", "refusal": "I cannot."}], "I cannot."),
    ],
)
def test_that_text_parts_are_joined_whatever_they_are_called(content: Any, text: str) -> None:
    row = trl([{"role": "user", "content": content}], [answer("x")], [answer("y")])
    assert plain(read(row)[0])[0] == [text]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"role": "user", "content": [{"type": "image", "image": None}]}, "message 1 of prompt holds a picture"),
        ({"role": "user", "content": [{"type": "input_audio", "data": ""}]}, "holds sound"),
        ({"role": "user", "content": [{"type": "thinking", "text": "t"}]}, "a part of the type 'thinking'"),
        ({"role": "user", "content": []}, "prompt is empty"),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}, "is a tool call without text"),
        ({"role": "user", "content": None, "tool_calls": None}, "message 1 of prompt is missing"),
        ({"role": "wizard", "content": "q"}, "unknown role 'wizard'"),
    ],
)
def test_that_what_is_no_text_is_refused_by_its_kind(message: dict[str, Any], reason: str) -> None:
    good = trl([user("q")], [answer("x")], [answer("y")])
    assert reason in str(read(good, trl([message], [answer("x")], [answer("y")]))[1])


def test_that_a_tool_call_beside_a_text_is_told_and_null_keys_are_nothing() -> None:
    null = {"name": None, "tool_calls": None, "from": None, "value": None}
    row = trl([{**user("q"), **null}], [{**answer("x"), **null}], [{**answer("y"), "tool_calls": [{"id": "1"}]}])
    assert plain(read(row)[0])[:3] == (["q"], "x", "y")
    assert "a tool call beside the text" in remarks(row)


def hh(chosen: str, rejected: str, **more: str) -> dict[str, str]:
    return {"chosen": chosen, "rejected": rejected, **more}


def talk(*turns: str, line: str = "\n", system: str = "") -> str:
    """Return a transcript of turns that begin with the human and alternate."""
    marks = ("Human", "Assistant")
    head = f"{line}{line}System: {system}" if system else ""
    return head + "".join(f"{line}{line}{marks[n % 2]}:{' ' if turn else ''}{turn}" for n, turn in enumerate(turns))


GOOD = hh(talk("q", "x"), talk("q", "y"))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (hh(talk("a", "b", "c", "x"), talk("a", "b", "c", "y")), (["a", "b", "c"], "x", "y")),
        (hh(talk("q", ""), talk("q", "y")), (["q"], "", "y")),
        (hh(talk("q", "x", line="\r\n"), talk("q", "y", line="\r\n")), (["q"], "x", "y")),
        (hh(f"\n\nHuman: a{talk('b', 'x')}", f"\n\nHuman: a{talk('b', 'y')}"), (["a", "b"], "x", "y")),
        (hh(talk("q", "x", system="s"), talk("q", "y", system="s")), (["s", "q"], "x", "y")),
    ],
)
def test_that_a_transcript_is_cut_at_the_last_turn_of_the_assistant(row: dict[str, str], expected: tuple) -> None:
    assert detected(GOOD, row)[0].key == "hh"
    assert plain(read(GOOD, row)[1])[:3] == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (hh(talk("a", "b", "c", "x"), talk("a", "d", "c", "y")), "differ from turn 2 on"),
        (hh(talk("play", "Sure:", "hi", "ho"), talk("play", "No.")), "differ from turn 2 on"),
        (hh(talk("q", "x", "bye"), talk("q", "x", "ciao")), "does not end with an answer"),
        (hh("Human: q\nAssistant: x", "Human: q\nAssistant: y"), "not parted by blank lines"),
        (hh("The sky is blue", "The sky is red"), "no transcript"),
    ],
)
def test_that_a_transcript_without_a_right_cut_is_refused_and_never_guessed(row: dict[str, str], reason: str) -> None:
    detection, _ = detected(GOOD, row)
    assert detection.key == "hh"
    assert reason in str(read(GOOD, row)[1])


def test_that_single_transcripts_among_other_texts_are_read_as_transcripts() -> None:
    rows = [
        hh("The sky is blue", "The sky is red"),
        hh("A b", "A c"),
        hh(talk("a", "b", "c", "x"), talk("a", "b", "c", "y")),
    ]
    assert detected(*rows)[0].key == "implicit"
    assert [plain(pair)[:3] for pair in read(*rows)][2] == (["a", "b", "c"], "x", "y")


def test_that_a_prompt_column_that_contradicts_the_turns_is_told() -> None:
    row = trl("something else", [user("q"), answer("x")], [user("q"), answer("y")])
    assert plain(read(row)[0])[0] == ["q"]
    assert "the prompt column and the turns say different things" in remarks(row)
    assert "different things" not in remarks({**row, "prompt": " q "})


def test_that_speakers_in_a_prompt_are_kept_as_text_and_told() -> None:
    text = "prompter: Bread?\nassistant: Flour.\nprompter: Salt?"
    assert plain(read(trl(text))[0])[0] == [text]
    assert "1 of 2 prompts names its speakers" in remarks(trl(text), trl("Assistant: is a noun"))
    for single in ("System: Windows 11 crashes", "Human: what does that mean?"):
        assert [(m.role, m.content) for m in read(trl(single))[0].prompt.messages] == [("user", single)]  # type: ignore[union-attr]


def test_that_a_second_system_text_is_told() -> None:
    row = {**trl([{"role": "system", "content": "s"}, user("q")], [answer("x")], [answer("y")]), "system": "other"}
    assert plain(read(row)[0])[0] == ["s", "q"]
    assert "stands beside a system message" in remarks(row)


def printed(*messages: dict[str, str]) -> str:
    """Return messages as NumPy prints an array of them: a line for each, without commas."""
    return "[" + "\n ".join(map(repr, messages)) + "]"


def test_that_a_column_of_messages_as_python_prints_them_is_read_as_messages_and_said() -> None:
    rows = [
        trl(printed(user("it's\n{1}"), answer("a"), user(f"q{n}")), printed(answer("x")), repr([answer("y")]))
        for n in range(4)
    ]
    detection, _ = detected(*rows)
    assert detection.key == "conversational"
    assert any("as Python prints them" in note for note in detection.bound.notes)
    (first, *_) = read(*rows)
    assert plain(first)[:3] == (["it's\n{1}", "a", "q0"], "x", "y")


def test_that_one_text_as_python_prints_messages_stays_a_text_and_is_told() -> None:
    text = repr([user("hi")])
    assert plain(read(trl("plain"), trl(text), trl("plain"))[1])[0] == [text]
    assert "prompt reads like a list of messages" in remarks(trl("plain"), trl(text), trl("plain"))


def test_that_nothing_in_a_printed_list_is_run() -> None:
    text = "[{'role': 'user', 'content': __import__('os').getcwd()}]"
    assert plain(read(trl(text), trl(text))[0])[0] == [text]


def test_that_what_a_message_holds_beside_its_text_is_told_once_a_row() -> None:
    chat = [{**user("a"), "id": 7}, {**answer("b"), "id": 8}, user("c")]
    said = remarks(trl(chat, [{**answer("x"), "reasoning_content": "hm", "name": None}], [answer("y")]))
    assert "1 row: reasoning_content beside the text of a message is not kept" in said
    assert "1 row: id beside the text" in said and "name" not in said
