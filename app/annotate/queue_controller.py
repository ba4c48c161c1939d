"""Opens queues: when one is opened again, and what stays on the screen meanwhile.

Two ways to open. A *refresh* follows a change of pairs, rubrics or reviewers: the pair on the screen stays, and only
the pairs that wait are replaced. A *switch* is asked for (another reviewer, other pairs): the screen is cleared at
once, and the queue is opened after the draft of the pair that was on it is stored, so that the draft comes back.
"""

from __future__ import annotations

from functools import partial

from app.annotate.history_navigation import HistoryNavigation
from app.annotate.judgement_editor import JudgementEditor
from app.annotate.labeling_part import LabelingContext, LabelingPart
from app.annotate.presentation_controller import PresentationController
from app.annotate.questions import LabelingQuestions
from app.annotate.queue_choice import OpenedQueue, QueueChoice, Queues, open_queue, read_queues
from core.services.annotation.views import QueueInfo


class QueueController(LabelingPart):
    """Opens the queue of ``state.choice`` while the screen is shown; a hidden screen opens it when it is shown."""

    def __init__(
        self,
        context: LabelingContext,
        editor: JudgementEditor,
        presentations: PresentationController,
        history: HistoryNavigation,
        questions: LabelingQuestions,
    ) -> None:
        super().__init__(context)
        self._editor, self._presentations, self._history = editor, presentations, history
        self._questions = questions
        self._version_id: int | None = None
        self._shown, self._requested, self._opening = False, True, False

    def set_shown(self, shown: bool) -> None:
        """Take whether the screen is shown; open what was requested meanwhile."""
        self._shown = shown
        if shown:
            self._start()

    def switch(self, choice: QueueChoice | None = None) -> None:
        """Open the queue of another choice, or of the same one; what is filled in is kept as a draft first."""
        state = self._state
        state.choice = state.choice if choice is None else choice
        self._editor.pause(False)
        self._editor.drafts.save_now()
        self._editor.close_pair()
        state.clear()
        state.waiting.clear()
        state.forget_decisions()
        self._close()
        self._request()

    def refresh(self) -> None:
        """Open the same queue again; the pair on the screen stays."""
        self._editor.drafts.save_now()
        self._request()

    def reviewer_changed(self) -> None:
        """Open the queue of another reviewer; for the same one this is a refresh."""
        queue = self._state.queue
        if queue is not None and queue.settings.reviewer_id == self._context.session.reviewer_id:
            self.refresh()
        else:
            self.switch()

    def ask(self) -> None:
        """Ask what to label, and open that queue."""
        self._editor.cancel_submit()
        services, reviewer_id = self._context.services, self._context.session.reviewer_id
        self._context.tasks.query(lambda: read_queues(services, reviewer_id), self._choose, owner=self, key="choice")

    def _choose(self, found: Queues) -> None:
        if not found.versions and not found.audits:
            self._context.notices.post("There is no published rubric version yet.", hint="Publish one under Rubrics.")
            return
        choice = self._questions.queue(found, self._state.choice)
        if choice is not None and choice.kind == "audit":
            self._context.navigate("annotate", audit=choice.evaluation)
        elif choice is not None:
            self.switch(choice)

    def _request(self) -> None:
        self._requested = True
        if self._shown:
            self._start()

    def _start(self) -> None:
        """Open what was requested, after the changes that are being stored: the queue must count them."""
        if not self._requested or self._opening:
            return
        self._requested, self._opening = False, True
        self._state.answered.clear()
        self._context.tasks.write(_after_other_writes, lambda _: self._open(), owner=self)

    def _open(self) -> None:
        services, choice = self._context.services, self._state.choice
        reviewer_id = self._context.session.reviewer_id
        self._context.tasks.query(
            partial(open_queue, services, choice, reviewer_id),
            lambda opened: self._opened(opened, reviewer_id),
            self._failed,
            owner=self,
            key="queue",
        )

    def _failed(self, error: Exception) -> None:
        self._opening = False
        self._context.tasks.unhandled.emit(error)
        if self._requested:
            self._request()
        elif self._state.queue is None:
            self._presentations.show_nothing("failed")

    def _opened(self, opened: OpenedQueue, reviewer_id: int | None) -> None:
        self._opening = False
        if self._requested or reviewer_id != self._context.session.reviewer_id:  # something else is asked for by now
            self._forget(opened.queue)
            self._request()
            return
        state, stays = self._state, self._pair_stays(opened)
        self._close()
        self._version_id = opened.version.id if opened.version is not None else None
        if not stays:
            self._editor.drafts.save_now()
            if state.presentation is not None:
                state.presses.note_surprise()
            state.clear()
        state.queue, state.rubrics = opened.queue, opened.rubrics
        if state.presentation is None and opened.version is not None:
            state.rubric = opened.version
        self._signals.queue_opened.emit()
        state.replace_waiting(opened.first)
        if stays:
            self._presentations.fetch()
        else:
            self._begin(opened)
        self._signals.steps_changed.emit()

    def _begin(self, opened: OpenedQueue) -> None:
        """Show the first pair of a queue, or what is missing."""
        if opened.missing:
            self._presentations.show_nothing(opened.missing)
        elif opened.own_label is not None:
            self._history.show(opened.own_label)
        else:
            self._presentations.show_next()

    def _pair_stays(self, opened: OpenedQueue) -> bool:
        """Whether the pair on the screen stays: the same reviewer judges it under the same rubric version."""
        version_id = opened.version.id if opened.version is not None and opened.queue is not None else None
        return self._state.presentation is not None and version_id is not None and version_id == self._version_id

    def _close(self) -> None:
        self._forget(self._state.queue)
        self._state.queue = None

    def _forget(self, queue: QueueInfo | None) -> None:
        """Close a queue after the changes that are being stored; the pair on the screen can still be committed."""
        if queue is None:
            return
        service, shown = self._context.services.annotation, self._state.presentation
        keep = () if shown is None else (shown.presentation_uid,)
        self._context.tasks.write(lambda: service.close_queue(queue, keep), owner=self)


def _after_other_writes() -> None:
    """Do nothing: writes run in order, so that this one ends after those before it."""
