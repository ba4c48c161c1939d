"""What is filled in: changed, stored as a draft, turned into a judgement and back, whichever response is left."""

from __future__ import annotations

import json

import pytest

from app.annotate.judgement_form import AnswerSpan, JudgementForm
from core.domain.errors import BadInput
from core.domain.judgement import JudgementDraft, Verdict


def full_form() -> JudgementForm:
    """Return a form with everything filled in."""
    return JudgementForm(
        strength=-2,
        verdict=Verdict.PREFER,
        criteria={"steps": -3, "style": 0},
        rationale="Left has steps.",
        flags={"truncated"},
        confidence=2,
        edits={"left": "Better."},
        spans=[AnswerSpan("right", 3, 9, "error"), AnswerSpan("left", 0, 2, "good", "note")],
    )


def draft_of(form: JudgementForm, left_is: str = "A") -> JudgementDraft:
    """Return the judgement that a form becomes."""
    return form.to_draft(left_is, shown_ms=5000, active_ms=4000)


@pytest.mark.parametrize("left_is", ["A", "B"])
def test_that_a_form_survives_being_stored_as_a_judgement(left_is):
    assert JudgementForm.from_draft(draft_of(full_form(), left_is), left_is) == full_form()


def test_that_sides_are_stored_canonically():
    draft = draft_of(full_form(), "B")
    assert draft.strength == 2 and draft.preferred == "B"
    assert draft.criteria == {"steps": 3, "style": 0}
    assert [span["side"] for span in draft.spans] == ["A", "B"]


def test_that_a_form_survives_as_a_json_draft():
    stored = json.loads(json.dumps(full_form().to_stored()))
    assert JudgementForm.from_stored(stored) == full_form()


def test_that_a_draft_without_a_key_is_an_empty_form_there():
    form = JudgementForm.from_stored({"strength": 1, "verdict": "prefer"})
    assert (form.strength, form.rationale, form.spans, form.confidence) == (1, "", [], None)


def test_that_only_the_edit_of_the_preferred_answer_is_stored():
    form = full_form()
    form.edits = {"left": "Better.", "right": "Another."}
    assert draft_of(form).edit == "Better."
    form.prefer(1)
    assert draft_of(form).edit == "Another."
    form.reject_both()
    assert draft_of(form).edit is None


def test_that_a_form_without_a_verdict_cannot_be_stored():
    form = JudgementForm(rationale="Only words.")
    assert not form.complete
    with pytest.raises(BadInput):
        draft_of(JudgementForm(verdict=Verdict.PREFER))


def test_that_a_verdict_replaces_strength_and_reason_of_the_one_before():
    form = JudgementForm()
    form.give_up("language")
    assert (form.verdict, form.reason, form.strength) == (Verdict.CANNOT_JUDGE, "language", None)
    form.prefer(0)
    assert (form.verdict, form.reason, form.strength, form.screen_strength) == (Verdict.TIE, "", None, 0)
    form.prefer(-3)
    assert (form.verdict, form.strength, form.preferred_side) == (Verdict.PREFER, -3, "left")
    form.reject_both()
    assert (form.verdict, form.strength, form.preferred_side) == (Verdict.NEITHER, None, None)


def test_that_every_change_of_mind_is_stored_with_the_judgement():
    form = JudgementForm()
    form.prefer(2)
    form.reject_both()
    form.prefer(-1)
    process = draft_of(form).process
    assert process == {"shown_ms": 5000, "active_ms": 4000, "changes_of_mind": ["+2", "neither", "-1"]}


def test_that_an_answered_criterion_is_removed_by_none():
    form = JudgementForm()
    form.rate("steps", 2)
    form.rate("style", 0)
    form.rate("steps", None)
    form.rate("never answered", None)
    assert form.criteria == {"style": 0}


def test_that_a_flag_is_set_and_removed():
    form = JudgementForm()
    form.toggle_flag("pii")
    form.toggle_flag("unsafe")
    form.toggle_flag("pii")
    assert form.flags == {"unsafe"}


@pytest.mark.parametrize("text", ["", "  \n", "The answer."])
def test_that_an_edit_that_says_nothing_new_removes_the_edit(text):
    form = JudgementForm()
    assert form.set_edit("right", "Improved.", "The answer.")
    assert not form.set_edit("right", text, "The answer.")
    assert form.edits == {}


def test_that_the_same_words_tagged_again_get_the_new_tag():
    form = JudgementForm()
    form.add_span("left", 0, 5, "error")
    form.add_span("right", 0, 5, "good")
    form.add_span("left", 0, 5, "unclear")
    assert form.spans == [AnswerSpan("right", 0, 5, "good"), AnswerSpan("left", 0, 5, "unclear")]
    form.remove_span(AnswerSpan("right", 0, 5, "good"))
    assert form.spans == [AnswerSpan("left", 0, 5, "unclear")]
