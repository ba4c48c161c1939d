"""What is on the screen: which pair comes next, what is kept when another one is shown, which time counts as work."""

from __future__ import annotations

import pytest

from app.annotate.labeling_state import IDLE_CUT_S, LabelingState
from core.domain.judgement import JudgementDraft, Verdict
from tests.app.annotate.builders import presentation, queue_under, rubric


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock) -> LabelingState:
    """Return a state on which pair 1 is shown and 2 and 3 wait."""
    made = LabelingState(clock)
    made.add_waiting([presentation(n) for n in (1, 2, 3)])
    made.advance()
    return made


def waiting(state: LabelingState) -> list[int]:
    """Return the pairs that wait, next one first."""
    return [p.pair_id for p in state.waiting]


def test_that_pairs_are_shown_in_order_and_nothing_after_the_last_one(state):
    assert state.presentation.pair_id == 1 and waiting(state) == [2, 3]
    assert state.advance() and state.advance() and not state.advance()
    assert state.presentation is None and not state.can_answer


def test_that_a_pair_that_was_fetched_twice_waits_once(state):
    state.add_waiting([presentation(n) for n in (1, 3, 4)])
    assert waiting(state) == [2, 3, 4]


def test_that_a_pair_is_shown_with_its_draft(state):
    state.show(presentation(5, draft={"strength": 2, "verdict": "prefer", "rationale": "Half a sent"}))
    assert (state.form.strength, state.form.rationale) == (2, "Half a sent")
    assert not state.touched and not state.changed


def test_that_an_earlier_judgement_is_shown_in_the_sides_of_the_screen(state):
    answer = JudgementDraft(Verdict.PREFER, strength=3)
    state.show(presentation(5, left_is="B", answer=answer), earlier_id=77)
    assert state.form.strength == -3 and state.earlier_id == 77


def test_that_a_pair_that_is_set_aside_comes_back_with_its_form(state):
    state.act().prefer(2)
    state.set_aside()
    state.show(presentation(9), earlier_id=77)
    state.set_aside()
    assert waiting(state) == [1, 2, 3], "the earlier judgement is only closed"
    state.advance()
    assert state.presentation.pair_id == 1 and state.form.strength == 2


def test_that_a_failed_commit_brings_pair_and_form_back_in_front_of_the_next_one(state):
    failed, form = state.presentation, state.act()
    form.prefer(1)
    state.advance()
    state.put_back(failed, form, None)
    assert state.presentation is failed and state.form is form and state.touched
    assert waiting(state) == [2, 3]


def test_that_a_queue_opened_again_keeps_drafts_and_brings_no_answered_pair_back(state):
    state.advance()  # 1 was answered, 2 is shown
    state.answered.add(1)
    state.waiting[0] = presentation(3, draft={"rationale": "kept"})
    state.replace_waiting([presentation(n) for n in (1, 2, 3, 4)])
    assert waiting(state) == [3, 4]
    assert state.waiting[0].draft == {"rationale": "kept"}


def test_that_a_pair_answered_another_way_leaves_the_screen_and_the_line(state):
    state.drop(2)
    assert waiting(state) == [3] and state.presentation.pair_id == 1
    state.drop(1)
    assert state.presentation is None


def test_that_a_paused_pair_cannot_be_answered(state):
    state.paused = True
    assert not state.can_answer


def test_that_the_text_of_a_side_is_empty_without_a_pair(state):
    assert (state.text_of("left"), state.text_of("right")) == ("left 1", "right 1")
    state.clear()
    assert state.text_of("left") == ""


def test_that_a_form_changed_back_is_not_changed(state):
    state.act().toggle_flag("pii")
    assert state.touched and state.changed
    state.act().toggle_flag("pii")
    assert state.touched and not state.changed


def test_that_a_long_break_counts_as_work_only_up_to_the_idle_cut(state, clock):
    clock.now += 10
    state.act().prefer(1)
    clock.now += 10 * IDLE_CUT_S
    process = state.draft().process
    assert process["active_ms"] == 1000 * (10 + IDLE_CUT_S)
    assert process["shown_ms"] == 1000 * (10 + 10 * IDLE_CUT_S)


def test_that_a_pause_counts_as_no_work(state, clock):
    state.act().prefer(1)
    state.paused = True
    clock.now += 30
    state.act()
    state.paused = False
    clock.now += 5
    assert state.draft().process["active_ms"] == 5000


def test_that_no_judgement_is_made_without_a_pair(state):
    state.clear()
    with pytest.raises(ValueError, match="no pair"):
        state.draft()


def test_that_the_focus_stays_within_the_criteria_and_ends_at_the_verdict(state):
    state.rubric = rubric(1, "steps", "style")
    assert state.focused_id is None
    state.focus(5)
    assert state.focused_id == "style"
    state.focus_next()
    assert state.focused_id is None
    state.focus_next()
    assert state.focused_id == "steps"
    state.focus(-4)
    assert state.focused_id is None


@pytest.mark.parametrize(
    ("scale", "strengths"), [(3, (-2, 0, 2)), (5, (-3, -2, 0, 2, 3)), (7, (-3, -2, -1, 0, 1, 2, 3))]
)
def test_that_a_scale_offers_its_strengths(state, scale, strengths):
    state.rubric = rubric(1, "steps", scale=scale)
    assert state.strengths == strengths


def test_that_the_note_names_the_rubric_version_only_where_it_is_not_the_queue_s(state):
    state.queue = queue_under(1)
    assert state.rubric_note == ""
    state.queue, state.rubrics = queue_under(2), {1: rubric(1, "steps")}
    assert state.rubric_note == ", made under House rules 1.0.0"
    state.rubrics = {}
    assert state.rubric_note == ", made under another rubric"


def test_that_the_key_that_sent_a_pair_away_does_nothing_on_the_next_one_for_a_moment(state, clock):
    state.presses.note("submit")
    state.advance()
    assert state.is_double_press("submit", 0.5)
    assert not state.is_double_press("skip", 0.5), "another key is meant"
    clock.now += 0.5
    assert not state.is_double_press("submit", 0.5), "the time is over"


def test_that_a_press_is_meant_after_something_was_done_or_another_key_was_pressed(state):
    state.presses.note("submit")
    state.advance()
    state.act()
    assert not state.is_double_press("submit", 0.5)
    state.advance()
    state.presses.forget()
    assert not state.is_double_press("submit", 0.5)
