"""Whose labels an import brings: each reviewer of a file labels a pair once."""

from __future__ import annotations

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.domain.judgement import ReviewerKind
from core.store import reviewers
from core.store.import_rows import Target
from core.store.plain import fetch
from core.store.sqlite.write_context import WriteContext


class ImportReviewers:
    """Turns the names in a file into reviewers and refuses a second label of one reviewer on one pair."""

    def __init__(self, session: Session, target: Target, context: WriteContext, judged: set[tuple[int, str]]) -> None:
        self._session, self._target, self._context = session, target, context
        self._judged = judged
        self._closed = {pair_id for pair_id, _ in judged} if target.repeats_labels else set()
        self._known: dict[str, tuple[int, str]] = {}
        self.used: set[str] = set()

    def admit(self, pair_id: int, reviewer: str) -> int | None:
        """Return the reviewer who may label the pair now, or None when that reviewer has labelled it before."""
        plain = self._name(reviewer)
        if pair_id in self._closed or (pair_id, plain.lower()) in self._judged:
            return None
        if reviewer not in self._known:
            note = f"Labels that came with {self._target.source_name}"
            found = reviewers.ensure(self._session, plain, ReviewerKind.IMPORTED, self._context, note)
            self._known[reviewer] = (found.id, found.name)
        reviewer_id, name = self._known[reviewer]
        if (pair_id, name.lower()) in self._judged:
            return None
        self._judged.add((pair_id, name.lower()))
        self.used.add(name)
        return reviewer_id

    def _name(self, reviewer: str) -> str:
        if not reviewer:
            return self._target.reviewer
        return reviewer if self._target.names_reviewers else f"{self._target.reviewer} {reviewer}"


def judged_on(session: Session, pair_ids: set[int]) -> set[tuple[int, str]]:
    """Return (pair id, reviewer name in lower case) of every label on these pairs, taken-back ones included."""
    if not pair_ids:
        return set()
    values = (canonical_json(sorted(pair_ids)),)
    query = (
        "SELECT DISTINCT g.pair_id, r.name FROM json_each(?) j CROSS JOIN judgement g ON g.pair_id=j.value"
        " CROSS JOIN reviewer r ON r.id=g.reviewer_id"
    )
    return {(pair_id, name.lower()) for pair_id, name in fetch(session, query, values)}
