"""Where the reviewer stands: progress and pace, the last decisions, bookmarks, what undo would take back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QProgressBar, QWidget

from app.widgets.labels import ElideLabel, text_label

if TYPE_CHECKING:
    from app.annotate.page import AnnotatePage

LEAST_PACE_S = 1.0
"""A pace below it says nothing of a person."""
RECENT = 10


class Standing:
    """Reads it after each step and shows it; ``widgets`` belong at the right of the header."""

    def __init__(self, page: AnnotatePage) -> None:
        """Args: page: whose reviewer it is."""
        self._page, self._context = page, page.context
        self._bookmarked: set[int] = set()
        self._count, self.bar = text_label("", "strong"), QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(110, 6)
        self.bar.setAccessibleName("Pairs labelled")
        self._pace = ElideLabel("", kind="caption")
        self.widgets: tuple[QWidget, ...] = (self._count, self.bar, self._pace)

    def read(self) -> None:
        """Read everything again in the background."""
        queue, reviewer = self._page.queue, self._context.session.reviewer_id
        if queue is None or reviewer is None:
            self._count.setText("")
            self._pace.setText("")
            return
        service = self._context.services.annotation

        def read() -> tuple[Any, ...]:
            steps = service.undo_label(reviewer), service.redo_label(reviewer)
            return service.progress(queue), service.recent(reviewer, RECENT), steps, service.bookmarks(reviewer)

        failed = self._page.opening.failed_on(queue)
        self._context.tasks.query(read, self._show, failed, owner=self._page, key="side")

    def bookmark(self, on: bool) -> None:
        """Mark the pair to come back to it, or take the mark away."""
        shown, reviewer = self._page.desk.current, self._context.session.reviewer_id
        if shown is None or reviewer is None:
            return
        service = self._context.services.annotation
        (self._bookmarked.add if on else self._bookmarked.discard)(shown.pair_id)
        self.show_bookmark()
        self._context.ops.mutate(
            lambda: service.bookmark(reviewer, shown.pair_id, on),
            lambda _: self.read(),
            owner=self._page,
            initiator=self._page,
        )

    def show_bookmark(self) -> None:
        """Say whether the pair on the desk is bookmarked."""
        shown = self._page.desk.current
        on = shown is not None and shown.pair_id in self._bookmarked
        self._page.prompt.set_bookmarked(on)
        self._context.actions.set_checked("annotate.bookmark", on)

    def _show(self, found: tuple[Any, ...]) -> None:
        progress, recent, steps, bookmarks = found
        self._count.setText(f"{progress.done:,} / {progress.total:,}".replace(",", "\u202f"))
        self.bar.setMaximum(max(1, progress.total))
        self.bar.setValue(progress.done)
        pace = progress.seconds_per_pair or 0.0
        left = f"~{pace:.0f} s/pair · {pace * progress.remaining / 60:.0f} min left"
        self._pace.setText(left if pace >= LEAST_PACE_S else f"{progress.today} today")
        self._page.panel.set_recent(recent)
        self._page.looking.mark()
        self._bookmarked = {pair_id for pair_id, _ in bookmarks}
        self.show_bookmark()
        for action_id, label in zip(("annotate.undo", "annotate.redo"), steps, strict=True):
            self._context.actions.set_enabled(action_id, bool(label))
            self._context.actions.action(action_id).setToolTip(label or "Nothing to take back")
