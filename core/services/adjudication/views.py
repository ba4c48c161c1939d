"""Views of the adjudication: a pair in conflict with its labels, names hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from core.domain.adjudication import ConflictDecision
from core.domain.conflict import Conflict
from core.domain.judgement import Judgement, describe

ConflictState = Literal["open", "decided"]


@dataclass(frozen=True, slots=True)
class HiddenLabel:
    """A label of a pair without its reviewer; ``who`` is R1, R2 and so on, numbered anew for each pair."""

    who: str
    judgement: Judgement

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        draft = self.judgement.draft
        assert draft is not None
        return {
            "who": self.who,
            "verdict": draft.verdict.value,
            "strength": draft.strength,
            "says": describe(draft),
            "criteria": draft.criteria,
            "flags": list(draft.flags),
            "rationale": draft.rationale,
        }


@dataclass(frozen=True, slots=True)
class ConflictPair:
    """A pair in conflict under a rubric version and those of the same meaning.

    Attributes:
        rubric: title of the version. labels: one a reviewer, in an order that says nothing about them.
        state: decided when a judgement of an adjudicator counts.
        decision: cause and outcome, once they were told.
    """

    pair_id: int
    version_id: int
    rubric: str
    conflict: Conflict
    labels: tuple[HiddenLabel, ...]
    state: ConflictState
    decision: ConflictDecision | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "pair": self.pair_id,
            "rubric": self.rubric,
            "rule": self.conflict.words(),
            "rules": list(self.conflict.rules),
            "votes": [one.to_plain() for one in self.labels],
            "state": self.state,
            "decision": None if self.decision is None else self.decision.to_plain(),
        }


@dataclass(frozen=True, slots=True)
class OpenedConflict:
    """A pair in conflict after the adjudicator's first pick: now the labels may be seen.

    Attributes:
        pick: the adjudicator's judgement as it is now. first_id: the judgement that was the first pick.
        first_stands: whether the pick says what the first one said.
        conflict: None where the labels agree by now.
        labels: names hidden. decision: what was decided already, by anybody.
    """

    pair_id: int
    pick: Judgement
    first_id: int
    first_stands: bool
    conflict: Conflict | None
    labels: tuple[HiddenLabel, ...]
    decision: ConflictDecision | None = None


def hidden(labels: Sequence[Judgement]) -> tuple[HiddenLabel, ...]:
    """Return the labels of one pair numbered R1, R2 and so on, by a hash: neither by name nor by time."""
    ordered = sorted(labels, key=lambda one: sha256(one.uid.encode()).digest())
    return tuple(HiddenLabel(f"R{n}", one) for n, one in enumerate(ordered, 1))
