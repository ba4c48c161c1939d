"""Goes back through the reviewer's earlier judgements, and forward again to the pair that waits."""

from __future__ import annotations

from app.annotate.judgement_editor import JudgementEditor
from app.annotate.labeling_part import LabelingContext, LabelingPart
from app.annotate.presentation_controller import PresentationController
from core.services.annotation.views import PresentationView


class HistoryNavigation(LabelingPart):
    """Shows earlier judgements; Enter amends one that was changed."""

    def __init__(
        self, context: LabelingContext, editor: JudgementEditor, presentations: PresentationController
    ) -> None:
        super().__init__(context)
        self._editor, self._presentations = editor, presentations

    def step(self, by: int) -> None:
        """Show an earlier (1) or a later (-1) judgement; after the newest one comes the pair that waits."""
        state, recent = self._state, self._state.recent_ids
        place = (recent.index(state.earlier_id) if state.earlier_id in recent else -1) + by
        if place < 0 and state.earlier_id is not None:
            state.presses.forget()
            self._presentations.show_next()
        elif 0 <= place < len(recent):
            self.show(recent[place])

    def show(self, judgement_id: int) -> None:
        """Show an earlier judgement under the rubric version it was made under."""
        self._editor.cancel_submit()
        self._editor.drafts.save_now()
        self._state.presses.forget()
        service = self._context.services.annotation

        def arrived(presentation: PresentationView) -> None:
            self._editor.drafts.save_now()
            self._presentations.show(presentation, judgement_id)
            self._signals.message.emit(f"Earlier decision{self._state.rubric_note}; Enter amends, ] returns")

        self._context.tasks.query(lambda: service.presentation_of(judgement_id), arrived, owner=self, key="look")
