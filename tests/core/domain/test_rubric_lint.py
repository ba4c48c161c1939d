"""The linter of rubrics: each rule on a rubric that breaks it, and silence on those that come with the program."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.rubric import Criterion, Example, RubricBody
from core.domain.rubric_lint import lint
from core.services.rubrics.templates import templates

ANCHORS = {"-2": "The left one is clearly clearer.", "0": "Equal.", "2": "The right one is clearly clearer."}
CLEAR = Criterion("clear", "Clear", "Which is clearer?", ANCHORS, allowed=("Short sentences.",))
SHORT = Criterion("short", "Short", "Which is shorter?", ANCHORS, disallowed=('Openings such as "As an AI".',))
SOUND = RubricBody("Which is better?", (CLEAR, SHORT), ("clear", "short"), tie_rule="Equal in both.")


def rules(body: RubricBody) -> list[tuple[str, str]]:
    return [(one.rule, one.criterion) for one in lint(body)]


def changed(body: RubricBody, place: int, **values: object) -> RubricBody:
    criteria = list(body.criteria)
    criteria[place] = replace(criteria[place], **values)  # type: ignore[arg-type]
    return replace(body, criteria=tuple(criteria))


def test_that_a_sound_rubric_has_no_finding() -> None:
    assert lint(SOUND) == []


def test_that_a_clause_that_disallows_what_another_allows_is_wrong_whatever_case_and_point() -> None:
    (found,) = lint(changed(SOUND, 1, disallowed=("short sentences",)))
    assert (found.rule, found.severity, found.criterion) == ("allowed_and_disallowed", "wrong", "short")
    assert "the clause Clear allows" in found.message


@pytest.mark.parametrize(
    ("anchors", "rule"),
    [
        ({}, "no_anchors"),
        ({"-2": "Left.", "9": "Right."}, "anchor_outside_scale"),
        ({"1": "The right one.", "0": "Equal."}, "one_sided_anchors"),
        ({"-2": "Left is much better", "-1": "left is much better.", "1": "Right."}, "same_anchors"),
    ],
)
def test_that_anchors_are_read(anchors: dict[str, str], rule: str) -> None:
    assert (rule, "clear") in rules(changed(SOUND, 0, anchors=anchors))


def test_that_the_priority_names_every_criterion_and_no_other() -> None:
    assert rules(replace(SOUND, priority=("clear", "long"))) == [("priority_unknown", ""), ("priority_incomplete", "")]
    assert rules(replace(SOUND, priority=())) == [("no_priority", "")]
    alone = replace(SOUND, criteria=(CLEAR,), priority=())
    assert rules(alone) == []


def test_that_examples_contradict_neither_each_other_nor_a_clause() -> None:
    one = Example("Why?", "Because it rains.", "As an AI I cannot say.")
    assert rules(replace(SOUND, examples=(one,))) == []
    turned = Example("Why?", "As an AI, I cannot say.", "Because it rains")
    found = rules(replace(SOUND, examples=(one, turned)))
    assert found == [("examples_contradict", ""), ("example_against_clause", "short")]
    assert rules(replace(SOUND, examples=(Example("Why?", "Yes.", "yes"),))) == [("example_equal", "")]


def test_that_questions_are_asked_once_and_not_negated() -> None:
    assert rules(changed(SOUND, 1, question="Which is clearer")) == [("same_question", "short")]
    assert rules(changed(SOUND, 1, question="Which does not fail?")) == [("negated_question", "short")]
    assert rules(replace(SOUND, tie_rule=" ")) == [("no_tie_rule", "")]


def test_that_the_rubrics_that_come_with_the_program_contradict_nothing() -> None:
    for one in templates():
        assert [finding for finding in lint(one.body) if finding.severity == "wrong"] == [], one.name
