"""What a major rubric version changes in meaning, and which labels it concerns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.rubric import Criterion, Example, RubricBody
from core.domain.rubric_meaning import MeaningChange, meaning_change

STEPS, SAFE, BRIEF = (Criterion(key, key.title(), f"Which is more {key}?") for key in ("steps", "safe", "brief"))
BODY = RubricBody("Help.", (STEPS, SAFE, BRIEF), ("safe", "steps", "brief"))
OTHER_SAFE = replace(SAFE, question="Which is safe in every step?")


def test_that_a_changed_clause_concerns_the_labels_that_answered_it_or_none():
    change = meaning_change(BODY, replace(BODY, criteria=(STEPS, OTHER_SAFE, BRIEF)))
    assert change == MeaningChange(False, frozenset({"safe"}), frozenset())
    assert [change.concerns(answered) for answered in ({"safe", "steps"}, {"steps"}, set())] == [True, False, True]


def test_that_a_clause_that_is_taken_out_is_lost_and_its_place_in_the_order_changes_nothing_else():
    change = meaning_change(BODY, replace(BODY, criteria=(STEPS, SAFE), priority=("safe", "steps")))
    assert change == MeaningChange(False, frozenset({"brief"}), frozenset({"brief"}))


@pytest.mark.parametrize(
    "new",
    [
        replace(BODY, purpose="Harmless."),
        replace(BODY, priority=("steps", "safe", "brief")),
        replace(BODY, tie_rule="Never."),
        replace(BODY, scale=3),
        replace(BODY, criteria=(*BODY.criteria, Criterion("new", "New", "New?"))),
        replace(BODY, examples=(Example("p", "b", "w"),)),  # major, although no clause differs
    ],
)
def test_that_what_is_said_of_the_whole_rubric_concerns_every_label(new: RubricBody):
    assert meaning_change(BODY, new).concerns({"steps"})


def test_that_an_example_beside_a_changed_clause_concerns_no_other_clause():
    new = replace(BODY, criteria=(STEPS, OTHER_SAFE, BRIEF), examples=(Example("p", "b", "w"),))
    assert not meaning_change(BODY, new).concerns({"steps", "brief"})
