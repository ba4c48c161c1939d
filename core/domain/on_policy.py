"""Which share of items holds answers that a known policy gave: what makes a round of labels on-policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.domain.counting import counted


class PolicyMark(NamedTuple):
    """A policy that an answer was sampled from: a run (its id, name and checkpoint), or a model by its name alone."""

    run: str
    name: str
    checkpoint: str = ""

    @property
    def title(self) -> str:
        """The policy in words.

        >>> PolicyMark("r1", "dpo-b0.1", "step 120").title, PolicyMark("", "SmolLM2-135M").title
        ('dpo-b0.1, step 120', 'SmolLM2-135M')
        """
        return f"{self.name}, {self.checkpoint}" if self.checkpoint else self.name


@dataclass(frozen=True, slots=True)
class PolicyShare:
    """The items with an answer of one policy: on one side, or on both."""

    policy: PolicyMark
    one_side: int
    both_sides: int

    @property
    def items(self) -> int:
        """Items with an answer of it."""
        return self.one_side + self.both_sides


@dataclass(frozen=True, slots=True)
class OnPolicy:
    """How many items hold an answer that a policy gave, and which policies did; an item of two counts for both."""

    items: int
    of: int
    policies: tuple[PolicyShare, ...] = ()

    @classmethod
    def count(cls, marks: Mapping[int, Sequence[PolicyMark]], pair_ids: Iterable[int]) -> OnPolicy:
        """Count items.

        Args:
            marks: pair -> the policy of each of its answers that has one.
            pair_ids: the items' pairs.
        """
        wanted = list(pair_ids)
        own = [Counter(marks[key]) for key in wanted if marks.get(key)]
        one = Counter(policy for found in own for policy, sides in found.items() if sides == 1)
        both = Counter(policy for found in own for policy, sides in found.items() if sides > 1)
        shares = [PolicyShare(policy, one[policy], both[policy]) for policy in sorted({*one, *both})]
        return cls(len(own), len(wanted), tuple(sorted(shares, key=lambda share: -share.items)))

    def sentence(self) -> str:
        """Return the share in words; "" where no item has such an answer.

        >>> OnPolicy.count({3: (PolicyMark("r1", "dpo", "result"),)}, [1, 2, 3, 4]).sentence()
        'On-policy: 1 of 4 items (25 %) has an answer of a policy: 1 of dpo, result (run r1; on one side 1, on both 0).'
        """
        if not self.items:
            return ""
        parts = [
            f"{share.items:,} of {share.policy.title} ({f'run {share.policy.run[:8]}; ' if share.policy.run else ''}"
            f"on one side {share.one_side:,}, on both {share.both_sides:,})"
            for share in self.policies
        ]
        has = "has" if self.items == 1 else "have"
        share = f"{100 * self.items / self.of:.0f} %"
        of = f"{self.items:,} of {counted(self.of, 'item')} ({share})"
        return f"On-policy: {of} {has} an answer of a policy: {', '.join(parts)}."

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "items": self.items,
            "of": self.of,
            "policies": [
                {
                    "run": share.policy.run,
                    "name": share.policy.name,
                    "checkpoint": share.policy.checkpoint,
                    "items": share.items,
                    "one_side": share.one_side,
                    "both_sides": share.both_sides,
                }
                for share in self.policies
            ],
        }
