"""An answer in screen sides and the judgement it becomes: there and back, whichever response is left."""

from __future__ import annotations

import pytest

from app.annotate.answer import Answer, Stretch, answer_of
from core.domain.judgement import Verdict


def full() -> Answer:
    """Return an answer with everything filled in."""
    return Answer(
        strength=-2,
        verdict=Verdict.PREFER,
        criteria={"steps": -3, "style": 0},
        rationale="Left has steps.",
        flags={"truncated"},
        confidence=2,
        edits={"left": "Better."},
        spans=[Stretch("right", 3, 9, "error"), Stretch("left", 0, 2, "good", "note")],
    )


@pytest.mark.parametrize("left_is", ["A", "B"])
def test_that_an_answer_survives_being_stored(left_is):
    assert answer_of(full().to_draft(left_is, {}), left_is) == full()


def test_that_sides_are_stored_canonically():
    draft = full().to_draft("B", {})
    assert draft.strength == 2 and draft.preferred == "B"
    assert [span["side"] for span in draft.spans] == ["A", "B"]


def test_that_an_answer_survives_as_a_draft():
    assert Answer.from_plain(full().to_plain()) == full()


def test_that_only_the_edit_of_the_preferred_answer_is_stored():
    answer = full()
    answer.edits = {"left": "Better.", "right": "Another."}
    assert answer.to_draft("A", {}).edit == "Better."
    answer.strength = 1
    assert answer.to_draft("A", {}).edit == "Another."
    answer.strength, answer.verdict = None, Verdict.NEITHER
    assert answer.to_draft("A", {}).edit is None
