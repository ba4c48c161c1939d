"""A threshold that a guardrail or an automatic acceptance goes by. It does not exist without its error rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.domain.estimate import Estimate
from core.domain.ids import sha256_json

ThresholdUse = Literal["guardrail", "auto_accept"]
GuardAction = Literal["refuse", "flag"]
"""What a guardrail does with an answer whose score reaches the threshold."""
DetPoint = tuple[float, float, float]
"""A threshold with its FPR and its FNR."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often a threshold errs on one set of examples.

    Attributes:
        fpr: share of the negatives that reach it. fnr: share of the positives that do not.
        on: what the examples are, in words, with a hash where there is one.

    Raises:
        BadInput: when one of them was measured on nothing, or has no interval.
    """

    fpr: Estimate
    fnr: Estimate
    on: str

    def __post_init__(self) -> None:
        for name, rate, kind in (("FPR", self.fpr, "negative"), ("FNR", self.fnr, "positive")):
            if not rate.n or not math.isfinite(rate.value) or not rate.has_interval:
                raise BadInput(
                    f"The {name} is not known: {self.on or 'the set'} has no {kind} example. Nothing was saved.",
                    f"Add {kind} examples with labels of people.",
                )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"fpr": self.fpr.to_plain(), "fnr": self.fnr.to_plain(), "on": self.on}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> ErrorRates:
        """Return the rates of :meth:`to_plain`."""
        return cls(Estimate(**row["fpr"]), Estimate(**row["fnr"]), str(row["on"]))


@dataclass(frozen=True, slots=True)
class ErrorCosts:
    """What the two errors cost, and how often the positive occurs in use."""

    false_positive: float = 1.0
    false_negative: float = 1.0
    prevalence: float = 0.5

    def __post_init__(self) -> None:
        if min(self.false_positive, self.false_negative) < 0 or not 0 <= self.prevalence <= 1:
            raise BadInput("Costs are not below 0, and the prevalence is a share.", "Name other numbers.")

    def cheapest(self, det: Sequence[DetPoint]) -> int:
        """Return the place of the DET point that costs least; of equal ones that of the highest threshold."""
        found = [self.of(fpr, fnr) for _, fpr, fnr in det]
        least = min(found)
        return max((place for place, cost in enumerate(found) if cost <= least + 1e-15), key=lambda at: det[at][0])

    def of(self, fpr: float, fnr: float) -> float:
        """Return the expected cost of one case: c_FP FPR (1 - pi) + c_FN FNR pi."""
        return self.false_positive * fpr * (1 - self.prevalence) + self.false_negative * fnr * self.prevalence


@dataclass(frozen=True, slots=True)
class Threshold:
    """One version of a threshold; immutable once it is stored.

    Attributes:
        number: of the version; 0 before it is stored.
        detector: what gives the scores: name and hash. value: scores from here on count as positive.
        scoring: the detector itself as plain values, see :mod:`core.evaluation.guard_scores`; empty for one that only
            another program has.
        dev: error rates on the set on which it was chosen.
        held_out: the same on a set that nothing was chosen on; None before it is confirmed.
        det: (value, FPR, FNR) along all thresholds on the dev set.
        valid_from_ms, valid_to_ms: when it may be used, UTC milliseconds; 0 leaves an end open.
    """

    name: str
    use: ThresholdUse
    detector: str
    value: float
    dev: ErrorRates
    held_out: ErrorRates | None = None
    action: GuardAction = "refuse"
    costs: ErrorCosts = field(default_factory=ErrorCosts)
    det: tuple[DetPoint, ...] = ()
    valid_from_ms: int = 0
    valid_to_ms: int = 0
    note: str = ""
    number: int = 0
    scoring: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.use not in get_args(ThresholdUse) or self.action not in get_args(GuardAction):
            raise BadInput("A threshold is for a guardrail or auto_accept; it refuses or flags.")
        if not math.isfinite(self.value) or not self.name.strip() or not self.detector.strip():
            raise BadInput("A threshold needs a name, a detector and a number.", "Name all three.")
        if self.valid_to_ms and self.valid_to_ms <= self.valid_from_ms:
            raise BadInput("The threshold ends before it begins.", "Choose a later end.")

    @property
    def title(self) -> str:
        """Name and number, as shown everywhere."""
        return f"{self.name} v{self.number}" if self.number else self.name

    @property
    def confirmed(self) -> bool:
        """Whether its error rates were measured on a set that nothing was chosen on."""
        return self.held_out is not None

    @property
    def sha256(self) -> str:
        """Hash of all but the number."""
        return sha256_json({key: value for key, value in self.to_plain().items() if key != "number"})

    def valid_at(self, at_ms: int) -> bool:
        """Return whether it may be used then."""
        return self.valid_from_ms <= at_ms and (not self.valid_to_ms or at_ms < self.valid_to_ms)

    def require_guardrail(self, at_ms: int) -> None:
        """Raise where it cannot stand between a policy and its users.

        Args:
            at_ms: when it is to be used, UTC milliseconds.

        Raises:
            UsageError: it is for something else, or not valid then.
            BadInput: it is not confirmed on a sealed test, or its detector is not stored.
        """
        if self.use != "guardrail":
            raise UsageError(
                f"{self.title} accepts labels by itself; it is no guardrail. Nothing was made.",
                "Name a threshold that was made for a guardrail.",
            )
        if not self.confirmed:
            raise BadInput(
                f"{self.title} is not confirmed: nobody knows how often it errs on examples that it was not chosen on. "
                "Nothing was made.",
                "Confirm it on a sealed test first: pairwright threshold confirm WS NAME --on DATASET, or Thresholds "
                "on the page Evaluate.",
            )
        if not self.scoring:
            raise BadInput(
                f"The detector of {self.title} ({self.detector}) is not stored with it, so it cannot be run. Nothing "
                "was made.",
                "Measure a threshold of a detector that this program has.",
            )
        if not self.valid_at(at_ms):
            raise UsageError(
                f"{self.title} is not valid now. Nothing was made.", "Make a version that is, and confirm it."
            )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as stored and hashed."""
        stored = {"scoring": dict(self.scoring)} if self.scoring else {}
        return {
            **stored,
            "name": self.name,
            "number": self.number,
            "use": self.use,
            "action": self.action,
            "detector": self.detector,
            "value": self.value,
            "dev": self.dev.to_plain(),
            "held_out": None if self.held_out is None else self.held_out.to_plain(),
            "costs": asdict(self.costs),
            "det": [list(point) for point in self.det],
            "valid_from_ms": self.valid_from_ms,
            "valid_to_ms": self.valid_to_ms,
            "note": self.note,
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> Threshold:
        """Return the threshold of :meth:`to_plain`.

        Raises:
            BadInput: when a part is missing or cannot be.
        """
        try:
            values = {key: row[key] for key in _PLAIN if key in row}
            held_out = row.get("held_out")
            return cls(
                **values,
                dev=ErrorRates.from_plain(row["dev"]),
                held_out=None if held_out is None else ErrorRates.from_plain(held_out),
                costs=ErrorCosts(**row.get("costs", {})),
                det=tuple((float(v), float(p), float(n)) for v, p, n in row.get("det", ())),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"The threshold lacks {error}.", "Measure it anew.") from error

    def words(self) -> str:
        """Return what it does and how often it errs, one sentence."""
        rates = self.held_out or self.dev
        kind = "held-out" if self.confirmed else "dev"
        return (
            f"{self.title}: scores from {self.value:g} on; FPR {100 * rates.fpr.value:.1f} % "
            f"[{100 * rates.fpr.low:.1f}, {100 * rates.fpr.high:.1f}] of {counted(rates.fpr.n, 'negative')}, "
            f"FNR {100 * rates.fnr.value:.1f} % [{100 * rates.fnr.low:.1f}, {100 * rates.fnr.high:.1f}] of "
            f"{counted(rates.fnr.n, 'positive')} ({kind} set)."
        )


_PLAIN = ("name", "number", "use", "action", "detector", "value", "valid_from_ms", "valid_to_ms", "note", "scoring")
