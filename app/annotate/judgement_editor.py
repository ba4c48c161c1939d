"""Fills in the form: verdict, criteria, flags, spans, an edit, rationale, confidence. Only the draft is stored here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal

from app.annotate.draft_saver import DraftSaver
from app.annotate.judgement_form import AnswerSpan, ScreenSide
from app.annotate.labeling_part import LabelingContext, LabelingPart
from app.annotate.questions import LabelingQuestions
from core.domain.judgement import Verdict

VERDICT_VISIBLE_MS = 350
"""How long the chosen verdict stays visible before a verdict key submits by itself."""


class JudgementEditor(LabelingPart):
    """Changes the form and announces it.

    Signals:
        submit_requested(str): the verdict is to be submitted without a further key; the key that chose it.
    """

    submit_requested = Signal(str)

    def __init__(self, context: LabelingContext, drafts: DraftSaver, questions: LabelingQuestions) -> None:
        super().__init__(context)
        self.drafts, self._questions, self._settings = drafts, questions, context.app.settings
        self._advance = QTimer(self)
        self._advance.setSingleShot(True)
        self._advance.setInterval(VERDICT_VISIBLE_MS)
        self._advance.timeout.connect(self._request_submit)

    @property
    def submits_soon(self) -> bool:
        """Whether the verdict will be submitted without a further key."""
        return self._advance.isActive()

    def is_double_press(self, key: str) -> bool:
        """Whether ``key`` just sent a pair away and nothing was done on this one."""
        return self._state.is_double_press(key, self._settings.get("annotate.guard_ms") / 1000)

    def choose_strength(self, strength: int) -> None:
        """Take a verdict key: it answers the focused criterion, else the overall question."""
        state = self._state
        if not self._may_answer() or self.is_double_press(_verdict_key(strength)):
            return
        if state.focused_id is not None and not state.criteria_seen():
            self._signals.panel_wanted.emit()
            self._signals.message.emit("Here is the criterion; press the key again to answer it")
        elif state.focused_id is not None:
            self.rate(state.focused_id, strength)
            state.focus_next()
            self._signals.focus_changed.emit()
        elif strength not in state.strengths:
            self._signals.message.emit("This rubric's scale has no such point")
        else:
            state.act().prefer(strength)
            self._filled_in()
            self._submit_if_wanted()

    def rate(self, criterion_id: str, strength: int | None) -> None:
        """Answer one criterion; None removes its answer."""
        if self._state.can_answer:
            self._state.act().rate(criterion_id, strength)
            self._filled_in()

    def move_focus(self, by: int) -> None:
        """Focus the next (1) or the previous (-1) criterion; it is brought into sight."""
        if not self._may_answer():
            return
        self._state.focus(self._state.focused + by)
        if self._state.focused >= 0 and not self._state.criteria_seen():
            self._signals.panel_wanted.emit()
        self._signals.focus_changed.emit()

    def leave_criteria(self) -> None:
        """Let the verdict keys answer the overall question again, because the criteria are out of sight."""
        if self._state.focused >= 0:
            self._state.focus(-1)
            self._signals.focus_changed.emit()

    def reject_both(self) -> None:
        """Choose "neither valid"."""
        if self._may_answer() and not self.is_double_press("neither"):
            self._state.act().reject_both()
            self._filled_in()

    def ask_cannot_judge(self) -> None:
        """Ask why, then choose "cannot judge"."""
        if (reason := self._ask(self._questions.reason)) is not None:
            self._state.act().give_up(reason)
            self._filled_in()

    def ask_flag(self) -> None:
        """Ask for a flag, then set or remove it."""
        if (flag := self._ask(lambda: self._questions.flag(self._state.form.flags))) is not None:
            self.toggle_flag(flag)

    def toggle_flag(self, flag: str) -> None:
        """Set a flag that is not set, remove one that is."""
        if self._may_answer():
            self._state.act().toggle_flag(flag)
            self._filled_in()

    def ask_edit(self) -> None:
        """Let the preferred answer be improved."""
        if not self._may_answer():
            return
        form, side = self._state.form, self._state.form.preferred_side
        if side is None:
            self._signals.message.emit("Choose the better answer first")
            return
        original = self._state.text_of(side)
        text = self._ask(lambda: self._questions.edited_text(side, original, form.edits.get(side, original)))
        if text is not None:
            kept = self._state.act().set_edit(side, text, original)
            self._filled_in()
            self._signals.message.emit("The edit is kept" if kept else "No edit: the text is the same")

    def ask_span(self, side: ScreenSide, start: int, end: int) -> None:
        """Ask what the selected words of an answer are, then add them as a span."""
        if (tag := self._ask(self._questions.span_tag)) is not None:
            self._state.act().add_span(side, start, end, tag)
            self._filled_in()
            self._signals.span_added.emit()

    def remove_span(self, span: AnswerSpan) -> None:
        """Remove a span."""
        if self._may_answer():
            self._state.act().remove_span(span)
            self._filled_in()

    def set_rationale(self, text: str) -> None:
        """Take the rationale as it stands in its field."""
        self.cancel_submit()
        self._state.act().rationale = text
        self.drafts.save_soon()

    def set_confidence(self, confidence: int | None) -> None:
        """Take how sure the reviewer is: 1 low, 2 middle, 3 high, or None."""
        self._state.act().confidence = confidence
        self._filled_in()

    def pause(self, on: bool) -> None:
        """Hide the pair and stop the clock, or show it and go on."""
        state = self._state
        self.drafts.save_now()
        self.close_pair()
        if on and state.presentation is not None:
            state.act()
            state.paused = True
        elif state.paused:
            state.resume()
        self._signals.paused_changed.emit(state.paused)

    def cancel_submit(self) -> None:
        """Do not submit without a further key."""
        self._advance.stop()

    def close_pair(self) -> None:
        """Stop what would still happen to the pair on the screen, because another one takes its place."""
        self.drafts.cancel()
        self.cancel_submit()

    def _may_answer(self) -> bool:
        """Whether the pair on the screen can be answered; says so when another one is about to take its place."""
        if self._state.stepping:
            self._signals.message.emit("Another pair is being fetched; the key was not taken")
        return self._state.can_answer

    def _ask(self, question: Callable[[], str | None]) -> str | None:
        """Ask about the pair on the screen; None when cancelled, or when another pair is shown by now."""
        shown = self._state.presentation
        if not self._may_answer():
            return None
        self.cancel_submit()
        answer = question()
        if answer is None or (self._state.can_answer and self._state.presentation is shown):
            return answer
        self._signals.message.emit("Another pair is shown by now; nothing was set")
        return None

    def _filled_in(self) -> None:
        self.cancel_submit()
        self._signals.form_changed.emit()
        self.drafts.save_soon()

    def _submit_if_wanted(self) -> None:
        """Submit in a moment when the setting says so and the rubric asks nothing else."""
        state, form = self._state, self._state.form
        criteria = state.criterion_ids
        nothing_else = len(criteria) <= 1 or form.criteria.keys() >= set(criteria)
        wanted = self._settings.get("annotate.auto_advance") and state.earlier_id is None
        if wanted and nothing_else and form.verdict in (Verdict.PREFER, Verdict.TIE):
            self._advance.start()

    def _request_submit(self) -> None:
        self.submit_requested.emit(_verdict_key(self._state.form.screen_strength or 0))


def _verdict_key(strength: int) -> str:
    """Return the name under which the double-press guard knows a verdict key."""
    return f"verdict {strength}"
