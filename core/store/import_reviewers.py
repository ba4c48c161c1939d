"""Whose labels an import brings: a reviewer's label is stored once, and one that contradicts it beside it."""

from __future__ import annotations

from sqlmodel import Session

from core.domain.ids import canonical_json
from core.domain.judgement import ReviewerKind
from core.store import reviewers
from core.store.import_rows import NewLabel, Target
from core.store.plain import fetch
from core.store.sqlite.write_context import WriteContext

Said = tuple[str, int | None]
"""Verdict and strength, in canonical sides."""


class ImportReviewers:
    """Turns the names in a file into reviewers, and tells a label given again from one that says something else.

    A judgement counts once for its reviewer and pair. So a second label that differs from the first is stored under the
    reviewer's name with "(label 2)" behind it: nothing is lost, and the pair is seen to be disagreed on.
    """

    def __init__(
        self, session: Session, target: Target, context: WriteContext, judged: dict[tuple[int, str], set[Said]]
    ) -> None:
        self._session, self._target, self._context = session, target, context
        self._judged = judged
        self._closed = {pair_id for pair_id, _ in judged} if target.repeats_labels else set()
        self._known: dict[str, tuple[int, str]] = {}
        self._first: dict[str, tuple[int, str]] = {}  # name in the file -> id and name in lower case
        self.used: set[str] = set()

    def admit(self, pair_id: int, label: NewLabel) -> tuple[int | None, int]:
        """Return the reviewer under whom the label is stored, None when it is there already, and which label it is."""
        if pair_id in self._closed:
            return None, 0
        said = (label.verdict, label.strength)
        first = self._first.get(label.reviewer)
        if first is not None and (pair_id, first[1]) not in self._judged:  # the usual case
            self._judged[(pair_id, first[1])] = {said}
            return first[0], 1
        plain, number = self._name(label.reviewer), 1
        while True:
            name = plain if number == 1 else f"{plain} (label {number})"
            before = self._judged.get((pair_id, name.lower()))
            if before is None:
                reviewer_id, name = self._reviewer(name)  # which has another name where a person has the plain one
                before = self._judged.get((pair_id, name.lower()))
                if before is None:
                    self._judged[(pair_id, name.lower())] = {said}
                    self.used.add(name)
                    if number == 1 and name == plain:
                        self._first[label.reviewer] = (reviewer_id, name.lower())
                    return reviewer_id, number
            if said in before:
                return None, number
            number += 1

    def _reviewer(self, name: str) -> tuple[int, str]:
        if name not in self._known:
            note = f"Labels that came with {self._target.source_name}"
            found = reviewers.ensure(self._session, name, ReviewerKind.IMPORTED, self._context, note)
            self._known[name] = (found.id, found.name)
        return self._known[name]

    def _name(self, reviewer: str) -> str:
        if not reviewer:
            return self._target.reviewer
        return reviewer if self._target.names_reviewers else f"{self._target.reviewer} {reviewer}"


def judged_on(session: Session, pair_ids: set[int]) -> dict[tuple[int, str], set[Said]]:
    """Return (pair id, reviewer name in lower case) -> what was said, taken-back labels included."""
    if not pair_ids:
        return {}
    values = (canonical_json(sorted(pair_ids)),)
    query = (
        "SELECT DISTINCT g.pair_id, r.name, g.verdict, g.strength FROM json_each(?) j"
        " CROSS JOIN judgement g ON g.pair_id=j.value CROSS JOIN reviewer r ON r.id=g.reviewer_id"
    )
    found: dict[tuple[int, str], set[Said]] = {}
    for pair_id, name, verdict, strength in fetch(session, query, values):
        found.setdefault((pair_id, name.lower()), set()).add((verdict, strength))
    return found
