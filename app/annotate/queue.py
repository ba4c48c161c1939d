"""What to label: reviewer, rubric version, which pairs. Remembers the choice; opens the queue off the UI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from PySide6.QtCore import QObject

from app.context import AppContext
from core.domain.changes import Changes, Outcome
from core.domain.judgement import Task
from core.domain.rubric import RubricVersion


@dataclass(frozen=True, slots=True)
class Opened:
    """A queue with its first pairs, or the name of what is missing: reviewer, rubric, pairs or done."""

    missing: str = ""
    queue: Any = None
    version: Any = None
    first: list[Any] = field(default_factory=list)


class QueueChoice:
    """Holds what was chosen; ``open`` runs on a background thread."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._version_id: int | None = None
        self._pair_ids: tuple[int, ...] = ()
        self._order: Literal["import", "newest", "random"] = "import"
        self._relabel = False

    def only_pairs(self, pair_ids: tuple[int, ...]) -> None:
        """Label only these pairs; an empty tuple lifts it."""
        self._pair_ids, self._relabel = pair_ids, False

    def stale_only(self) -> None:
        """Label again what was labelled before the rubric's meaning changed."""
        self._pair_ids, self._relabel = (), True

    def ask_reviewer(self, owner: QObject) -> None:
        """Ask who is labelling; the session takes the answer."""
        context = self._context
        if name := context.dialogs.text("Who is labelling?", "Pseudonym"):
            context.ops.mutate(
                lambda: self.reviewer_named(name),
                lambda outcome: context.session.set_reviewer(outcome.value.id, outcome.value.name),
                owner=owner,
            )

    def reviewer_named(self, name: str) -> Outcome[Any]:
        """Return the human reviewer of that name, made when there is none."""
        reviewers = self._context.services.reviewers
        known = next((r for r in reviewers.list() if r.name == name), None)
        return Outcome(known, Changes.NOTHING) if known else reviewers.add(name)

    def open(self) -> Opened:
        """Open the queue, or say what is missing for it."""
        from core.services.annotation_views import QueueSettings
        from core.services.pairs import PairFilter

        services, session = self._context.services, self._context.session
        if not services.pairs.count(PairFilter()):
            return Opened("pairs")
        published = [v for v in services.rubrics.published() if v.body.criteria]
        published = [v for v in published if not v.rubric_name.startswith("Imported")] or published
        if not published:
            return Opened("rubric")
        if session.reviewer_id is None:
            return Opened("reviewer")
        version = next((v for v in published if v.id == self._version_id), published[0])
        chosen = PairFilter(pair_ids=self._pair_ids) if self._pair_ids else None
        task = Task.RELABEL if self._relabel else Task.LABEL
        settings = QueueSettings(session.reviewer_id, version.id, chosen, self._order, task=task)
        queue = services.annotation.open_queue(settings)
        first = services.annotation.next(queue, 4)
        return Opened("" if first else "done", queue, version, first)

    def ask(self, owner: QObject, done: Callable[[], None]) -> None:
        """Ask for the rubric version, then for the order; ``done`` is called when both were chosen."""
        service = self._context.services.rubrics
        self._context.tasks.query(
            lambda: list(service.published()), lambda found: self._choose(found, done), owner=owner, key="choice"
        )

    def _choose(self, versions: list[RubricVersion], done: Callable[[], None]) -> None:
        dialogs = self._context.dialogs
        place = dialogs.choose("What to label", "Under which rubric version?", [v.title for v in versions])
        if place is None:
            return
        orders: tuple[Literal["import", "newest", "random"], ...] = ("import", "newest", "random")
        order = dialogs.choose("What to label", "In which order?", ("As imported", "Newest first", "At random"))
        if order is None:
            return
        self._version_id, self._order, self._pair_ids = versions[place].id, orders[order], ()
        self._relabel = False
        done()
