from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.text_form import PromptKeys, collapsed, letters_differ, prompt_keys
from core.domain.text_length import text_length


def keys(*texts: str, system: str = "") -> PromptKeys:
    turns = [{"role": "system", "content": system}] if system else []
    roles = ("user", "assistant")
    return prompt_keys([*turns, *({"role": roles[i % 2], "content": text} for i, text in enumerate(texts))])


@pytest.mark.parametrize(
    "other",
    ["WHAT IS 7 squared?", " What  is 7 squared ?\n", "What is 7\u00a0squared?", "What is\u200b 7 squared?"],
)
def test_that_prompts_that_differ_in_case_and_blanks_ask_the_same(other: str) -> None:
    assert keys(other) == keys("What is 7 squared?")


def test_that_unicode_forms_and_folded_letters_ask_the_same() -> None:
    assert keys("Caf\u00e9 in Stra\u00dfburg?") == keys("CAFE\u0301 IN STRASSBURG?")


def test_that_other_prompts_do_not_ask_the_same() -> None:
    found = {
        keys(*texts).same for texts in (("a",), ("b",), ("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("a!",))
    }
    assert len(found) == 6


def test_that_signs_and_the_system_turn_make_a_near_copy() -> None:
    one, other = keys("Is it so?"), keys("Is it: so", system="Be brief.")
    assert one.words == other.words and one.same != other.same
    assert keys("Is it so?").words != keys("It is so?").words
    assert keys("+ + +").words != keys("- - -").words


def test_that_the_keys_fit_into_a_database() -> None:
    found = keys("x")
    assert 0 <= found.same < 1 << 60 and 0 <= found.words < 1 << 60
    assert found == keys("x")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", "0 words"),
        ("one", "1 word"),
        ("deux mots", "2 words"),
        ("\u6771\u4eac \u306f\u3067\u3059", "5 characters"),
        ("Er sagt \u6771\u4eac und geht nach Hause", "7 words"),
        ("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "6 characters"),
        ("\ud55c\uad6d\uc5b4 \ub2e8\uc5b4", "2 words"),
        ("\u0434\u0432\u0430 \u0441\u043b\u043e\u0432\u0430", "2 words"),
    ],
)
def test_that_a_length_is_counted_in_the_unit_of_its_script(text: str, length: str) -> None:
    assert str(text_length(text)) == length


MARKS = st.text(st.characters(max_codepoint=0x81), max_size=8)


@given(MARKS, MARKS)
def test_that_texts_whose_letters_differ_look_different(first: str, second: str) -> None:
    assert not letters_differ(first, second) or collapsed(first) != collapsed(second)
    assert not letters_differ(first, f" {first}\x01\n")
