"""The hint for a value that is none of the known ones."""

from __future__ import annotations

import pytest

from core.domain.choices import choice_hint
from core.domain.errors import UsageError
from core.domain.run_config import SETTINGS, RunConfig


def test_that_a_misspelt_setting_or_choice_names_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match=r"Did you mean warmup\?"):
        RunConfig().with_values({"warm-up": 1})
    with pytest.raises(UsageError, match=r"Did you mean sigmoid\? Use one of: sigmoid,"):
        RunConfig().with_values({"loss": "sigmod"})


def test_that_nothing_is_suggested_where_nothing_is_near() -> None:
    assert choice_hint("zzz", ["beta", "", "loss"]) == "Use one of: beta, loss."


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("beta", "minus one", "This must be a number."),
        ("beta", "", "This is empty; it must be a number."),
        ("beta", "0", "This must lie between 1e-06 and 1000."),
        ("beta", "nan", "It must be a finite number."),
        ("lora_r", "1.5", "This must be a whole number."),
        ("shuffle", "maybe", "This must be yes or no."),
        ("beta", "0.2", ""),
    ],
)
def test_that_the_problem_of_a_field_is_said_in_its_own_words(name: str, value: str, problem: str) -> None:
    assert SETTINGS[name].problem_of(value) == problem
