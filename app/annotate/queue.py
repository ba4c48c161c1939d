"""What to label: reviewer, rubric version, which pairs. Remembers the choice; opens the queue off the UI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.context import AppContext
from core.domain.changes import Changes, Outcome


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
        self._order = "import"

    def only_pairs(self, pair_ids: tuple[int, ...]) -> None:
        """Label only these pairs; an empty tuple lifts it."""
        self._pair_ids = pair_ids

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
        version = next((v for v in published if v.id == self._version_id), published[-1])
        chosen = PairFilter(pair_ids=self._pair_ids) if self._pair_ids else None
        settings = QueueSettings(session.reviewer_id, version.id, chosen, self._order)  # type: ignore[arg-type]
        queue = services.annotation.open_queue(settings)
        first = services.annotation.next(queue, 4)
        return Opened("" if first else "done", queue, version, first)

    def ask(self, done: Callable[[], None]) -> None:
        """Ask for the rubric version, then for the order, and open the queue again."""
        versions = list(self._context.services.rubrics.published())
        dialogs = self._context.dialogs
        place = dialogs.choose("What to label", "Under which rubric version?", [v.title for v in versions])
        if place is None:
            return
        orders = ("import", "newest", "random")
        order = dialogs.choose("What to label", "In which order?", ("As imported", "Newest first", "At random"))
        if order is None:
            return
        self._version_id, self._order, self._pair_ids = versions[place].id, orders[order], ()
        done()
