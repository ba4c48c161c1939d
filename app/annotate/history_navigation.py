"""Goes back through the reviewer's earlier judgements, and forward again to the pair that waits."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.annotate.draft_saver import DraftSaver
from app.annotate.judgement_editor import JudgementEditor
from app.annotate.labeling_signals import LabelingSignals
from app.annotate.labeling_state import LabelingState
from app.annotate.presentation_controller import PresentationController
from app.context import AppContext
from core.services.annotation.views import PresentationView


class HistoryNavigation(QObject):
    """Shows earlier judgements; Enter amends one that was changed."""

    def __init__(
        self,
        context: AppContext,
        state: LabelingState,
        signals: LabelingSignals,
        drafts: DraftSaver,
        editor: JudgementEditor,
        presentations: PresentationController,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._context, self._state, self._signals = context, state, signals
        self._drafts, self._editor, self._presentations = drafts, editor, presentations

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
        self._drafts.save_now()
        self._state.presses.forget()
        service = self._context.services.annotation

        def arrived(presentation: PresentationView) -> None:
            self._drafts.save_now()
            self._presentations.show(presentation, judgement_id)
            self._signals.message.emit(f"Earlier decision{self._state.rubric_note}; Enter amends, ] returns")

        self._context.tasks.query(lambda: service.look_again(judgement_id), arrived, owner=self, key="look")
