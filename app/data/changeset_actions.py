"""What is done with changesets: make one, fill it, approve it, send it back. Each change reads the panel again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.data.changeset_dialogs import ChangesetEditDialog
from app.data.changeset_panel import ChangesetPanel
from core.domain.changes import Outcome
from core.domain.changeset import Changeset
from core.domain.feedback import FeedbackEvent

if TYPE_CHECKING:
    from core.services.feedback.changesets import ChangesetReview


class ChangesetActions(QObject):
    """Wires the buttons of a panel.

    Args:
        context: runs the changes.
        panel: whose buttons are wired.
        parent: owner of the work and parent of the dialogs.
        chosen: returns the events that are selected in the inbox.
    """

    def __init__(
        self, context: AppContext, panel: ChangesetPanel, parent: QWidget, chosen: Callable[[], Sequence[FeedbackEvent]]
    ) -> None:
        super().__init__(parent)
        self._context, self._panel, self._parent, self._chosen = context, panel, parent, chosen
        for button, run in (
            (panel.new, self.make), (panel.add, self.add_events), (panel.change, self.edit), (panel.drop, self.drop),
            (panel.delete, self.delete), (panel.send_back, self.send_back), (panel.approve, self.approve),
        ):  # fmt: skip
            button.clicked.connect(lambda _=False, run=run: run())
        panel.wanted.connect(self.read)

    def read_list(self) -> None:
        """Read the changesets, and the chosen one."""
        service = self._context.services.changesets
        self._context.tasks.query(service.list, self._show_list, owner=self, key="list")

    def read(self, changeset_id: int) -> None:
        """Read the review of a changeset: what the next freeze takes is computed for it."""
        service = self._context.services.changesets
        self._context.tasks.query(
            lambda: service.review(changeset_id), partial(self._show, changeset_id), owner=self, key="review"
        )

    def make(self) -> None:
        """Ask for a name and make a draft."""
        by = self._reviewer()
        name = None if by is None else self._context.dialogs.text("New changeset", "Name", needed=True, accept="Make")
        if by is not None and name:
            service = self._context.services.changesets
            self._mutate(lambda: service.create(name, by))

    def add_events(self) -> None:
        """Ask why, and add the pairs of the chosen events."""
        made, ids = self._panel.current, [event.id for event in self._chosen() if event.pair_ids]
        if made is None:
            return
        if not ids:
            self._context.notices.post(
                "No chosen event is a pair yet.", hint="Send events to labelling first, then choose them in the inbox."
            )
            return
        reason = self._context.dialogs.text(
            "Add events", f"Why are they added to {made.name}?", needed=True, accept="Add"
        )
        if reason:
            service = self._context.services.changesets
            self._mutate(lambda: service.add_events(made.id, ids, reason))

    def edit(self) -> None:
        """Ask for a pair that leaves, and perhaps one that takes its place."""
        made = self._panel.current
        if made is None:
            return
        dialog, service = ChangesetEditDialog(self._parent, self._context), self._context.services.changesets
        if self._context.dialogs.run(dialog):
            old, new, reason = dialog.old_id, dialog.new_id, dialog.reason.text().strip()
            if new is None:
                self._mutate(lambda: service.remove_pairs(made.id, [old], reason))
            else:
                self._mutate(lambda: service.edit_pair(made.id, old, new, reason))
        dialog.deleteLater()

    def drop(self) -> None:
        """Take the chosen change out of the draft."""
        made, entry, service = self._panel.current, self._panel.entry, self._context.services.changesets
        if made is not None and entry is not None:
            self._mutate(lambda: service.drop(made.id, entry.id))

    def delete(self) -> None:
        """Delete the draft after a question; what was decided about its events stays."""
        made, by, service = self._panel.current, self._reviewer(), self._context.services.changesets
        if made is None or by is None:
            return
        if self._context.dialogs.confirm(
            "Delete a draft", f"Delete the draft of {made.name}? Decisions about its events stay.", "Delete"
        ):
            self._context.ops.mutate(lambda: service.delete(made.id, by), lambda _: self.read_list(), owner=self)

    def send_back(self) -> None:
        """Ask what has to change, and send the draft back."""
        made, by = self._panel.current, self._reviewer()
        if made is None or by is None:
            return
        reason = self._context.dialogs.text(
            "Send back", f"What has to change in {made.name}?", lines=3, accept="Send back", needed=True
        )
        if reason:
            service = self._context.services.changesets
            self._mutate(lambda: service.send_back(made.id, by, reason))

    def approve(self) -> None:
        """Approve the draft; the service checks again that each change was opened and is admissible."""
        made, by, opened = self._panel.current, self._reviewer(), set(self._panel.opened)
        if made is not None and by is not None:
            service = self._context.services.changesets
            self._mutate(lambda: service.approve(made.id, by, opened=opened), self._tell_approved)

    def _mutate(
        self, work: Callable[[], Outcome[Changeset]], done: Callable[[Changeset], object] | None = None
    ) -> None:
        def show(outcome: Outcome[Changeset]) -> None:
            self._panel.choose(outcome.value.id)
            self.read_list()
            if done is not None:
                done(outcome.value)

        self._context.ops.mutate(work, show, owner=self)

    def _tell_approved(self, made: Changeset) -> None:
        self._context.notices.post(f"{made.name} is approved. The next freeze takes it.", "ok")

    def _show_list(self, found: Sequence[Changeset]) -> None:
        chosen = self._panel.show_changesets(found)
        if chosen is not None:
            self.read(chosen)

    def _show(self, changeset_id: int, review: ChangesetReview) -> None:
        if self._panel.choice.currentData() == changeset_id:
            self._panel.show_review(review)

    def _reviewer(self) -> int | None:
        found = self._context.session.reviewer_id
        if found is None:
            self._context.notices.post("Who made a changeset is part of it.", hint="Choose a reviewer first.")
            self._context.actions.run("global.reviewer")
        return found
