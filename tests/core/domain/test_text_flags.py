from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import BadInput
from core.domain.text_flags import FLAG_KEYS, flag_keys, flag_named, looks_equal, text_flags, without_prompt
from core.domain.text_form import collapsed

LONG = "Please list three rivers of France."


def keys(prompt: str, first: str, second: str) -> tuple[str, ...]:
    return flag_keys(text_flags(prompt, prompt, first, second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Oui.", "Oui. "),
        ("Oui.", "\n Oui."),
        ("caf\u00e9", "cafe\u0301"),
        ("Oui.", "Oui\u200b."),
        ("a\nb", "a\r\nb"),
        ("a b", "a\u00a0b"),
        ("a\u00adb", "ab"),
        ("", "\u200b"),
        ("e\u0301t\u00e9", "\u00e9te\u0301"),
        ("\uac00", "\u1100\u1161"),
        ("a\u0323b", "\u1ea1b"),
    ],
)
def test_that_answers_that_look_alike_are_flagged(first: str, second: str) -> None:
    assert "equal_looking" in keys("q", first, second)
    assert "equal_looking" in keys("q", second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("yes", "Yes"),
        ("ab", "a b"),
        ("a", "\u00e0"),
        ("1\u00b2", "12"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u062e"),
    ],
)
def test_that_answers_that_look_different_are_not(first: str, second: str) -> None:
    assert "equal_looking" not in keys("q", first, second)


SIGNS = st.text(st.sampled_from("ab .?!~\x7f\t\n\x02\u00e9e\u0301\u200b\u00ad"), max_size=5)


@given(SIGNS, SIGNS)
def test_that_the_short_ways_to_tell_two_texts_apart_agree_with_the_long_one(first: str, second: str) -> None:
    assert looks_equal(first, second) == (collapsed(first) == collapsed(second))


@pytest.mark.parametrize(("answer", "flagged"), [("", True), (" \n\t", True), ("0", False), (".", False)])
def test_that_an_empty_or_blank_answer_is_flagged(answer: str, flagged: bool) -> None:
    assert ("empty_answer" in keys("q", answer, "something")) is flagged


@pytest.mark.parametrize(
    ("prompt", "answer", "rest"),
    [
        (LONG, f"{LONG} Seine, Rhone, Loire.", "Seine, Rhone, Loire."),
        ("Why?", "Why?\n\nBecause.", "Because."),
        ("Why?", "\nWhy?\nAssistant: Because.", "Because."),
        (" Why? ", "Why?", ""),
    ],
)
def test_that_an_answer_that_begins_with_the_prompt_is_flagged_and_can_be_cut(
    prompt: str, answer: str, rest: str
) -> None:
    assert "repeats_prompt" in keys(prompt, answer, "other")
    assert without_prompt(prompt, answer) == rest


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("Hi", "Hi, how are you?"), ("Why?", "Why? Because."), (LONG[:-1], LONG[:-1] + "s"), ("Why?", "Because.\nWhy?")],
)
def test_that_an_answer_with_a_like_beginning_is_no_copy_of_the_prompt(prompt: str, answer: str) -> None:
    assert "repeats_prompt" not in keys(prompt, answer, "other")
    assert without_prompt(prompt, answer) == answer


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>user\nhi<|im_end|>",
        "<|start_header_id|>assistant<|end_header_id|>",
        "[INST] hi [/INST]",
        "<<SYS>>be kind<</SYS>>",
        "<start_of_turn>user",
        "<s>hello</s>",
        "hello</s>",
        "<\uff5cUser\uff5c>hi",
        "x<|endoftext|>",
    ],
)
def test_that_a_text_rendered_with_a_template_is_flagged_wherever_it_stands(text: str) -> None:
    for texts in ((text, "x", "y"), ("q", text, "y"), ("q", "x", text)):
        assert "template_tokens" in keys(*texts)


@pytest.mark.parametrize(
    "text", ["<s>struck</s> text", "a <|> b", "parse <$> x <|> y", "f |> g <| h", "INSTALL", "a</s> b", "<|>"]
)
def test_that_code_and_markup_are_no_template(text: str) -> None:
    assert "template_tokens" not in keys("q", text, "y")


@pytest.mark.parametrize(
    "text",
    [
        "caf\u00e9".encode().decode("latin-1"),
        "it\u2019s".encode().decode("cp1252"),
        "\u00fcber".encode().decode("cp1252"),
        "\u041f\u0440\u0438\u0432\u0435\u0442".encode().decode("latin-1"),
        "\u6771\u4eac".encode().decode("latin-1"),
        "\U0001f600".encode().decode("latin-1"),
        "caf\ufffd",
    ],
)
def test_that_text_read_with_the_wrong_encoding_is_flagged(text: str) -> None:
    assert "mojibake" in keys("q", text, "y")


@pytest.mark.parametrize(
    "text",
    [
        "caf\u00e9",
        "\u00c2ge d\u2019or \u00ab oui \u00bb",
        "N\u00c3O \u00c9 \u201cisso\u201d",
        "\u6771\u4eac",
        "l\u2019\u00e9t\u00e9\u2014\u201coui\u201d",
        "ESPA\u00d1A",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "3 \u00b0C, \u00a35, 1\u00bd",
    ],
)
def test_that_sound_text_of_many_languages_is_not(text: str) -> None:
    assert "mojibake" not in keys("q", text, "y")


@pytest.mark.parametrize(
    "text", ["bell\x07", "\x1b[31mred", "a\u202eb", "a\u2066b", "a\u200bb", "tag\U000e0041", "\x7f", "\ufeffa"]
)
def test_that_characters_that_nothing_shows_are_flagged(text: str) -> None:
    assert "hidden_characters" in keys("q", text, "y")


@pytest.mark.parametrize(
    "text",
    [
        "tab\there\r\n",
        "\u0645\u0631\u062d\u0628\u0627",
        "\U0001f468\u200d\U0001f469",
        "\u0645\u06cc\u200c\u062e",
        "a\u00a0b",
    ],
)
def test_that_ordinary_text_of_any_script_is_not(text: str) -> None:
    assert "hidden_characters" not in keys("q", text, "y")


def test_that_an_ordinary_pair_has_no_flag() -> None:
    assert text_flags("Name a river.", "Name a river.", "The Rhine.", "The Rhone flows through Lyon.") == 0


def test_that_flags_have_names_and_unknown_names_are_refused() -> None:
    assert [flag_keys(flag_named(key)) for key in FLAG_KEYS] == [(key,) for key in FLAG_KEYS]
    with pytest.raises(BadInput, match="no text flag 'pii'"):
        flag_named("pii")
