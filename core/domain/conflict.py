"""When the labels of a pair are a real conflict, which somebody is to decide; and why, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core.domain.judgement import FLAGS, Verdict
from core.domain.pair import Side

ConflictRule = Literal["signs", "apart", "neither", "flag"]
MOST_APART = 2
"""Strengths that differ by more are a conflict; a tie has strength 0."""
RULE = (
    "Signs differ, strengths are more than 2 apart, one says neither answer is valid and another compares them, "
    "or a flag is set."
)
"""The rule in a sentence."""


@dataclass(frozen=True, slots=True)
class LabelSaid:
    """What a label says, as far as the rule looks at it; ``strength`` is canonical, None where no side is preferred."""

    verdict: Verdict
    strength: int | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a pair is to be decided.

    Attributes:
        rules: that apply, in this order: signs, apart, neither, flag.
        for_a, for_b: labels that prefer the response A, or B.
        apart: how far the strengths are apart; 0 with less than two.
        neither: labels that say that neither answer is valid.
        flags: those that are set, in the order of ``FLAGS``.
    """

    rules: tuple[ConflictRule, ...]
    for_a: int
    for_b: int
    apart: int
    neither: int
    flags: tuple[str, ...]

    def words(self, left_is: Side | None = None) -> str:
        """Return the rules in words: for A and B, or for the sides of a screen on which ``left_is`` stands left.

        >>> Conflict(("signs", "apart"), 2, 1, 4, 0, ()).words()
        'signs differ (2 for A, 1 for B), strengths 4 apart'
        >>> Conflict(("signs",), 2, 1, 2, 0, ()).words("B")
        'signs differ (1 left, 2 right)'
        """
        for_a, for_b = f"{self.for_a:,}", f"{self.for_b:,}"
        sides = f"{for_a} for A, {for_b} for B"
        if left_is is not None:
            left, right = (for_a, for_b) if left_is == "A" else (for_b, for_a)
            sides = f"{left} left, {right} right"
        said: dict[ConflictRule, str] = {
            "signs": f"signs differ ({sides})",
            "apart": f"strengths {self.apart} apart",
            "neither": f"neither valid, say {self.neither:,}",
            "flag": f"flagged: {', '.join(FLAGS[flag].lower() for flag in self.flags)}",
        }
        return ", ".join(said[rule] for rule in self.rules)


def conflict_of(labels: Iterable[LabelSaid]) -> Conflict | None:
    """Return the conflict of a pair's labels, one a reviewer, or None; see :data:`RULE`.

    "Cannot judge" is no opinion, but its flags count: somebody is to look.
    """
    given = list(labels)
    strengths = [one.strength or 0 for one in given if one.verdict in (Verdict.PREFER, Verdict.TIE)]
    for_a, for_b = sum(s < 0 for s in strengths), sum(s > 0 for s in strengths)
    apart = max(strengths) - min(strengths) if strengths else 0
    neither = sum(one.verdict is Verdict.NEITHER for one in given)
    flags = tuple(flag for flag in FLAGS if any(flag in one.flags for one in given))
    applies: dict[ConflictRule, bool] = {
        "signs": bool(for_a and for_b),
        "apart": apart > MOST_APART,
        "neither": bool(neither and strengths),
        "flag": bool(flags),
    }
    rules: tuple[ConflictRule, ...] = tuple(rule for rule, yes in applies.items() if yes)
    return Conflict(rules, for_a, for_b, apart, neither, flags) if rules else None
