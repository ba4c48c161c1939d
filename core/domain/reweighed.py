"""Numbers of an evaluation in another mix of slices than the suite has: what they would be on other traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain


@dataclass(frozen=True, slots=True)
class ReweighedMetric:
    """One metric of the policy and its reference.

    Attributes:
        policy, reference, difference: in the target mix; the difference is paired, item by item.
        pooled: the same paired difference as the suite mixes its items.
        alarm: the sentence where the mixes point different ways; "" where they do not.
    """

    metric: str
    policy: Estimate
    reference: Estimate
    difference: Estimate
    pooled: Estimate
    alarm: str


@dataclass(frozen=True, slots=True)
class Reweighed:
    """A suite in a target mix.

    Attributes:
        suite, slice: its title, and the name of the slices that are weighed.
        mix: weight of each value; they add up to 1. origin: where they come from, in words.
        covered: share of the mix that the suite has items for; the rest is in no number.
        own: share of each of these values among the items of the suite.
    """

    suite: str
    slice: str
    mix: Mapping[str, float]
    origin: str
    covered: float
    own: Mapping[str, float]
    metrics: tuple[ReweighedMetric, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said beside the numbers."""
        missing = [value for value in self.mix if value not in self.own]
        if not missing:
            return ()
        share = f"{100 * (1 - self.covered):.0f} % of the target mix"
        return (f"The suite has no item of {', '.join(missing)}: {share} is in no number.",)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "suite": self.suite,
            "slice": self.slice,
            "mix": dict(self.mix),
            "origin": self.origin,
            "covered": self.covered,
            "own": dict(self.own),
            "metrics": {
                one.metric: {
                    **{name: plain(getattr(one, name)) for name in ("policy", "reference", "difference", "pooled")},
                    "alarm": one.alarm,
                }
                for one in self.metrics
            },
            "notes": list(self.notes),
        }
