"""Opening queues: when one is opened anew, what stays on the desk meanwhile, and which answer of the service is taken.

Two kinds of opening. A *refresh* follows a change of pairs, rubrics or reviewers: the reviewer goes on with the pair on
the desk, and only what waits behind it is replaced. A *switch* is asked for (another reviewer, other pairs): the desk
is cleared at once, and the queue is opened when the draft that lay on it is stored, so that it comes back.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage
    from app.annotate.queue import Opened


class Opening:
    """Opens the queue of a page; ``queue`` is the open one, or None."""

    def __init__(self, page: AnnotatePage) -> None:
        """Args: page: whose queue it is."""
        self._page, self._context = page, page.context
        self.queue: Any | None = None
        self._version_id: int | None = None
        self._wanted, self._under_way = True, False

    def switch(self) -> None:
        """Open another queue; what is filled in is kept as a draft first."""
        page = self._page
        page.answering.save_now()
        page.answering.stop()
        page.desk.show(None)
        page.desk.ahead.clear()
        self._close()
        self._want()

    def refresh(self) -> None:
        """Open the same queue anew under the pair on the desk."""
        self._page.answering.save_now()
        self._want()

    def reviewer_changed(self) -> None:
        """Open the queue of another reviewer; the same one again is only a refresh."""
        if self.queue is not None and self.queue.settings.reviewer_id == self._context.session.reviewer_id:
            self.refresh()
        else:
            self.switch()

    def start(self) -> None:
        """Open what is wanted, once all that was handed over for saving is stored: only then it is counted."""
        if not self._wanted or self._under_way:
            return
        self._wanted, self._under_way = False, True
        self._page.commits.sent.clear()
        self._context.tasks.write(_nothing, lambda _: self._read(), owner=self._page)

    def failed_on(self, queue: Any) -> Any:
        """Return what to do with an error of a read of ``queue``: nothing when the queue was closed meanwhile."""

        def failed(error: Exception) -> None:
            if self.queue is queue:
                self._context.tasks.unhandled.emit(error)

        return failed

    def _want(self) -> None:
        self._wanted = True
        if self._page.isVisible():
            self.start()

    def _read(self) -> None:
        reviewer = self._context.session.reviewer_id
        self._context.tasks.query(
            partial(self._page.choice.open, reviewer),
            lambda found: self._opened(found, reviewer),
            self._failed,
            owner=self._page,
            key="queue",
        )

    def _failed(self, error: Exception) -> None:
        self._under_way = False
        self._context.tasks.unhandled.emit(error)
        if self._wanted:
            self._want()
        elif self.queue is None:
            self._page.show_missing("failed")

    def _opened(self, found: Opened, reviewer: int | None) -> None:
        self._under_way = False
        if self._wanted or reviewer != self._context.session.reviewer_id:  # something else is asked for by now
            self._forget(found.queue)
            self._want()
            return
        page, kept = self._page, self._keeps(found)
        self._close()
        self.queue = found.queue
        self._version_id = found.version.id if found.version is not None else None
        if not kept:
            page.answering.save_now()
            page.desk.show(None)
        page.take_opened(found)
        if kept:
            page.desk.renew(found.first, page.commits.sent)
            page.fetch()
        else:
            self._begin(found)
        page.standing.read()

    def _begin(self, found: Opened) -> None:
        """Show the first pair of a queue, or what is missing."""
        page = self._page
        page.desk.renew(found.first, page.commits.sent)
        if found.missing:
            page.show_missing(found.missing)
        elif found.look_again is not None:
            page.looking.show(found.look_again)
        else:
            page.next_pair()

    def _keeps(self, found: Opened) -> bool:
        """Whether the pair on the desk stays: it is judged by the same person under the same rubric version."""
        here = found.version.id if found.version is not None and found.queue is not None else None
        return self._page.desk.current is not None and here is not None and here == self._version_id

    def _close(self) -> None:
        self._forget(self.queue)
        self.queue = None

    def _forget(self, queue: Any | None) -> None:
        """Close a queue after what is being saved; the showing on the desk stays known."""
        if queue is not None:
            service, shown = self._context.services.annotation, self._page.desk.current
            keep = () if shown is None else (shown.presentation_uid,)
            self._context.tasks.write(lambda: service.close_queue(queue, keep), owner=self._page)


def _nothing() -> None:
    """Stand in the line of changes; it is over when those before it are."""
