"""The arguments and the date of a chat template as settings of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.template_args import one_argument, read_arguments, spelled


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", {}),
        ("enable_thinking=false", {"enable_thinking": False}),
        (" a = 1 , b=two words,c=", {"a": 1, "b": "two words", "c": ""}),
        ('tools=[{"name": "f, g"}], word="true", day=2026-11-29',
         {"tools": [{"name": "f, g"}], "word": "true", "day": "2026-11-29"}),
        ('{"effort": "high", "n": {"m": [1]}}', {"effort": "high", "n": {"m": [1]}}),
        ("x=NaN", {"x": "NaN"}),
    ],
)  # fmt: skip
def test_that_a_line_of_arguments_is_read_and_spelled_so_that_it_reads_back(line: str, found: dict) -> None:
    assert read_arguments(line) == found
    assert read_arguments(spelled(found)) == found


@pytest.mark.parametrize("line", ["thinking", "a=1, a=2", "=1", "messages=[]", '{"a": 1', '{"a b": 1}', "a=1e999"])
def test_that_a_line_that_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        RunConfig().with_values({"template_args": line})


def test_that_a_word_of_the_command_line_may_hold_commas() -> None:
    assert one_argument("note=a, b=3") == {"note": "a, b=3"}
    assert one_argument("tools=[1, 2]") == {"tools": [1, 2]}


def test_that_equal_arguments_have_one_spelling_and_one_fingerprint() -> None:
    one = RunConfig().with_values({"template_args": '{"b": 1, "a": "high"}'})
    other = RunConfig().with_values({"template_args": "a=high,b=1"})
    assert one == other
    assert one.fingerprint() != RunConfig().fingerprint()


def test_that_plain_text_with_template_settings_is_refused() -> None:
    for changes in ({"template_args": "a=1"}, {"template_date": "2026-11-29"}):
        with pytest.raises(UsageError, match="would be ignored"):
            replace(RunConfig(template="none"), **changes)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="template_date cannot be"):
        RunConfig(template_date="29 November")
