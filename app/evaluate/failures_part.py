"""The tab *Failures*: reads the queue of the shown evaluation, notes who looks, and tags and sends failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from app.context import AppContext
from app.evaluate.failures_view import FailuresView
from core.domain.changes import Outcome

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.releases.failures import QueuedFailure

DESTINATIONS: tuple[tuple[str, str], ...] = (
    ("annotate", "To labelling: people judge it anew"),
    ("dataset", "To the next dataset version, by a changeset"),
    ("rubric", "To a rubric, as an example to decide on"),
)
"""Where a failure can be sent, and what that means."""


class FailuresPart(FailuresView):
    """The view together with what its keys do.

    Signals:
        queue_read(): the queue was read; the shown failure may be another one.
    """

    queue_read = Signal()

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._context = context
        self._id, self._is_read = "", False
        self.open_wanted.connect(self._note_look)

    def set_evaluation(self, evaluation_id: str) -> None:
        """Take another evaluation; its queue is read when it is shown."""
        self._id, self._is_read = evaluation_id, False
        self.show_queue(())

    def forget(self) -> None:
        """Read again when it is shown next: somebody may have looked or tagged."""
        self._is_read = False

    def read(self) -> None:
        """Read what is not read yet."""
        if not self._id or self._is_read:
            return
        self._is_read = True
        releases, id_ = self._context.services.releases, self._id

        def show(queue: Sequence[QueuedFailure]) -> None:
            if id_ == self._id:
                self.show_queue(queue)
                self.queue_read.emit()

        self._context.tasks.query(lambda: releases.failures.queue(releases.find(id_)), show, owner=self, key="failures")

    def _note_look(self, key: str) -> None:
        """Note that somebody looked; the answers are beside the list already."""
        releases, id_ = self._context.services.releases, self._id
        if (reviewer := self._reviewer()) is not None:
            self._context.ops.mutate(lambda: releases.failures.open(releases.find(id_), key, reviewer), owner=self)

    def tag_current(self, tag: str) -> None:
        """Tag the current failure, then show the next; one that nobody opened is opened by it."""
        one, releases, id_ = self.current, self._context.services.releases, self._id
        if one is None or (reviewer := self._reviewer()) is None:
            return
        key, is_opened = one.failure.key, bool(one.opened_by)

        def work() -> Any:
            folder = releases.find(id_)
            if not is_opened:
                releases.failures.open(folder, key, reviewer)
            return releases.failures.tag(folder, key, reviewer, tag)

        self._context.ops.mutate(work, lambda _: self.go_on(1), owner=self)

    def send_current(self) -> None:
        """Ask where the current failure shall go, and send it."""
        one, releases, id_ = self.current, self._context.services.releases, self._id
        if one is None or (reviewer := self._reviewer()) is None:
            return
        dialogs, key = self._context.dialogs, one.failure.key
        place = dialogs.choose("Send the failure on", "Where to?", [words for _, words in DESTINATIONS])
        if place is None:
            return
        to = DESTINATIONS[place][0]

        def send(rubric: str = "") -> None:
            self._context.ops.mutate(
                lambda: releases.failures.send(releases.find(id_), key, reviewer, to, rubric), self._sent, owner=self
            )

        if to == "rubric":
            rubrics = self._context.services.rubrics
            self._context.tasks.query(
                lambda: [one.name for one in rubrics.list() if not one.imported],
                lambda names: self._choose_rubric(names, send),
                owner=self,
                key="rubrics",
            )
        else:
            send()

    def _choose_rubric(self, names: Sequence[str], send: Callable[[str], None]) -> None:
        """Ask which rubric takes the failure as an example."""
        if not names:
            self._context.notices.post("There is no rubric yet.", "warn", hint="Write one in Rubrics first.")
            return
        place = 0
        if len(names) > 1:
            chosen = self._context.dialogs.choose("Send the failure on", "To which rubric?", names)
            if chosen is None:
                return
            place = chosen
        send(names[place])

    def _sent(self, outcome: Outcome[Any]) -> None:
        self._context.notices.post("The failure was sent on.", hint=" ".join(outcome.value.notes))

    def _reviewer(self) -> int | None:
        """Return who looks, None where nobody was chosen; the window then says how to."""
        reviewer = self._context.session.reviewer_id
        if reviewer is None:
            self._context.notices.post(
                "Nobody is chosen as reviewer.",
                "warn",
                hint="Choose who you are in the status bar; looks are kept by name.",
            )
        return reviewer
