"""What to label: reviewer, rubric version, which pairs. Remembers the choice; opens the queue off the UI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import QObject

from app.annotate.queue_dialog import QueueDialog
from app.context import AppContext
from core.domain.judgement import Task
from core.domain.pair_table import PairFilter
from core.domain.rubric import RubricVersion

What = Literal["all", "skipped", "bookmarks", "stale", "chosen", "retest", "adjudicate", "gold"]
_TASKS = {"stale": Task.RELABEL, "retest": Task.RETEST, "adjudicate": Task.ADJUDICATE, "gold": Task.GOLD}
Order = Literal["import", "newest", "random"]
AHEAD = 4
"""Pairs handed out with the queue, so that the next ones wait in memory."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A queue with its first pairs, or the name of what is missing (see ``states``).

    Attributes:
        version: the rubric version of the queue.
        rubrics: every published version by its id, so that an earlier decision is shown under its own clauses.
        look_again: the reviewer's own judgement of a pair that was asked for and is labelled already.
    """

    missing: str = ""
    queue: Any = None
    version: Any = None
    first: list[Any] = field(default_factory=list)
    look_again: int | None = None
    rubrics: dict[int, RubricVersion] = field(default_factory=dict)


class QueueChoice:
    """Holds what was chosen; ``open`` runs on a background thread."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._version_id: int | None = None
        self._pair_ids: tuple[int, ...] = ()
        self._order: Order = "import"
        self.what: What = "all"

    @property
    def words(self) -> str:
        """What is labelled, when it is not simply every pair."""
        count = len(self._pair_ids)
        return {
            "all": "",
            "skipped": "put aside earlier",
            "bookmarks": "bookmarked",
            "stale": "relabelling",
            "retest": "a second time",
            "adjudicate": "adjudicating",
            "gold": "decided pairs",
            "chosen": f"{count:,} chosen pair{'s' if count != 1 else ''}",
        }[self.what]

    def only_pairs(self, pair_ids: tuple[int, ...]) -> None:
        """Label only these pairs."""
        self._pair_ids, self.what = pair_ids, "chosen"

    def take(self, what: What) -> None:
        """Label all pairs, or those that ``what`` names."""
        self.what = what

    def open(self, reviewer_id: int | None) -> Opened:
        """Open the queue of this reviewer, or say what is missing for it.

        Args:
            reviewer_id: as it was when the queue was asked for; another thread may change it meanwhile.
        """
        services = self._context.services
        if not services.pairs.count(PairFilter()):
            return Opened("pairs")
        version = self._version()
        if version is None:
            return Opened("rubric")
        if reviewer_id is None:
            return Opened("reviewer")
        queue = services.annotation.open_queue(self._settings(reviewer_id, version.id))
        rubrics = {v.id: v for v in services.rubrics.published(imported=True)}
        found = partial(Opened, queue=queue, version=version, rubrics=rubrics)
        first = services.annotation.next(queue, AHEAD)
        if first:
            return found(first=first)
        if (key := self._own_label(reviewer_id)) is not None:
            return found(look_again=key)
        return found(missing_of(self.what, queue.skipped))

    def _version(self) -> RubricVersion | None:
        published = [v for v in self._context.services.rubrics.published() if v.body.criteria]
        published = [v for v in published if not v.rubric_name.startswith("Imported")] or published
        return next((v for v in published if v.id == self._version_id), published[0] if published else None)

    def _settings(self, reviewer_id: int, version_id: int) -> Any:
        from core.services.annotation.views import QueueSettings

        pair_ids = None
        if self.what == "chosen":
            pair_ids = self._pair_ids
        elif self.what == "bookmarks":
            pair_ids = tuple(key for key, _ in self._context.services.annotation.bookmarks(reviewer_id))
        return QueueSettings(
            reviewer_id,
            version_id,
            None if pair_ids is None else PairFilter(pair_ids=pair_ids),
            self._order,
            task=_TASKS.get(self.what, Task.LABEL),
            revisit_skipped=self.what in ("skipped", "bookmarks", "chosen"),
        )

    def _own_label(self, reviewer_id: int) -> int | None:
        """Return the reviewer's label of the one pair that was asked for, to look at and amend."""
        if self.what != "chosen" or len(self._pair_ids) != 1:
            return None
        detail = self._context.services.pairs.detail(self._pair_ids[0])
        mine = [j.id for j in detail.judgements if j.current and j.kind == "label" and j.reviewer.id == reviewer_id]
        return mine[-1] if mine else None

    def ask(self, owner: QObject, done: Callable[[], None]) -> None:
        """Ask for rubric version, pairs and order; ``done`` is called when they were chosen."""
        service = self._context.services.rubrics
        self._context.tasks.query(
            lambda: list(service.published()), lambda found: self._choose(found, done), owner=owner, key="choice"
        )

    def _choose(self, versions: list[RubricVersion], done: Callable[[], None]) -> None:
        if not versions:
            self._context.notices.post("There is no published rubric version yet.", hint="Publish one under Rubrics.")
            return
        dialog = QueueDialog(versions, self._version_id, self.what, self._order, chosen=len(self._pair_ids))
        if self._context.dialogs.run(dialog):
            self._version_id, self.what, self._order = dialog.version_id, dialog.what, dialog.order
            done()
        dialog.deleteLater()


def missing_of(what: What, skipped: int) -> str:
    """Return which screen is shown when a queue is at its end.

    >>> missing_of("all", 3), missing_of("all", 0), missing_of("bookmarks", 0)
    ('skipped', 'done', 'part')
    """
    if what == "all":
        return "skipped" if skipped else "done"
    return "part"
