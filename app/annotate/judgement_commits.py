"""Stores judgements: commit, amend, skip, undo, redo.

A commit is handed to the store's thread and the next pair is shown at once. "Saved" is announced only after the
transaction was committed. A pair whose commit fails comes back with its form.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

from app.annotate.judgement_editor import JudgementEditor
from app.annotate.judgement_form import JudgementForm
from app.annotate.labeling_part import LabelingContext, LabelingPart
from app.annotate.labelling_block import LabellingBlock
from app.annotate.presentation_controller import PresentationController
from core.domain.changes import Outcome
from core.domain.counting import counted
from core.domain.judgement import Judgement, Task, screen_words
from core.services.annotation.views import PresentationView, UndoStep

Direction = Literal["undo", "redo"]


class JudgementCommits(LabelingPart):
    """Changes what is stored for the pair on the screen, or for the last step."""

    def __init__(
        self, context: LabelingContext, editor: JudgementEditor, presentations: PresentationController
    ) -> None:
        super().__init__(context)
        self._editor, self._presentations, self._block = editor, presentations, LabellingBlock()

    def submit(self, key: str = "submit") -> None:
        """Store the judgement durably and show the next pair at once; ``key`` is what was pressed for it."""
        state = self._state
        presentation = state.presentation
        if presentation is None or state.paused or self._editor.is_double_press(key):
            return
        if refusal := self._refusal():
            self._signals.message.emit(refusal)
            return
        state.presses.note(key)
        if state.earlier_id is not None and not state.changed:
            self._presentations.show_next()
            self._signals.message.emit(f"The decision on pair {presentation.pair_id} stays as it was")
            return
        self._store(presentation)
        self._presentations.show_next()
        self._suggest_break()

    def _suggest_break(self) -> None:
        """Say that a break is due, in a line that can be dismissed; labelling goes on."""
        minutes = int(self._context.settings.get("annotate.break_minutes"))
        if self._block.is_break_due(self._context.session.reviewer_id, self._state.clock(), minutes):
            self._context.notices.post(
                f"You have labelled for {counted(minutes, 'minute')}.",
                hint="Five minutes off keep judgements even. Nothing stops you.",
                action="Pause",
                run=lambda: self._editor.pause(True),
            )

    def amend(self) -> None:
        """Begin to amend the earlier judgement that is shown; once it was changed, store the change."""
        state = self._state
        if state.presentation is None or state.paused or state.stepping:
            return
        if state.earlier_id is None:
            self._signals.message.emit("A amends an earlier decision; [ shows the last one")
        elif state.changed:
            self.submit()
            state.returned = state.presentation is not None
        else:
            state.amending = True
            self._signals.form_changed.emit()

    def skip(self) -> None:
        """Put the pair aside; an earlier judgement is only closed."""
        state, service = self._state, self._context.services.annotation
        presentation = state.presentation
        if presentation is None or not state.can_answer or self._editor.is_double_press("skip"):
            return
        self._editor.close_pair()
        state.presses.note("skip")
        if state.earlier_id is None:
            state.answered.add(presentation.pair_id)
            self._context.ops.mutate(
                lambda: service.skip(presentation.presentation_uid), self._skipped, owner=self, initiator=self._signals
            )
        self._presentations.show_next()

    def undo(self) -> None:
        """Take the last step back and show its pair again."""
        self._step("undo")

    def redo(self) -> None:
        """Do the step again that was undone last."""
        self._step("redo")

    def _refusal(self) -> str:
        """Return why the form cannot be stored now, or an empty text."""
        state = self._state
        if state.stepping:
            return "Another pair is being fetched; nothing was stored"
        if not state.is_on_screen:
            return "This answer belongs to another pair than the one on the screen; nothing was stored"
        if not state.form.complete:
            return "Choose a verdict first: 1 to 7, 0 or N"
        if state.returned:
            state.returned = False
            return "The change is stored. This pair is back with what you filled in; Enter submits it"
        return ""

    def _store(self, presentation: PresentationView) -> None:
        state, service, session = self._state, self._context.services.annotation, self._context.session
        draft, form, earlier_id, reviewer_id = state.draft(), state.form, state.earlier_id, session.reviewer_id
        self._editor.close_pair()
        state.saving += 1
        state.answered.add(presentation.pair_id)
        self._signals.save_state_changed.emit("Saving…", "")

        def work() -> Outcome[Judgement]:
            if earlier_id is not None:
                return service.amend(earlier_id, draft)
            return service.commit(presentation.presentation_uid, draft)

        def failed(error: Exception) -> None:
            if reviewer_id == session.reviewer_id:
                self._put_back(error, presentation, form, earlier_id)
            else:
                self._keep_for_former_reviewer(error, presentation, form)

        def stored(outcome: Outcome[Judgement]) -> None:
            if reviewer_id == session.reviewer_id:
                judged = replace(presentation, draft=None, answer=draft)
                state.remember(outcome.value.id, judged, earlier_id)
            self._stored()
            if presentation.task is Task.ADJUDICATE and reviewer_id == session.reviewer_id:
                self._signals.picked.emit(presentation.pair_id, presentation.rubric_version_id)
            if presentation.task is Task.GOLD and state.choice.explains and reviewer_id == session.reviewer_id:
                self._signals.gold_answered.emit(presentation.pair_id, presentation.rubric_version_id)
            if presentation.changed is not None and reviewer_id == session.reviewer_id:
                self._tell_earlier(outcome.value, presentation)

        self._context.ops.mutate(work, stored, failed, owner=self, initiator=self._signals)

    def _stored(self) -> None:
        state = self._state
        state.saving -= 1
        if not state.saving:
            self._signals.save_state_changed.emit(f"Saved {time.strftime('%H:%M:%S')}", "Saved")
        self._signals.steps_changed.emit()
        if state.presentation is None:
            self._presentations.fetch(then_show=True)

    def _tell_earlier(self, judgement: Judgement, presentation: PresentationView) -> None:
        """Say what the reviewer's label was before the rubric changed, now that the new one is stored."""
        service, now = self._context.services.annotation, screen_words(judgement.draft, presentation.left_is)

        def tell(stored: PresentationView) -> None:
            if stored.changed is not None and stored.changed.earlier is not None:
                before = screen_words(stored.changed.earlier.draft, presentation.left_is)
                words = f"Pair {presentation.pair_id}: {now} now, {before} under {stored.changed.old_number}"
                self._signals.message.emit(words)

        self._context.tasks.query(lambda: service.presentation_of(judgement.id), tell, owner=self, key="earlier")

    def _put_back(
        self, error: Exception, presentation: PresentationView, form: JudgementForm, earlier_id: int | None
    ) -> None:
        """Show the pair with its form again, and keep the form as a draft in case the window is closed next."""
        self._state.saving -= 1
        self._state.end_step()
        self._state.answered.discard(presentation.pair_id)
        self._editor.drafts.save_now()
        self._presentations.put_back(presentation, form, earlier_id)
        self._editor.drafts.save_soon()
        self._signals.save_state_changed.emit("Not saved; your answer is still here", "")
        self._context.tasks.unhandled.emit(error)

    def _keep_for_former_reviewer(self, error: Exception, presentation: PresentationView, form: JudgementForm) -> None:
        """Keep a form as a draft when another reviewer labels by now."""
        self._state.saving -= 1
        self._editor.drafts.save(presentation.presentation_uid, form)
        self._signals.save_state_changed.emit("Not saved; kept as a draft of the former reviewer", "")
        self._context.tasks.unhandled.emit(error)

    def _skipped(self, _outcome: Outcome[None]) -> None:
        self._signals.message.emit("Put aside; it comes again at the end")
        self._signals.steps_changed.emit()

    def _step(self, direction: Direction) -> None:
        state, session = self._state, self._context.session
        service, reviewer_id = self._context.services.annotation, session.reviewer_id
        if reviewer_id is None or state.paused:
            return
        self._editor.cancel_submit()
        self._editor.drafts.save_now()
        change = service.undo if direction == "undo" else service.redo
        number = state.begin_step()

        def done(outcome: Outcome[UndoStep | None]) -> None:
            if reviewer_id == session.reviewer_id:
                self._stepped(direction, outcome.value, awaited=state.awaits(number))

        def failed(error: Exception) -> None:
            if state.awaits(number):
                state.end_step()
            self._context.tasks.unhandled.emit(error)

        self._context.ops.mutate(lambda: change(reviewer_id), done, failed, owner=self, initiator=self._signals)

    def _stepped(self, direction: Direction, step: UndoStep | None, *, awaited: bool) -> None:
        """Show what a step changed; a step that another one followed at once does not come to the screen."""
        state = self._state
        if awaited:
            state.end_step()
        if step is None:
            self._context.notices.post(f"There is no step to {direction}.")
            return
        state.forget_decisions()
        if step.presentation is not None:
            self._show_undone(step.presentation, awaited)
        elif state.earlier_id is not None and step.judgement_id is not None and state.shows_pair(step.pair_id):
            self._signals.decision_replaced.emit(step.judgement_id)
        elif direction == "redo":
            state.drop(step.pair_id)
            if state.presentation is None:
                self._presentations.show_next()
        verb = "Undone" if direction == "undo" else "Redone"
        self._signals.message.emit(f"{verb}: {step.label}{state.rubric_note}")
        self._signals.steps_changed.emit()

    def _show_undone(self, presentation: PresentationView, awaited: bool) -> None:
        if awaited or self._state.presentation is None:
            self._editor.drafts.save_now()
            self._presentations.show(presentation)
        else:
            self._state.waiting.appendleft(presentation)
