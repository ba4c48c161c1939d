"""A proxy is a number that stands for quality and that training can raise without any. Each has a counter-metric.

Source: C. Goodhart (1975); L. Gao et al., arXiv 2210.10760 for reward models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from core.domain.estimate import Estimate
from core.domain.evidence import plain

NextStep = Literal["", "people", "votes", "evaluate"]
NEXT_STEPS: tuple[NextStep, ...] = get_args(NextStep)
"""What brings a missing number: asking people, more votes, or another evaluation; "" where nothing is missing."""


@dataclass(frozen=True, slots=True)
class RegisteredProxy:
    """One proxy as an evaluation shows it.

    Attributes:
        key: its name for machines. title: for people.
        proxy, counter: names of the two numbers.
        value, against: the numbers; None where nothing was measured.
        alarm: why the proxy rises without the quality that it stands for; "" without alarm.
        missing: what must be measured before the alarm can say anything; "" when all is there.
        watermarks: what every page that shows the proxy says beside it.
        next_step: what brings the missing number.
    """

    key: str
    title: str
    proxy: str
    counter: str
    value: Estimate | None
    against: Estimate | None
    alarm: str = ""
    missing: str = ""
    watermarks: tuple[str, ...] = ()
    next_step: NextStep = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "proxy": {"name": self.proxy, **(plain(self.value) if self.value else {})},
            "counter": {"name": self.counter, **(plain(self.against) if self.against else {})},
            "alarm": self.alarm,
            "missing": self.missing,
            "watermarks": list(self.watermarks),
            "next_step": self.next_step,
        }


@dataclass(frozen=True, slots=True)
class CheckpointProxies:
    """The register at one evaluated checkpoint; ``step`` 0 is the run's result."""

    evaluation_id: str
    name: str
    step: int
    proxies: tuple[RegisteredProxy, ...]


@dataclass(frozen=True, slots=True)
class CurveCheckpoint:
    """One checkpoint of the over-optimisation curve.

    Attributes:
        evaluation_id, name: of the evaluation that measured it. step: of training; 0 is the run's result.
        distance: square root of the sequence KL to the reference, in square-root nats.
        accuracy: share of held-out pairs that the policy ranks as people do; None where it was not measured.
        people: win rate of the policy by people's votes; None where nobody voted.
        alarms: titles of the proxies with an alarm at this checkpoint.
    """

    evaluation_id: str
    name: str
    step: int
    distance: Estimate
    accuracy: Estimate | None = None
    people: Estimate | None = None
    alarms: tuple[str, ...] = ()

    @property
    def checkpoint(self) -> str:
        """The checkpoint in words."""
        return f"step {self.step}" if self.step else "result"

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "evaluation": self.name,
            "step": self.step,
            "distance": plain(self.distance),
            "preference_accuracy": plain(self.accuracy) if self.accuracy else None,
            "win_rate": plain(self.people) if self.people else None,
            "alarms": list(self.alarms),
        }


@dataclass(frozen=True, slots=True)
class FittedCurve:
    """The curve 1/2 + d (a - b log d) through the checkpoints in one number, or why there is none.

    Attributes:
        number: ``preference_accuracy`` or ``win_rate``.
        gain, decay: a and b. peak: distance at which the curve turns; NaN where it does not.
        residual: root mean square of what the curve leaves.
        path: distance and value of the curve, from 0 to the last checkpoint; () without a curve.
        missing: why there is no curve; "" where there is one.
    """

    number: str
    gain: Estimate | None = None
    decay: Estimate | None = None
    peak: Estimate | None = None
    residual: float = 0.0
    path: tuple[tuple[float, float], ...] = ()
    missing: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        known = {"gain": self.gain, "decay": self.decay, "peak": self.peak}
        named = {name: plain(one) for name, one in known.items() if one is not None}
        return {"number": self.number, **named, "residual": self.residual, "missing": self.missing}


@dataclass(frozen=True, slots=True)
class CheckpointCurve:
    """Quality of a run's evaluated checkpoints against their distance from the reference.

    Attributes:
        points: one a checkpoint, by step; the run's result comes last.
        kl_suite, accuracy_suite: suites that the numbers are of: those that most checkpoints were measured on.
        fits: of the accuracy and of the win rate by people.
        left_out: a sentence for each evaluated checkpoint without a place on the curve.
        alarm: that quality fell while the proxy rose; "" without alarm.
    """

    points: tuple[CurveCheckpoint, ...] = ()
    kl_suite: str = ""
    accuracy_suite: str = ""
    fits: tuple[FittedCurve, ...] = ()
    left_out: tuple[str, ...] = ()
    alarm: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "points": [one.to_plain() for one in self.points],
            "kl_suite": self.kl_suite,
            "accuracy_suite": self.accuracy_suite,
            "fits": [one.to_plain() for one in self.fits],
            "left_out": list(self.left_out),
            "alarm": self.alarm,
        }
