"""The gate before a release: five groups of checks, each with its own state, and an outcome that is never one score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from core.domain.counting import number
from core.domain.estimate import Estimate
from core.domain.evidence import plain

GateState = Literal["passed", "failed", "insufficient"]
GATE_STATES: tuple[GateState, ...] = get_args(GateState)
STATE_WORDS: Mapping[GateState, str] = {
    "passed": "Passed",
    "failed": "Failed",
    "insufficient": "Insufficient evidence",
}
GateGroup = Literal["evidence", "vetoes", "gain", "health", "people"]
GATE_GROUPS: tuple[GateGroup, ...] = get_args(GateGroup)
"""In this order: can anything be said, what forbids a release, what speaks for it, how it was got, who looked."""


@dataclass(frozen=True, slots=True)
class GateBound:
    """What the interval of a check's deciding number must keep.

    Attributes:
        figure: name of that number among the check's figures.
        limit: that the interval must stay below; with ``above`` it must stay above.
        any_time: the interval holds at any time of looking, and narrows as a confidence sequence does.
    """

    figure: str
    limit: float
    above: bool = False
    any_time: bool = False


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One check of the gate.

    Attributes:
        key: machine name, unique in the gate.
        title: what is checked, in words.
        reason: why it has its state, one or two sentences.
        figures: the numbers behind it, by name.
        needed: what would decide it: how many items, or what to do; "" where it is decided.
        needed_n: how many items (or judgements) would decide it, if the number stays what it is; None where that is not
            known or no number would.
        measured: what was found, in a few words. limit: what it must be, in as few.
        suite: whose items are behind it; "" for none. part: name and value of the slice of it; empty for all.
        bound: what the deciding number must keep; None where no interval decides.
    """

    key: str
    group: GateGroup
    title: str
    state: GateState
    reason: str
    figures: Mapping[str, Estimate] = field(default_factory=dict)
    needed: str = ""
    needed_n: int | None = None
    measured: str = ""
    limit: str = ""
    suite: str = ""
    part: tuple[str, str] = ("", "")
    bound: GateBound | None = None

    @property
    def decides(self) -> str:
        """What would decide it in a few words: how many more, or the first sentence of what to do."""
        if self.needed_n is not None and self.needed.startswith("About"):
            return f"≈ {number(self.needed_n)}"
        return self.needed.partition(". ")[0].rstrip(".")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, figures with the short names of evidence."""
        return {
            "check": self.key,
            "group": self.group,
            "title": self.title,
            "state": self.state,
            "reason": self.reason,
            "figures": {name: plain(figure) for name, figure in self.figures.items()},
            "needed": self.needed,
            "needed_n": self.needed_n,
            "measured": self.measured,
            "limit": self.limit,
            "suite": self.suite,
        }


@dataclass(frozen=True, slots=True)
class GateDecision:
    """What the gate says: every check, and the outcome that follows from them."""

    checks: tuple[GateCheck, ...]

    @property
    def outcome(self) -> GateState:
        """Failed where any check failed; else insufficient where any is undecided; passed only where all passed."""
        states = {check.state for check in self.checks}
        if "failed" in states:
            return "failed"
        return "passed" if states == {"passed"} else "insufficient"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass, the failed checks first; nothing where it passed."""
        order = ("failed", "insufficient")
        found = sorted((c for c in self.checks if c.state in order), key=lambda check: order.index(check.state))
        return tuple(f"{c.title}: {c.reason}{f' {c.needed}' if c.needed else ''}" for c in found)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as ``gate --json`` prints them and a release keeps them."""
        return {
            "outcome": self.outcome,
            "outcome_words": STATE_WORDS[self.outcome],
            "reasons": list(self.reasons),
            "groups": {
                group: [check.to_plain() for check in self.checks if check.group == group] for group in GATE_GROUPS
            },
        }
