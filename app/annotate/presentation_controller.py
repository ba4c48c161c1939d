"""Shows pairs: the next one that waits, or a given one. Fetches further pairs ahead of need."""

from __future__ import annotations

from collections.abc import Callable

from app.annotate.judgement_editor import JudgementEditor
from app.annotate.judgement_form import JudgementForm
from app.annotate.labeling_part import LabelingContext, LabelingPart
from app.annotate.labeling_state import LabelingState
from app.annotate.queue_choice import PREFETCH, Missing, missing_pairs
from app.context import AppContext
from core.services.annotation.views import PresentationView, QueueInfo


class PresentationController(LabelingPart):
    """Puts pairs on the screen, and takes them off it."""

    def __init__(self, context: LabelingContext, editor: JudgementEditor) -> None:
        super().__init__(context)
        self._editor = editor

    def show_next(self) -> None:
        """Show the next pair that waits, or fetch one."""
        if not self._state.advance():
            self.fetch(then_show=True)
            return
        self._present()
        self.fetch()

    def show(self, presentation: PresentationView, earlier_id: int | None = None) -> None:
        """Show a pair in front of the one on the screen, which waits with its form; see ``LabelingState.show``."""
        self._state.set_aside()
        self._state.show(presentation, earlier_id)
        self._present()

    def put_back(self, presentation: PresentationView, form: JudgementForm, earlier_id: int | None) -> None:
        """Show a pair again whose commit failed."""
        self._state.put_back(presentation, form, earlier_id)
        self._present()

    def show_nothing(self, missing: Missing) -> None:
        """Show in place of a pair what is missing."""
        if self._state.paused:
            self._editor.pause(False)
        self._state.clear()
        self._signals.nothing_to_label.emit(missing)

    def fetch(self, *, then_show: bool = False) -> None:
        """Fetch pairs when few wait; ``then_show`` when none is on the screen."""
        state, service, queue = self._state, self._context.services.annotation, self._state.queue
        if queue is None or (len(state.waiting) >= PREFETCH - 1 and not then_show):
            return

        def read() -> tuple[list[PresentationView], Missing]:
            found = service.next(queue, PREFETCH)
            if found:
                return found, ""
            progress = service.progress(queue)
            return found, missing_pairs(state.choice.kind, progress.skipped, progress.sealed, progress.withdrawn)

        def arrived(found: tuple[list[PresentationView], Missing]) -> None:
            if state.queue is queue:
                self._take_fetched(*found)

        self._context.tasks.query(read, arrived, report_while_open(self._context, state, queue), owner=self)

    def _take_fetched(self, presentations: list[PresentationView], missing: Missing) -> None:
        state = self._state
        state.add_waiting(presentations)
        if state.presentation is not None:
            return
        if state.waiting:
            self.show_next()
        elif not state.saving:
            self.show_nothing(missing)

    def _present(self) -> None:
        """Announce the pair on the screen, and note in the background that it was shown."""
        state, service = self._state, self._context.services.annotation
        presentation = state.presentation
        if presentation is None:
            return
        self._editor.close_pair()
        state.rubric = state.rubrics.get(presentation.rubric_version_id, state.rubric)
        state.focus(-1)
        self._signals.presentation_changed.emit()
        self._context.tasks.write(lambda: service.mark_presented(presentation.presentation_uid), owner=self)


def report_while_open(context: AppContext, state: LabelingState, queue: QueueInfo) -> Callable[[Exception], None]:
    """Return a handler that shows errors of a read of ``queue``, and ignores them once that queue is closed."""

    def failed(error: Exception) -> None:
        if state.queue is queue:
            context.tasks.unhandled.emit(error)

    return failed
