"""What keys and controls fill in, without a window: the editor with a state, and questions that answer themselves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.annotate.judgement_editor import JudgementEditor
from app.annotate.judgement_form import AnswerSpan
from app.annotate.labeling_part import LabelingContext
from app.annotate.labeling_signals import LabelingSignals
from app.annotate.labeling_state import LabelingState
from core.domain.judgement import Verdict
from tests.app.annotate.builders import presentation, rubric


class Questions:
    """Answers every question by ``answer``, after ``meanwhile`` happened."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self.meanwhile = lambda: None

    def _ask(self, *_: object) -> str | None:
        self.meanwhile()
        return self.answer

    reason = flag = span_tag = edited_text = _ask


class Drafts:
    """Counts what the editor asks to be saved."""

    def __init__(self) -> None:
        self.soon = self.now = self.cancelled = 0

    def save_soon(self) -> None:
        self.soon += 1

    def save_now(self) -> None:
        self.now += 1

    def cancel(self) -> None:
        self.cancelled += 1


class EditorSetup:
    """An editor on a state that shows pair 1 under a rubric of two criteria, and what it announced."""

    def __init__(self, parent: object, scale: int = 7) -> None:
        self.state, self.questions, self.drafts = LabelingState(lambda: 0.0), Questions(), Drafts()
        self.state.rubric = rubric(1, "steps", "style", scale=scale)
        self.state.add_waiting([presentation(1), presentation(2)])
        self.state.advance()
        self.settings = {"annotate.guard_ms": 300, "annotate.auto_advance": False}
        signals = LabelingSignals(parent)
        shared = LabelingContext(SimpleNamespace(settings=self.settings), self.state, signals)
        self.messages, self.changes = [], []
        signals.message.connect(self.messages.append)
        signals.form_changed.connect(lambda: self.changes.append(self.state.form.to_stored()))
        self.editor = JudgementEditor(shared, self.drafts, self.questions)


@pytest.fixture
def setup(qapp) -> EditorSetup:
    return EditorSetup(qapp)


def test_that_a_verdict_key_chooses_announces_and_keeps_a_draft(setup):
    setup.editor.choose_strength(-2)
    assert setup.state.form.strength == -2
    assert len(setup.changes) == 1 and setup.drafts.soon == 1


def test_that_a_verdict_key_answers_the_focused_criterion_and_goes_to_the_next(setup):
    setup.editor.move_focus(1)
    setup.editor.choose_strength(-2)
    setup.editor.choose_strength(1)
    assert setup.state.form.criteria == {"steps": -2, "style": 1} and setup.state.form.verdict is None
    assert setup.state.focused_id is None


def test_that_a_strength_the_scale_does_not_offer_is_refused(qapp):
    setup = EditorSetup(qapp, scale=3)
    setup.editor.choose_strength(-3)
    assert setup.state.form.verdict is None and "no such point" in setup.messages[-1]


@pytest.mark.parametrize("hidden", ["paused", "empty"])
def test_that_nothing_is_filled_in_while_no_pair_is_seen(setup, hidden):
    if hidden == "paused":
        setup.editor.pause(True)
    else:
        setup.state.clear()
    setup.questions.answer = "pii"
    for act in (lambda: setup.editor.choose_strength(1), setup.editor.reject_both, setup.editor.ask_flag):
        act()
    setup.editor.rate("steps", 1)
    setup.editor.ask_edit()
    assert setup.changes == []


def test_that_a_cancelled_question_changes_nothing(setup):
    for act in (setup.editor.ask_flag, setup.editor.ask_cannot_judge, lambda: setup.editor.ask_span("left", 0, 3)):
        act()
    assert setup.changes == [] and setup.messages == []


def test_that_the_answer_to_a_question_never_reaches_another_pair(setup):
    setup.questions.answer, setup.questions.meanwhile = "pii", setup.state.advance
    setup.editor.ask_flag()
    assert setup.changes == [] and not setup.state.touched
    assert "Another pair" in setup.messages[-1]


def test_that_an_edit_needs_a_preferred_answer(setup):
    setup.questions.answer = "Improved."
    setup.editor.ask_edit()
    assert setup.state.form.edits == {} and "better answer first" in setup.messages[-1]
    setup.editor.choose_strength(2)
    setup.editor.ask_edit()
    assert setup.state.form.edits == {"right": "Improved."}


def test_that_a_span_gets_the_tag_that_was_chosen(setup):
    setup.questions.answer = "error"
    setup.editor.ask_span("left", 0, 4)
    assert setup.state.form.spans == [AnswerSpan("left", 0, 4, "error")]
    setup.editor.remove_span(AnswerSpan("left", 0, 4, "error"))
    assert setup.state.form.spans == []


def test_that_cannot_judge_takes_its_reason(setup):
    setup.questions.answer = "language"
    setup.editor.ask_cannot_judge()
    assert (setup.state.form.verdict, setup.state.form.reason) == (Verdict.CANNOT_JUDGE, "language")


def test_that_a_verdict_key_submits_by_itself_only_when_nothing_else_is_asked(setup):
    setup.settings["annotate.auto_advance"] = True
    setup.editor.choose_strength(1)
    assert not setup.editor.submits_soon, "two criteria are not answered"
    for criterion in ("steps", "style"):
        setup.editor.rate(criterion, 0)
    setup.editor.choose_strength(1)
    assert setup.editor.submits_soon
    setup.editor.cancel_submit()


@pytest.mark.parametrize(
    "act",
    [
        lambda editor: editor.set_rationale("be"),
        lambda editor: editor.toggle_flag("pii"),
        lambda editor: editor.set_confidence(2),
        lambda editor: editor.ask_flag(),
        lambda editor: editor.ask_cannot_judge(),
        lambda editor: editor.ask_edit(),
        lambda editor: editor.ask_span("left", 0, 1),
        lambda editor: editor.close_pair(),
    ],
)
def test_that_nothing_is_submitted_by_itself_while_more_is_being_said(setup, act):
    setup.settings["annotate.auto_advance"] = True
    for criterion in ("steps", "style"):
        setup.editor.rate(criterion, 0)
    setup.editor.choose_strength(1)
    assert setup.editor.submits_soon
    during = []
    setup.questions.meanwhile = lambda: during.append(setup.editor.submits_soon)
    act(setup.editor)
    assert not any(during) and not setup.editor.submits_soon


def test_that_a_pause_keeps_the_draft_and_stops_what_was_about_to_happen(setup):
    setup.editor.set_rationale("Half a sent")
    setup.editor.pause(True)
    assert setup.drafts.now == 1 and setup.state.paused
    setup.editor.pause(False)
    assert not setup.state.paused
