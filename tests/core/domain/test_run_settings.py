"""A setting of a run is declared in one place; a declaration that lacks a part is refused with a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.domain.errors import UsageError
from core.domain.run_settings import (
    ALWAYS,
    NEVER,
    WHEN_CHANGED,
    SettingGroup,
    current_names,
    fingerprint_values,
    settings_of,
)

group = SettingGroup("Group")


def test_that_a_field_without_a_declaration_is_refused() -> None:
    @dataclass
    class Config:
        momentum: float = 0.9

    with pytest.raises(TypeError, match="momentum is not declared as a setting"):
        settings_of(Config)


def test_that_the_fingerprint_role_must_be_stated() -> None:
    with pytest.raises(TypeError, match="fingerprint"):
        group(0.9, label="Momentum", hint="Momentum of SGD.")  # type: ignore[call-arg]


def test_that_a_word_in_place_of_the_fingerprint_role_is_refused() -> None:
    @dataclass
    class Config:
        momentum: float = group(0.9, "Momentum", "Momentum of SGD.", "")  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="momentum needs a fingerprint role: one of always, when_changed, never"):
        settings_of(Config)


@pytest.mark.parametrize(
    ("label", "hint", "more", "problem"),
    [
        (" ", "Momentum of SGD.", {}, "needs a label for the form"),
        ("Momentum", "", {}, "needs a hint: one sentence"),
        ("Momentum", "Momentum of SGD", {}, "needs a hint: one sentence"),
        ("Momentum", "Momentum of SGD.", {"bounds": (0.0, 0.5)}, "has a default that its limits refuse"),
        ("Momentum", "Momentum of SGD.", {"only_with": "sgd"}, "goes with 'sgd', which is no setting"),
    ],
)
def test_that_a_part_forgotten_is_named(label: str, hint: str, more: dict[str, object], problem: str) -> None:
    @dataclass
    class Config:
        momentum: float = group(0.9, NEVER, label, hint, **more)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=f"momentum {problem}"):
        settings_of(Config)


def test_that_two_settings_cannot_have_one_label() -> None:
    @dataclass
    class Config:
        first: int = group(0, NEVER, "Steps", "Some steps.")
        second: int = group(0, NEVER, "Steps", "Other steps.")

    with pytest.raises(TypeError, match="second has the label 'Steps', which first has too"):
        settings_of(Config)


def test_that_a_default_of_another_type_is_refused() -> None:
    @dataclass
    class Config:
        momentum: float = group(0, NEVER, "Momentum", "Momentum of SGD.")

    with pytest.raises(TypeError, match="momentum is a float, and its default 0 is not"):
        settings_of(Config)


@dataclass(frozen=True)
class Small:
    old: int = group(1, ALWAYS, "Old", "In every fingerprint.")
    new: int = group(0, WHEN_CHANGED, "New", "Changes the objective.", bounds=(0, 5))
    detail: int = group(3, WHEN_CHANGED, "Detail", "Has an effect with new only.", only_with="new")
    speed: int = group(0, NEVER, "Speed", "Changes nothing.")
    on: bool = group(False, NEVER, "On", "A switch.")
    kind: str = group("a", NEVER, "Kind", "One of two.", choices=("a", "b"))


SMALL = settings_of(Small)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, {"old"}),
        ({"speed": 9}, {"old"}),
        ({"detail": 9}, {"old"}),
        ({"new": 2}, {"old", "new", "detail"}),
        ({"new": 2, "detail": 9}, {"old", "new", "detail"}),
    ],
)
def test_that_a_newer_setting_is_in_the_fingerprint_only_once_it_is_turned_on(
    values: dict[str, int], names: set[str]
) -> None:
    plain = {name: values.get(name, setting.default) for name, setting in SMALL.items()}
    assert fingerprint_values(plain, SMALL) == {name: plain[name] for name in names}


@pytest.mark.parametrize(
    ("name", "text", "value"), [("new", "4", 4), ("new", 4.0, 4), ("on", "Yes", True), ("on", "off", False)]
)
def test_that_strings_are_read_as_the_type_of_the_setting(name: str, text: object, value: object) -> None:
    assert SMALL[name].read(text) == value


@pytest.mark.parametrize(("name", "text"), [("new", "four"), ("new", 4.5), ("on", "perhaps"), ("new", None)])
def test_that_what_cannot_be_read_is_refused_by_name(name: str, text: object) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot be"):
        SMALL[name].read(text)


def test_that_a_value_out_of_bounds_or_choices_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(UsageError, match="new cannot be 6") as bounds:
        SMALL["new"].check(6)
    with pytest.raises(UsageError, match="kind cannot be 'c'") as choices:
        SMALL["kind"].check("c")
    assert bounds.value.hint == "It must lie between 0 and 5."
    assert choices.value.hint == "Use one of: a, b."


def test_that_an_old_name_stands_for_the_one_of_today() -> None:
    assert current_names({"newer": 2, "old": 1}, SMALL, {"newer": "new"}) == {"new": 2, "old": 1}


def test_that_a_setting_given_under_both_names_is_refused() -> None:
    with pytest.raises(UsageError, match="new is given twice, once under its old name"):
        current_names({"newer": 2, "new": 1}, SMALL, {"newer": "new"})


def test_that_a_table_can_say_what_a_setting_can_be() -> None:
    texts = {name: setting.values_text for name, setting in SMALL.items()}
    assert texts["new"] == "whole number, 0 to 5"
    assert (texts["kind"], texts["on"], texts["old"]) == ("a | b", "yes | no", "whole number")
