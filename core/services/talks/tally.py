"""What the saved votes of a talk come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.estimate import Estimate
from core.domain.judgement import Verdict
from core.domain.talk import Exchange


@dataclass(frozen=True, slots=True)
class TalkTally:
    """Saved votes between two arms.

    Attributes:
        first, second: their names. wins: votes for each, ties and neither, in this order.
        blind: how many were given blind. share: of decided votes that the first won; None without any.
    """

    first: str
    second: str
    wins: tuple[int, int, int, int]
    blind: int
    share: Estimate | None

    @property
    def votes(self) -> int:
        """All of them."""
        return sum(self.wins)


def tally_of(exchanges: Sequence[Exchange], first: str, second: str) -> TalkTally:
    """Count the saved votes of exchanges between two arms."""
    counts, blind = Counter[str](), 0
    for exchange in exchanges:
        if exchange.vote is None or not exchange.pair_id or set(exchange.order) != {first, second}:
            continue
        blind += exchange.vote.blind
        strength = exchange.vote.strength
        if strength is not None:
            counts[exchange.order[0 if strength < 0 else 1]] += 1
        else:
            counts["tie" if exchange.vote.verdict is Verdict.TIE else "neither"] += 1
    decided = counts[first] + counts[second]
    share = None
    if decided:
        # It imports numpy, which the window does not wait for.
        from core.evaluation.estimates import proportion

        hits = [1.0] * counts[first] + [0.0] * counts[second]
        share = proportion(hits, "share of decided votes; Wilson 95 %")
    return TalkTally(first, second, (counts[first], counts["tie"], counts[second], counts["neither"]), blind, share)
