"""What a new rubric version means for the labels made before it: which clauses changed, which labels turn stale."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.counting import counted, verb
from core.domain.rubric import ChangeLevel, RubricBody


@dataclass(frozen=True, slots=True)
class MeaningChange:
    """What a major version, or several in a row, changed.

    Attributes:
        whole: every earlier label is concerned: a clause came in, or purpose, order of the clauses, tie rule, scale or
            what need not be checked reads differently, or the version says no clause differs although it is major.
        clauses: ids of the clauses that read differently or were taken out.
        lost: those of them that were taken out.
    """

    whole: bool = False
    clauses: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()

    def concerns(self, answered: Collection[str]) -> bool:
        """Whether a label that answered these clauses is stale; one that answered none rests on all of them."""
        return self.whole or (bool(self.clauses) and (not answered or not self.clauses.isdisjoint(answered)))

    def __or__(self, later: MeaningChange) -> MeaningChange:
        return MeaningChange(self.whole or later.whole, self.clauses | later.clauses, self.lost | later.lost)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"whole": self.whole, "clauses": sorted(self.clauses), "lost": sorted(self.lost)}


def meaning_change(old: RubricBody, new: RubricBody) -> MeaningChange:
    """Return what differs in meaning between a version and a major version after it.

    Examples and the names of unchanged clauses explain a rubric; alone they make no label stale that answered others.
    """
    olds, news = {c.id: c for c in old.criteria}, {c.id: c for c in new.criteria}
    lost = frozenset(olds.keys() - news.keys())
    changed = frozenset(key for key in olds.keys() & news.keys() if olds[key] != news[key])
    common = olds.keys() & news.keys()
    order = [[key for key in body.priority if key in common] for body in (old, new)]
    parts = [(b.purpose, b.tie_rule, b.scale, b.not_checked) for b in (old, new)]
    whole = bool(news.keys() - olds.keys()) or order[0] != order[1] or parts[0] != parts[1]
    return MeaningChange(whole or not (lost or changed), lost | changed, lost)


@dataclass(frozen=True, slots=True)
class PublishEffect:
    """What publishing a draft would do, told before it is done.

    Attributes:
        rubric: its name. number: of the version that it would become. level: of the change.
        clauses: names of the clauses that read differently, came in or were taken out, in the order of the rubrics.
        labels: labels that count now under the version before and those of the same meaning.
        stale: of these, the labels that a major version makes stale, stale ones of earlier versions not counted.
        lost: labels that answered a clause which is taken out.
        datasets: frozen dataset versions with labels of this rubric; they never change.
    """

    rubric: str
    number: str
    level: ChangeLevel
    clauses: tuple[str, ...] = ()
    labels: int = 0
    stale: int = 0
    lost: int = 0
    datasets: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "level": self.level.value, "clauses": list(self.clauses), "effect": self.words}

    @property
    def words(self) -> str:
        """The effect as a sentence.

        >>> PublishEffect("Help", "2.0.0", ChangeLevel.MAJOR, labels=150, stale=112, lost=20, datasets=3).words
        '20 labels lose a criterion, 112 of 150 labels become stale, 3 dataset versions stay as they are.'
        """
        if not self.labels and not self.datasets:
            return "No label is concerned."
        parts = []
        if self.lost:
            parts.append(f"{counted(self.lost, 'label')} {verb(self.lost, 'loses', 'lose')} a criterion")
        if self.level is ChangeLevel.MAJOR:
            become = verb(self.stale, "becomes", "become")
            parts.append(f"{self.stale:,} of {counted(self.labels, 'label')} {become} stale")
        elif self.labels:
            parts.append(f"{counted(self.labels, 'label')} {verb(self.labels, 'stays', 'stay')} valid")
        if self.datasets:
            stay = verb(self.datasets, "stays as it is", "stay as they are")
            parts.append(f"{counted(self.datasets, 'dataset version')} {stay}")
        return f"{', '.join(parts)}."
