"""What a rubric changed for one reviewer since an earlier label of the same pair, clause by clause."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.judgement import Judgement
from core.domain.rubric import Criterion, RubricBody
from core.domain.rubric_text import clause_text


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A clause that reads differently; ``old`` is None where it came in, ``new`` where it was taken out."""

    old: Criterion | None
    new: Criterion | None

    @property
    def name(self) -> str:
        """The name that the clause has now, or had."""
        clause = self.new or self.old
        return clause.name if clause is not None else ""

    @property
    def kind(self) -> str:
        """What became of it: "changed", "new" or "taken out"."""
        return "new" if self.old is None else "taken out" if self.new is None else "changed"

    @property
    def texts(self) -> tuple[str, str]:
        """The whole clause before and now, as lines."""
        old, new = ("" if one is None else clause_text(one) for one in (self.old, self.new))
        return old, new


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """What changed between an earlier label of a reviewer and the version under which the pair is labelled again.

    Attributes:
        old_number, new_number: of the two versions. at_ms: when the earlier label was made.
        changed: clauses that read differently, in the order of the new version, those that were taken out last.
        same: names of the other clauses.
        clauses: how many clauses the new version has.
        earlier: the earlier label; None as long as no new one is given, so that it cannot lead.
    """

    old_number: str
    new_number: str
    at_ms: int
    changed: tuple[ClauseChange, ...]
    same: tuple[str, ...]
    clauses: int
    earlier: Judgement | None = None

    @property
    def changed_ids(self) -> frozenset[str]:
        """Ids of the clauses of the new version that read differently or came in."""
        return frozenset(one.new.id for one in self.changed if one.new is not None)


def clause_changes(old: RubricBody, new: RubricBody) -> tuple[tuple[ClauseChange, ...], tuple[str, ...]]:
    """Return the clauses that differ between two versions, and the names of those that do not."""
    olds, news = {c.id: c for c in old.criteria}, {c.id: c for c in new.criteria}
    changed = [ClauseChange(olds.get(key), clause) for key, clause in news.items() if olds.get(key) != clause]
    changed += [ClauseChange(clause, None) for key, clause in olds.items() if key not in news]
    return tuple(changed), tuple(clause.name for key, clause in news.items() if olds.get(key) == clause)
