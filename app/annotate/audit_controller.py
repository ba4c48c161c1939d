"""The audit of an evaluation while one reviewer labels: the answer shown, what is chosen, what is stored. No widgets.

A label is stored when it is submitted, in a transaction of its own, and the next answer is shown at once. What the
detector said of an answer, and which policy gave it, is not known here before the label is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from core.domain.audit import AuditWord
from core.domain.changes import Outcome

if TYPE_CHECKING:  # these load the database library, which the window does not wait for
    from core.services.refusals.audits import AuditsService
    from core.services.refusals.views import AuditQueue, FlaggedAnswer, PastLabel, QueuedAnswer

AHEAD = 6
"""Answers that are read at once, so that the next ones wait in memory."""


class AuditController(QObject):
    """Labels the answers of one evaluation.

    Signals:
        answer_changed(): another answer is shown, or none.
        choice_changed(): another label is chosen.
        flag_changed(): the answer that is shown is flagged now, or no longer.
        queue_read(): progress, past labels and the detector so far were read.
        saved(str): a label was stored or taken back; what happened in words.
        message(str): something to tell.
    """

    answer_changed = Signal()
    choice_changed = Signal()
    flag_changed = Signal()
    queue_read = Signal()
    saved = Signal(str)
    message = Signal(str)

    def __init__(self, context: AppContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.evaluation_id = ""
        self.queue: AuditQueue | None = None
        self.shown: QueuedAnswer | None = None
        self.choice: AuditWord | None = None
        self.problem = ""
        self._flags: dict[str, tuple[str, ...]] = {}
        self._sent: set[str] = set()
        self._skipped: list[str] = []
        self._back = ""
        self._storing = self._asked = 0

    @property
    def _service(self) -> AuditsService:
        return self._context.services.audits

    @property
    def _reviewer(self) -> int | None:
        return self._context.session.reviewer_id

    @property
    def waits_for_disk(self) -> bool:
        """Whether a label is being stored."""
        return self._storing > 0

    def open(self, evaluation_id: str) -> None:
        """Label the answers of another evaluation, or go on with the same."""
        if evaluation_id != self.evaluation_id:
            self.evaluation_id, self.queue = evaluation_id, None
            self._forget()
        self.refresh()

    def reviewer_changed(self) -> None:
        """Show what waits for another reviewer."""
        self._forget()
        self.refresh()

    def refresh(self) -> None:
        """Read the queue again; the answer on the screen stays."""
        if not self.evaluation_id:
            return
        service, id_, reviewer = self._service, self.evaluation_id, self._reviewer
        ahead = AHEAD + len(self._skipped) + self._storing
        self._context.tasks.query(
            lambda: service.queue(id_, reviewer, ahead=ahead),
            lambda queue: self._take(queue, id_, reviewer, ahead),
            self._not_read,
            owner=self,
            key="audit queue",
        )

    def draw(self) -> None:
        """Draw the sample, or some further answers."""
        service, id_ = self._service, self.evaluation_id
        drawn = self.queue is not None and self.queue.drawn
        self._context.ops.mutate(
            lambda: service.more(id_) if drawn else service.draw(id_), lambda _: self.refresh(), owner=self
        )

    def choose(self, word: AuditWord) -> None:
        """Choose a label for the answer that is shown; the same one again takes the choice back."""
        if self.shown is not None:
            self.choice = None if self.choice == word else word
            self.choice_changed.emit()

    def submit(self) -> None:
        """Store the choice and show the next answer."""
        shown, word, reviewer = self.shown, self.choice, self._reviewer
        if shown is None or reviewer is None:
            return
        if word is None:
            self.message.emit("Choose 1, 2 or 3 first.")
            return
        service, id_, key = self._service, self.evaluation_id, shown.key
        self._sent.add(key)
        self._storing += 1
        self._skipped = [one for one in self._skipped if one != key]
        self._show(None)
        self._show_next()
        self._context.ops.mutate(
            lambda: service.label(id_, {key: word}, reviewer),
            self._stored,
            lambda error: self._not_stored(error, shown, word),
            owner=self,
            initiator=self.parent(),
        )

    @property
    def is_flagged(self) -> bool:
        """Whether the reviewer flags the answer that is shown."""
        return self.shown is not None and self._context.session.reviewer_name in self._flags.get(self.shown.key, ())

    def flag(self, on: bool) -> None:
        """Flag the answer that is shown, or take the flag back; it is stored at once."""
        shown, reviewer = self.shown, self._reviewer
        if shown is None or reviewer is None:
            self.flag_changed.emit()
            return
        service, id_, key = self._service, self.evaluation_id, shown.key
        self._context.ops.mutate(
            lambda: service.flag(id_, key, reviewer, on=on),
            self._flagged,
            self._not_flagged,
            owner=self,
            initiator=self.parent(),
        )

    def _flagged(self, outcome: Outcome[FlaggedAnswer]) -> None:
        one = outcome.value
        self._flags[one.key] = one.by
        self.flag_changed.emit()
        self.saved.emit(f"Answer {one.number} is flagged" if one.by else f"The flag of answer {one.number} is gone")
        self.refresh()

    def _not_flagged(self, error: Exception) -> None:
        self.flag_changed.emit()
        self._context.tasks.unhandled.emit(error)

    def skip(self) -> None:
        """Show another answer; this one comes again at the end."""
        if self.shown is not None:
            self._skipped = [*(key for key in self._skipped if key != self.shown.key), self.shown.key]
            self._show(None)
            self._show_next()
            self.refresh()

    def undo(self) -> None:
        """Take back the last label and show its answer again."""
        service, id_, reviewer = self._service, self.evaluation_id, self._reviewer
        if reviewer is None or self.queue is None:
            return
        if not self.queue.past and not self._sent:
            self.message.emit("You have labelled nothing yet; there is nothing to undo.")
            return
        self._context.ops.mutate(
            lambda: service.undo(id_, reviewer), self._taken_back, owner=self, initiator=self.parent()
        )

    def _taken_back(self, outcome: Outcome[PastLabel]) -> None:
        key = outcome.value.key
        self._sent.discard(key)
        self._back = key
        self.saved.emit(f"Label of answer {outcome.value.number} taken back")
        self.refresh()

    def _stored(self, outcome: Outcome[tuple[PastLabel, ...]]) -> None:
        self._storing -= 1
        self.saved.emit(f"Saved answer {outcome.value[-1].number}")
        self.refresh()

    def _not_stored(self, error: Exception, shown: QueuedAnswer, word: AuditWord) -> None:
        """Show the answer again with its label, and the error."""
        self._storing -= 1
        self._sent.discard(shown.key)
        self._show(shown, word)
        self._context.tasks.unhandled.emit(error)

    def _not_read(self, error: Exception) -> None:
        self.problem = str(error)
        self.queue = None
        self._show(None)
        self.queue_read.emit()

    def _take(self, queue: AuditQueue, id_: str, reviewer: int | None, asked: int) -> None:
        if (id_, reviewer) != (self.evaluation_id, self._reviewer):
            return
        self.problem, self.queue, self._asked = "", queue, asked
        self._flags = {one.key: one.by for one in queue.flagged}
        self.flag_changed.emit()
        back = next((one for one in queue.waiting if one.key == self._back), None)
        if back is not None:
            self._back = ""
            self._show(back)
        elif self.shown is None:
            self._show_next()
        self.queue_read.emit()

    def _show_next(self) -> None:
        """Show the first answer that waits; those that were skipped come at the end."""
        if self.queue is None:
            return
        waiting = [one for one in self.queue.waiting if one.key not in self._sent]
        fresh = [one for one in waiting if one.key not in self._skipped]
        if not fresh and len(self.queue.waiting) < self._asked:  # all that waits was read
            fresh = sorted(waiting, key=lambda one: self._skipped.index(one.key))
        if fresh:
            self._show(fresh[0])

    def _show(self, answer: QueuedAnswer | None, word: AuditWord | None = None) -> None:
        self.shown, self.choice = answer, word
        self.answer_changed.emit()
        self.choice_changed.emit()
        self.flag_changed.emit()

    def _forget(self) -> None:
        self._sent.clear()
        self._skipped.clear()
        self._back = ""
        self._show(None)

    def handlers(self) -> dict[str, Callable[..., object]]:
        """Return what the actions of an audit do to it."""
        return {
            "audit.complied": lambda: self.choose("complied"),
            "audit.partly": lambda: self.choose("partly"),
            "audit.refused": lambda: self.choose("refused"),
            "audit.cannot": lambda: self.choose("cannot_judge"),
            "audit.submit": self.submit,
            "audit.undo": self.undo,
            "audit.skip": self.skip,
            "audit.flag": self.flag,
        }
