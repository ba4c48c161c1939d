"""Reads where the reviewer is: progress, last judgements, what undo and redo would do, bookmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from app.annotate.labeling_part import LabelingPart
from app.annotate.presentation_controller import report_while_open
from core.domain.judgement import Judgement
from core.services.annotation.views import QueueProgress

RECENT = 10


@dataclass(frozen=True, slots=True)
class ReviewerStatus:
    """Where the reviewer is.

    Attributes:
        recent: the last judgements that count, newest first.
        undo_label: the step that undo would take back, or empty; ``redo_label`` likewise.
        bookmarked: ids of the bookmarked pairs.
    """

    progress: QueueProgress
    recent: Sequence[Judgement]
    undo_label: str
    redo_label: str
    bookmarked: frozenset[int]


class StatusReader(LabelingPart):
    """Reads the status in the background after each step, and sets bookmarks."""

    def read(self) -> None:
        """Read the status again."""
        queue, reviewer_id = self._state.queue, self._context.session.reviewer_id
        if queue is None or reviewer_id is None:
            self._signals.status_read.emit(None)
            return
        service = self._context.services.annotation

        def work() -> ReviewerStatus:
            return ReviewerStatus(
                service.progress(queue),
                service.recent(reviewer_id, RECENT),
                service.undo_label(reviewer_id),
                service.redo_label(reviewer_id),
                frozenset(pair_id for pair_id, _ in service.bookmarks(reviewer_id)),
            )

        self._context.tasks.query(
            work, self._take, report_while_open(self._context, self._state, queue), owner=self, key="status"
        )

    def bookmark(self, on: bool) -> None:
        """Bookmark the pair on the screen, or remove its bookmark."""
        presentation, reviewer_id = self._state.presentation, self._context.session.reviewer_id
        if presentation is None or reviewer_id is None:
            return
        service, pair_id = self._context.services.annotation, presentation.pair_id
        (self._state.bookmarked.add if on else self._state.bookmarked.discard)(pair_id)
        self._signals.bookmarks_changed.emit()
        work = partial(service.bookmark, reviewer_id, pair_id, on)
        self._context.ops.mutate(work, lambda _: self.read(), owner=self, initiator=self._signals)

    def _take(self, status: ReviewerStatus) -> None:
        self._state.recent_ids = tuple(judgement.id for judgement in status.recent)
        self._state.bookmarked = set(status.bookmarked)
        self._signals.status_read.emit(status)
        self._signals.bookmarks_changed.emit()
