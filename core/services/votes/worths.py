"""How strong the arms of an evaluation are by all of its rounds of votes, whichever arms each round compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.evidence import plain
from core.domain.votes import Vote, VoteItem, VoteRound
from core.evaluation.measures.davidson import ArmWorths, Comparison, arm_worths
from core.services.votes.results import results_of


@dataclass(frozen=True, slots=True)
class VotedWorths:
    """Worths by people's votes; ``is_final`` says whether every round has its planned number of decisive items."""

    worths: ArmWorths
    comparisons: int
    is_final: bool

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        found = self.worths
        return {
            "base": found.base,
            "worths": {arm: plain(one) for arm, one in found.worths.items()},
            "chances": {arm: plain(one) for arm, one in found.chances.items()},
            "tie": plain(found.tie),
            "comparisons": self.comparisons,
            "final": self.is_final,
            "problem": found.problem,
        }


def worths_of(rounds: Sequence[tuple[VoteRound, Sequence[VoteItem], Sequence[Vote]]], base: str) -> VotedWorths:
    """Return the worths by all settled items; items with equal answers are ties.

    Of an item that two rounds asked about the same arms the first outcome counts. Intervals are shown once every round
    has reached its planned number, because before that people watch the numbers grow.
    """
    found: dict[tuple[frozenset[str], str, str], Comparison] = {}
    is_final = True
    for one, items, votes in rounds:
        results = results_of(one, items, votes)
        is_final = is_final and results.is_final
        outcomes = [(item.suite, item.item, item.outcome) for item in results.items]
        outcomes += [(suite, item, 0.5) for suite, item in one.identical]
        arms = frozenset((one.first_arm, one.second_arm))
        for suite, item, outcome in outcomes:
            made = Comparison(one.first_arm, one.second_arm, outcome, (suite, item))
            found.setdefault((arms, suite, item), made)
    worths = arm_worths(list(found.values()), base, with_intervals=is_final)
    return VotedWorths(worths, len(found), is_final)
