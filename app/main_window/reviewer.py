"""Who labels: asked for, stored when new, and taken up again when the workspace is opened next time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.context import AppContext
from app.main_window.workspace_switch import WorkspaceSwitch
from core.domain.changes import Outcome
from core.domain.judgement import Reviewer, ReviewerKind

if TYPE_CHECKING:
    from core.services.application import Application

NEW_REVIEWER = "Someone new…"
_Found = tuple[str, list[Reviewer], int | None]
"""Id of the workspace, its reviewers, and the one whose desk it is."""


class ReviewerChoice(QObject):
    """Sets the reviewer of the session; reads and writes reviewers in the background."""

    def __init__(self, context: AppContext, switch: WorkspaceSwitch, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._switch = context, switch

    def choose(self) -> None:
        """Ask who is labelling; a new name becomes a new reviewer. Does nothing without a workspace."""
        if services := self._switch.current:
            self._context.tasks.query(services.reviewers.list, partial(self._offer, services), owner=self)

    def restore(self, services: Application) -> None:
        """Take the reviewer who labelled last in this workspace; at a desk, first the one whose slots it has."""

        def read() -> _Found:
            desk = services.bundles.desk()
            owner = desk.reviewer_id if desk is not None else None
            return services.workspace.info().uuid, services.reviewers.list(), owner

        self._context.tasks.query(read, self._take_last, owner=self, key="restore")

    def _take_last(self, found: _Found) -> None:
        uuid, reviewers, owner = found
        last = self._context.session.enter_workspace(uuid)
        for reviewer in reviewers:
            if reviewer.id == (owner if last is None else last):
                self._context.session.set_reviewer(reviewer.id, reviewer.name)

    def _offer(self, services: Application, reviewers: list[Reviewer]) -> None:
        session, dialogs = self._context.session, self._context.dialogs
        people = [r for r in reviewers if r.kind is ReviewerKind.HUMAN]
        current = next((place for place, r in enumerate(people) if r.id == session.reviewer_id), 0)
        names = [*(r.name for r in people), NEW_REVIEWER]
        choice = dialogs.choose("Reviewer", "Who is labelling?", names, current) if people else len(people)
        if choice is None:
            return
        if choice < len(people):
            session.set_reviewer(people[choice].id, people[choice].name)
        else:
            self._add(services)

    def _add(self, services: Application) -> None:
        name = self._context.dialogs.text("New reviewer", "A pseudonym; it is stored with every judgement.")
        if name:
            self._context.ops.mutate(lambda: services.reviewers.add(name), self._take_new, owner=self)

    def _take_new(self, outcome: Outcome[Reviewer]) -> None:
        self._context.session.set_reviewer(outcome.value.id, outcome.value.name)
