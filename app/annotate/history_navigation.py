"""Goes back through the reviewer's earlier judgements, and forward again to the pair that waits."""

from __future__ import annotations

from app.annotate.judgement_editor import JudgementEditor
from app.annotate.labeling_part import LabelingContext, LabelingPart
from app.annotate.presentation_controller import PresentationController
from core.services.annotation.views import PresentationView


class HistoryNavigation(LabelingPart):
    """Shows earlier judgements; Enter amends one that was changed.

    While a judgement is being read, or the last one is being stored, no key answers: it was meant for the pair that
    is about to be shown.
    """

    def __init__(
        self, context: LabelingContext, editor: JudgementEditor, presentations: PresentationController
    ) -> None:
        super().__init__(context)
        self._editor, self._presentations = editor, presentations
        self._wanted: int | None = None
        self._steps = 0
        self._signals.decision_replaced.connect(self.show)
        self._signals.steps_changed.connect(self._catch_up)

    def step(self, by: int) -> None:
        """Show an earlier (1) or a later (-1) judgement; after the newest one comes the pair that waits."""
        state = self._state
        if state.paused:
            return
        if state.saving:  # the judgement that is being stored is the newest one
            self._steps += by
            state.begin_step()
            return
        recent = state.recent_ids
        at = self._wanted if state.stepping and self._wanted is not None else state.earlier_id
        place = (recent.index(at) if at in recent else -1) + by
        if place < 0 and at is not None:
            self._return()
        elif 0 <= place < len(recent):
            self.show(recent[place])

    def show(self, judgement_id: int) -> None:
        """Show an earlier judgement under the rubric version it was made under."""
        state, session = self._state, self._context.session
        self._editor.cancel_submit()
        self._editor.drafts.save_now()
        state.presses.forget()
        if (known := state.decisions.get(judgement_id)) is not None:
            self._show(known, judgement_id)
            return
        step, reviewer_id, self._wanted = state.begin_step(), session.reviewer_id, judgement_id
        service = self._context.services.annotation

        def arrived(presentation: PresentationView) -> None:
            if state.awaits(step) and reviewer_id == session.reviewer_id:
                self._editor.drafts.save_now()
                self._show(presentation, judgement_id)

        def failed(error: Exception) -> None:
            if state.awaits(step):
                state.end_step()
            self._context.tasks.unhandled.emit(error)

        self._context.tasks.query(
            lambda: service.presentation_of(judgement_id), arrived, failed, owner=self, key="look"
        )

    def _show(self, presentation: PresentationView, judgement_id: int) -> None:
        dropped = self._state.dropped_note
        self._presentations.show(presentation, judgement_id)
        self._signals.message.emit(f"{dropped}Earlier decision{self._state.rubric_note}; A amends it, ] returns")

    def _return(self) -> None:
        """Show the pair that waits, or stay at it when the earlier judgement has not been shown yet."""
        state, dropped = self._state, self._state.dropped_note
        state.presses.forget()
        if state.earlier_id is None:
            state.end_step()
            return
        self._presentations.show_next()
        if dropped:
            self._signals.message.emit(dropped.strip())

    def _catch_up(self) -> None:
        """Take the steps that were asked for while a judgement was being stored."""
        if self._state.saving:
            return
        steps, self._steps = self._steps, 0
        if steps and self._state.stepping:
            self._state.end_step()
            self.step(steps)
