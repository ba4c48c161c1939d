"""Decisions on pairs in conflict: why the labels differ, what follows, and requests to change a rubric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.choices import choice_hint
from core.domain.errors import BadInput

CAUSES: dict[str, str] = {
    "ambiguous_prompt": "Ambiguous prompt",
    "rubric_gap": "Rubric gap",
    "reviewer_slip": "Reviewer slip",
    "edge_case": "Edge case",
    "truly_subjective": "Truly subjective",
    "other": "Other",
}
"""Why reviewers disagree, with the names for people; keys 1 to 6 in this order."""
GOLD, CHANGE_REQUEST, SUBJECTIVE = "gold", "change_request", "truly_subjective"
OUTCOMES: dict[str, tuple[str, str]] = {
    GOLD: ("Gold", "the pair becomes a gold item"),
    CHANGE_REQUEST: ("Rubric change request", "the clause goes back to a draft"),
    SUBJECTIVE: ("Truly subjective", "the votes stay, no training item"),
}
"""What follows from a decision: name and what it does; keys 7 to 9 in this order."""


@dataclass(frozen=True, slots=True)
class DecisionDraft:
    """What an adjudicator says of a pair after the first pick and a look at the labels.

    Attributes:
        cause: a key of ``CAUSES``. outcome: a key of ``OUTCOMES``.
        note: private words on the decision.
        clause: of a change request: id of the clause it is about, "" for the rubric as a whole.
        request: of a change request: what is to be said instead.

    Raises:
        BadInput: an unknown cause or outcome, or a change request without words.
    """

    cause: str
    outcome: str
    note: str = ""
    clause: str = ""
    request: str = ""

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise BadInput(f"Unknown cause {self.cause!r}.", choice_hint(self.cause, tuple(CAUSES)))
        if self.outcome not in OUTCOMES:
            raise BadInput(f"Unknown outcome {self.outcome!r}.", choice_hint(self.outcome, tuple(OUTCOMES)))
        if self.outcome == CHANGE_REQUEST and not self.request.strip():
            raise BadInput("A rubric change request needs words.", "Say what the clause should say instead.")
        if self.outcome != CHANGE_REQUEST and (self.request.strip() or self.clause):
            raise BadInput("Only a rubric change request has a clause and words.", "Choose that outcome.")


@dataclass(frozen=True, slots=True)
class ConflictDecision:
    """A decision that counts. It stands beside the labels: none of them is changed.

    Attributes:
        judgement_id: the first pick, made before the labels were shown. final_id: the judgement that stands.
        request_id: the change request, of this outcome only.
        inputs: the judgements that were shown in between.
    """

    id: int
    pair_id: int
    reviewer_id: int
    version_id: int
    judgement_id: int
    final_id: int
    cause: str
    outcome: str
    request_id: int | None
    note: str
    inputs: tuple[int, ...]
    at_ms: int

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON; the adjudicator is not named."""
        return {
            "cause": self.cause,
            "outcome": self.outcome,
            "note": self.note,
            "request": self.request_id,
            "first_pick_stands": self.judgement_id == self.final_id,
            "inputs": list(self.inputs),
            "at_ms": self.at_ms,
        }


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A request to change a rubric.

    Attributes:
        clause: id of the clause; "" for the rubric as a whole.
        pair_id: the pair that showed it. author_id: who asks.
        state: open, drafted (a draft takes it), resolved (by the version ``version_id``) or rejected.
    """

    id: int
    rubric_id: int
    clause: str
    text: str
    pair_id: int | None
    author_id: int
    state: str
    version_id: int | None
    at_ms: int

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "id": self.id,
            "clause": self.clause,
            "text": self.text,
            "pair": self.pair_id,
            "state": self.state,
            "version": self.version_id,
        }


def adjudicated_words(counts: Mapping[str, int]) -> str:
    """Return how many items of a dataset version were adjudicated and what the votes on them were, "" without any.

    >>> adjudicated_words({"adjudicated": 2, "votes_for": 3, "votes_against": 2, "votes_other": 0})
    '2 items were adjudicated: 3 votes for the chosen answer, 2 for the other, 0 for neither.'
    """
    if not (items := counts.get("adjudicated", 0)):
        return ""
    words = "item was" if items == 1 else "items were"
    votes = counts.get("votes_for", 0)
    return (
        f"{items:,} {words} adjudicated: {votes:,} {'vote' if votes == 1 else 'votes'} for the chosen answer, "
        f"{counts.get('votes_against', 0):,} for the other, {counts.get('votes_other', 0):,} for neither."
    )
