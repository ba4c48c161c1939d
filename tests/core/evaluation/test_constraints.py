"""Each kind of constraint, with answers that keep it and answers that do not."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.suite import Constraint, SuiteItem
from core.evaluation.constraints import CONSTRAINT_KINDS, check_answer, checked_constraint, keeps_all

LIST = "Sure:\n- tea\n- milk\n- salt"
KEPT: list[tuple[str, Any, str]] = [
    ("bullets", 3, LIST),
    ("bullets", {"at_least": 2, "at_most": 3}, LIST),
    ("bullets", {"exactly": 3}, LIST),
    ("words", {"at_most": 3}, "One two three."),
    ("words", {"at_most": 5}, "我喜欢猫。"),
    ("characters", {"at_most": 5}, " abcde \n"),
    ("sentences", 2, "It rains. It pours."),
    ("paragraphs", 2, "One.\n\nTwo."),
    ("language", "de", "Das ist nicht schwer."),
    ("language", "de", "Wien"),
    ("json", True, '{"a": [1, 2.5, null]}'),
    ("json", True, '```json\n{"a": 1}\n```'),
    ("json", ["a", "b"], '{"b": 1, "a": 2, "c": 3}'),
    ("case", "upper", "NO 5, NEVER!"),
    ("case", "lower", "no 5, never!"),
    ("number", True, "-3.5"),
    ("number", 1200, "**1,200**."),
    ("number", 42, "٤٢"),
    ("number", 42, "４２。"),
    ("last_number", 45, "90 / 2 = 45. So half of 90 is **45**."),
    ("last_number", 1200, "It costs 1,200 euros."),
    ("last_number", -3, "The answer is -3."),
    ("last_number", 8, "7+1=8"),
    ("contains", "Sun", "the SUN shines"),
    ("contains", ["sun", "moon"], "moon and sun"),
    ("contains_any", ["oui", "non"], "Non, merci."),
    ("excludes", ["he", ","], "The hero sleeps."),
    ("excludes", "猫", "狗很好。"),
    ("one_of", ["yes", "no"], " **Yes.**\n"),
    ("starts_with", "Dear", "\ndear Ann, ..."),
    ("starts_with", ["Yes", "No"], "No way."),
    ("ends_with", "?", "Really?\n"),
]
BROKEN: list[tuple[str, Any, str]] = [
    ("bullets", 4, LIST),
    ("bullets", {"at_least": 4}, LIST),
    ("bullets", {"at_most": 2}, LIST),
    ("words", {"at_most": 2}, "One two three."),
    ("words", 3, "One two."),
    ("characters", {"at_least": 6}, "abcde     "),
    ("sentences", 2, "It rains and it pours."),
    ("paragraphs", 2, "One.\nTwo."),
    ("language", "de", "This is not hard."),
    ("language", "zh", "Wien"),
    ("json", True, 'Here it is: {"a": 1}'),
    ("json", True, '{"a": NaN}'),
    ("json", True, "{'a': 1}"),
    ("json", True, "[" * 100_000),
    ("json", ["a"], '{"b": 1}'),
    ("json", ["a"], '["a"]'),
    ("case", "upper", "No."),
    ("case", "lower", "12 + 3"),
    ("number", True, "It is 5."),
    ("number", True, "five"),
    ("number", 5, "6"),
    ("number", True, "1,20,0"),
    ("last_number", 45, "45 is half of 90"),
    ("last_number", 5, "five"),
    ("contains", ["sun", "moon"], "only the sun"),
    ("contains_any", ["oui", "non"], "Peut-être."),
    ("excludes", ["he"], "Then he slept."),
    ("excludes", [","], "One, two"),
    ("excludes", ["猫"], "我喜欢猫。"),
    ("one_of", ["yes", "no"], "Yes, of course."),
    ("starts_with", "Dear", "Oh dear"),
    ("ends_with", "?", "Really? Yes."),
]
REFUSED: list[tuple[str, Any]] = [
    ("bullets", "three"), ("bullets", True), ("bullets", -1), ("bullets", {}), ("bullets", {"most": 3}),
    ("words", {"at_least": 5, "at_most": 3}), ("words", {"exactly": 3, "at_most": 5}), ("words", 2.5),
    ("words", {"at_most": None}), ("characters", None), ("sentences", [2]), ("paragraphs", 10**9),
    ("language", "German"), ("language", ["de"]), ("json", False), ("json", []), ("json", [1]), ("case", "title"),
    ("case", ["upper"]), ("number", False), ("number", "42"), ("last_number", True), ("last_number", None),
    ("contains", ""), ("contains", []), ("contains", [" "]),
    ("contains_any", None), ("excludes", 3), ("one_of", {}), ("starts_with", True), ("ends_with", [None]),
]  # fmt: skip


def item(*constraints: Constraint) -> SuiteItem:
    return SuiteItem("x", Prompt.from_text("Do it."), "check", constraints=constraints)


@pytest.mark.parametrize(("kind", "value", "text"), KEPT)
def test_that_an_answer_keeps(kind: str, value: Any, text: str) -> None:
    (result,) = check_answer(item(Constraint(kind, value)), text)
    assert result.passed, result.found


@pytest.mark.parametrize(("kind", "value", "text"), BROKEN)
def test_that_an_answer_breaks(kind: str, value: Any, text: str) -> None:
    (result,) = check_answer(item(Constraint(kind, value)), text)
    assert not result.passed
    assert result.found


@pytest.mark.parametrize("kind", CONSTRAINT_KINDS)
def test_that_every_kind_is_tested_takes_its_example_and_refuses_an_empty_answer(kind: str) -> None:
    for cases in (KEPT, BROKEN, REFUSED):
        assert kind in {case[0] for case in cases}
    constraint = Constraint(kind, CONSTRAINT_KINDS[kind].example)
    assert checked_constraint(constraint) == constraint
    (result,) = check_answer(item(constraint), " \n")
    assert (result.passed, result.found) == (False, "an empty answer")


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_that_an_argument_which_fits_no_rule_is_told_with_an_example(kind: str, value: Any) -> None:
    with pytest.raises(BadInput, match=f"The constraint '{kind}'") as told:
        checked_constraint(Constraint(kind, value))
    assert "for example" in told.value.hint


def test_that_an_unknown_kind_is_told_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="no constraint 'rhymes'") as told:
        check_answer(item(Constraint("rhymes", True)), "Moon, June.")
    assert "bullets" in told.value.hint


def test_that_an_item_is_passed_when_all_its_constraints_hold() -> None:
    both = item(Constraint("bullets", 3), Constraint("contains", "milk"))
    assert keeps_all(both, LIST) is True
    assert keeps_all(both, LIST.replace("milk", "oil")) is False
    assert [result.passed for result in check_answer(both, LIST.replace("milk", "oil"))] == [True, False]
    assert keeps_all(SuiteItem("y", Prompt.from_text("Sing."), "open"), "La.") is None
