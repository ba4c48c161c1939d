"""Adjudication: pairs on which reviewers disagree."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.conflict import LabelSaid, conflict_of
from core.domain.judgement import Judgement, Task
from core.domain.rubric import RubricState, RubricVersion
from core.services.adjudication.views import ConflictPair, hidden
from core.store import conflicts, rubrics
from core.store.plain import chunks
from core.store.sqlite.database import Session, Store


class AdjudicationService:
    """Finds the pairs in conflict."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def conflicts(self, version_id: int | None = None) -> list[ConflictPair]:
        """Return the pairs in conflict in the order of import, open and decided, names hidden.

        Args:
            version_id: a published rubric version; labels under versions of the same major number are compared. None
                takes the newest published version of each rubric.

        Raises:
            NotFound: there is no such version.
        """
        with self._store.read() as session:
            versions = _newest(session) if version_id is None else [rubrics.get(session, version_id)]
            return [pair for version in versions for pair in _conflicts(session, version)]


def _newest(session: Session) -> list[RubricVersion]:
    found = (rubrics.latest(session, key, RubricState.PUBLISHED) for key, _, _ in rubrics.names(session))
    return [version for version in found if version is not None]


def _conflicts(session: Session, version: RubricVersion) -> list[ConflictPair]:
    accepted = rubrics.compatible_ids(session, version.id)
    found = []
    for part in chunks(conflicts.pairs_in_conflict(session, accepted)):
        labels = conflicts.labels_of(session, part, accepted)
        found += [_pair(key, version, labels[key]) for key in part]
    return found


def _pair(pair_id: int, version: RubricVersion, judgements: Sequence[Judgement]) -> ConflictPair:
    labels = [one for one in judgements if one.task is not Task.ADJUDICATE]
    conflict = conflict_of(LabelSaid(d.verdict, d.strength, d.flags) for d in (one.draft for one in labels) if d)
    assert conflict is not None  # the query that found the pair applies the same rule
    state = "open" if len(labels) == len(judgements) else "decided"
    return ConflictPair(pair_id, version.id, version.title, conflict, hidden(labels), state)
