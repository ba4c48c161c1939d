"""The win rate of a policy against its reference over all rounds of votes, and how it would go on at this rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.domain.estimate import Estimate
from core.evaluation.gate_curves import last_n
from core.evaluation.gate_votes import ends, votes_to_decide
from core.evaluation.measures.win_rate import sequential_win_rate
from core.services.votes.results import Pooled, VotedItem, pooled_items

_POINTS = 40


@dataclass(frozen=True, slots=True)
class VotesOutlook:
    """What the gate shows of people's votes.

    Attributes:
        arm: the policy. planned: the largest planned number of decisive items.
        items: settled ones in their order, outcomes for the policy. path: the rate after each, with its anytime-valid
            interval.
        ahead: (n, low, high) of that interval if the rate stays what it is; empty once the planned number is reached.
        decides: the n at which the interval leaves one half then; None where no sensible number does.
        voters: votes given, by reviewer.
    """

    arm: str = ""
    planned: int = 0
    items: tuple[VotedItem, ...] = ()
    path: tuple[Estimate, ...] = ()
    ahead: tuple[tuple[float, float, float], ...] = ()
    decides: int | None = None
    voters: Mapping[str, int] = field(default_factory=dict)


def outlook_of(arm: str, rounds: Pooled) -> VotesOutlook:
    """Return the outlook of the rounds between a policy and its reference."""
    items = pooled_items(rounds)
    path = tuple(sequential_win_rate([item.outcome for item in items]))
    planned = max((one.planned for one, *_ in rounds), default=0)
    voters = Counter(vote.reviewer for _, _, votes, _ in rounds for vote in votes)
    now = path[-1] if path and path[-1].n else None
    if now is None or now.n >= planned:
        return VotesOutlook(arm, planned, tuple(items), path, voters=voters)
    decides = votes_to_decide(now)
    end = last_n(now.n, planned, decides)
    ahead = [(n, *ends(now.value, n)) for n in (now.n + (end - now.n) * k / _POINTS for k in range(_POINTS + 1))]
    return VotesOutlook(arm, planned, tuple(items), path, tuple(ahead), decides, voters)
