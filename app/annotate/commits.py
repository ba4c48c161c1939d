"""Committing, putting aside, undo and redo of the Annotate page.

A commit is handed to the store's thread and the next pair is shown in the same moment. "Saved" is said only after
the transaction was committed; a pair whose commit fails comes back as it was.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QApplication, QPlainTextEdit

from app.annotate.answer import Answer
from app.widgets.messages import announce

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage


class Commits:
    """The acts of a page that change what is stored."""

    def __init__(self, page: AnnotatePage) -> None:
        """Args: page: whose desk is committed. ``sent``: pairs that left it since a queue was last asked for."""
        self._page = page
        self._context = page.context
        self.under_way = 0
        self.sent: set[int] = set()
        self.clock = time.monotonic
        self._last_key, self._left_at = "", float("-inf")

    def pressed_twice(self, key: str) -> bool:
        """Whether ``key`` just sent a pair away and nothing was done on this one: a double press, not an answer."""
        guard_s = self._context.settings.get("annotate.guard_ms") / 1000
        soon = self.clock() - self._left_at < guard_s
        return soon and key == self._last_key and not self._page.desk.touched

    def forget_press(self) -> None:
        """Note that another key was pressed in between: the next one is meant."""
        self._last_key = ""

    def submit(self, key: str = "submit") -> None:
        """Store the judgement durably and show the next pair at once; ``key`` is what was pressed for it."""
        page, desk = self._page, self._page.desk
        shown = desk.current
        if shown is None or desk.paused or self.pressed_twice(key):
            return
        if not desk.answer.complete:
            page.bar.say("Choose a verdict first: 1 to 7, 0 or N")
            return
        if desk.looking_back is not None and not desk.changed:
            page.next_pair()
            return
        self._left(key)
        self._store(shown)
        page.next_pair()

    def amend(self) -> None:
        """Replace the earlier decision that is shown."""
        if self._page.desk.looking_back is not None:
            self.submit()

    def _store(self, shown: Any) -> None:
        page, desk = self._page, self._page.desk
        draft, answer, amended = desk.draft(), desk.answer, desk.looking_back
        page.answering.stop()
        service, reviewer = self._context.services.annotation, self._context.session.reviewer_id
        self.under_way += 1
        self.sent.add(shown.pair_id)
        page.bar.set_saved("Saving…")

        def work() -> Any:
            return service.commit(shown.presentation_uid, draft) if amended is None else service.amend(amended, draft)

        def failed(error: Exception) -> None:
            if reviewer == self._context.session.reviewer_id:
                self._not_saved(error, shown, answer, amended)
            else:
                self._keep_for_another(error, shown, answer)

        self._context.ops.mutate(work, self._saved, failed, owner=page, initiator=page)

    def _left(self, key: str) -> None:
        """Remember which key sent the pair away."""
        self._last_key, self._left_at = key, self.clock()

    def _saved(self, _outcome: Any) -> None:
        page = self._page
        self.under_way -= 1
        if not self.under_way:
            page.bar.set_saved(f"Saved {time.strftime('%H:%M:%S')}")
            announce(page, "Saved")
        page.standing.read()
        if page.desk.current is None:
            page.fetch(then_show=True)

    def _not_saved(self, error: Exception, shown: Any, answer: Answer, amended: int | None) -> None:
        """Bring the pair back with its answer, kept as a draft: the window may be closed before the next try."""
        page = self._page
        self.under_way -= 1
        self.sent.discard(shown.pair_id)
        page.answering.save_now()
        page.desk.put_back(shown, answer, amended)
        page.show_pair(shown)
        page.answering.drafts.start()
        page.bar.set_saved("Not saved; your answer is still here")
        self._context.tasks.unhandled.emit(error)

    def _keep_for_another(self, error: Exception, shown: Any, answer: Answer) -> None:
        """Keep an answer as a draft whose reviewer has left the desk meanwhile."""
        self.under_way -= 1
        service, plain = self._context.services.annotation, answer.to_plain()
        self._context.tasks.write(lambda: service.save_draft(shown.presentation_uid, plain), owner=self._page)
        self._page.bar.set_saved("Not saved; kept as a draft of the former reviewer")
        self._context.tasks.unhandled.emit(error)

    def skip(self) -> None:
        """Put the pair aside; an earlier decision that is looked at is only left."""
        page = self._page
        shown = page.desk.current
        if shown is None or self.pressed_twice("skip"):
            return
        page.answering.stop()
        if page.desk.looking_back is None:
            self._left("skip")
            self.sent.add(shown.pair_id)
            service = self._context.services.annotation
            self._context.ops.mutate(
                lambda: service.skip(shown.presentation_uid), self._skipped, owner=page, initiator=page
            )
        page.next_pair()

    def _skipped(self, _outcome: Any) -> None:
        self._page.bar.say("Put aside; it comes again at the end")
        self._page.standing.read()

    def undo(self) -> None:
        """Take the last step back and show its pair again; a text field undoes its own text first."""
        self._travel("undo")

    def redo(self) -> None:
        """Do the step again that was undone last."""
        self._travel("redo")

    def _travel(self, verb: str) -> None:
        field = QApplication.focusWidget()
        if isinstance(field, QPlainTextEdit) and not field.isReadOnly():
            getattr(field, verb)()
            return
        page, reviewer = self._page, self._context.session.reviewer_id
        if reviewer is None:
            return
        page.answering.advance.stop()
        page.answering.save_now()
        call = getattr(self._context.services.annotation, verb)
        self._context.ops.mutate(
            lambda: call(reviewer), lambda outcome: self._travelled(verb, outcome), owner=page, initiator=page
        )

    def _travelled(self, verb: str, outcome: Any) -> None:
        page, step = self._page, outcome.value
        if step is None:
            words = "There is no step to take back." if verb == "undo" else "There is no step to redo."
            self._context.notices.post(words)
            return
        if step.presented is not None:
            page.answering.save_now()
            page.desk.set_aside()
            page.show_pair(page.desk.show(step.presented))
        elif verb == "redo":
            page.desk.drop(step.pair_id)
            if page.desk.current is None:
                page.next_pair()
        page.bar.say(f"{'Undone' if verb == 'undo' else 'Redone'}: {step.label}{page.looking.made_under()}")
        page.standing.read()
