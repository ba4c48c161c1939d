"""What is paid in KL to the reference, and what it buys in quality: evaluated runs, and runs by their own probes.

Evaluated runs stand in one group when they differ in beta and seed alone; runs by their own probes when their held-out
pairs, model and horizon are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from core.domain.estimate import Estimate
from core.domain.evidence import plain

SEEDS = 3
"""Seeds of one beta from which the spread between seeds is told."""


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """One evaluated policy.

    Attributes:
        evaluation_id, name: of its evaluation. run: name of its run. step: of the checkpoint; 0 is the result.
        beta, seed: of the run. group: number of the settings, model and data that it shares with others, from 1.
        kl: sequence KL to the reference. quality: the number that is traded for it.
        over_refusal, safe_refusal: beside them; None where not measured.
        beaten_by: evaluation with no more KL and no less quality, and more of one; "" where there is none.
        clearly: whether the intervals of both numbers say so too.
    """

    evaluation_id: str
    name: str
    run: str
    step: int
    beta: float
    seed: int
    group: int
    kl: Estimate
    quality: Estimate
    over_refusal: Estimate | None = None
    safe_refusal: Estimate | None = None
    beaten_by: str = ""
    clearly: bool = False

    @property
    def key(self) -> str:
        """The id of its evaluation."""
        return self.evaluation_id

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        numbers = ("kl", "quality", "over_refusal", "safe_refusal")
        names = [name for name in self.__slots__ if name not in numbers]
        known = {name: getattr(self, name) for name in numbers}
        return {
            **{name: getattr(self, name) for name in names},
            **{name: plain(one) if one is not None else None for name, one in known.items()},
        }


@dataclass(frozen=True, slots=True)
class RunPoint:
    """One run by what its own probes measured.

    Attributes:
        run_id, name, folder: of the run. values: the settings that vary between the runs, in words.
        step: at which both numbers were measured; 0 where they are of different steps, see ``note``.
        group: number of the held-out pairs, model and horizon that it shares with others, from 1.
        other_objective: whether its fingerprint differs from that of most others in more than what varies freely:
            beta, seed, and how long and how fast it is trained.
        kl: on-policy KL to the reference. quality: what is traded for it.
        beaten_by: run with no more KL and no less quality, and more of one; "" where there is none.
        clearly: whether the intervals of both numbers say so too.
        note: what should be known of its numbers, "" for nothing.
    """

    run_id: str
    name: str
    folder: str
    values: Mapping[str, str]
    step: int
    group: int
    other_objective: bool
    kl: Estimate
    quality: Estimate
    beaten_by: str = ""
    clearly: bool = False
    note: str = ""

    @property
    def key(self) -> str:
        """The id of the run."""
        return self.run_id

    @property
    def label(self) -> str:
        """The settings that vary, in words; its name where none does."""
        return ", ".join(f"{key} {value}" for key, value in self.values.items()) or self.name

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        numbers = ("kl", "quality")
        names = [name for name in self.__slots__ if name not in (*numbers, "values")]
        return {
            **{name: getattr(self, name) for name in names},
            "values": dict(self.values),
            **{name: plain(getattr(self, name)) for name in numbers},
        }


@dataclass(frozen=True, slots=True)
class RunFrontier:
    """Runs by their own probes, by group and KL.

    Attributes:
        number: what quality is. varied: the settings that differ between the runs.
        left_out: a sentence for each run without a place.
        reference: the same quality of the reference, by group.
    """

    number: str
    varied: tuple[str, ...]
    points: tuple[RunPoint, ...] = ()
    left_out: tuple[str, ...] = ()
    reference: Mapping[int, Estimate] = field(default_factory=dict[int, Estimate])

    @property
    def best(self) -> tuple[RunPoint, ...]:
        """The points that none beats, the least KL first."""
        return tuple(sorted((one for one in self.points if not one.beaten_by), key=lambda one: one.kl.value))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "number": self.number,
            "varied": list(self.varied),
            "points": [one.to_plain() for one in self.points],
            "frontier": [one.run_id for one in self.best],
            "reference": {str(group): plain(one) for group, one in self.reference.items()},
            "left_out": list(self.left_out),
        }


class PlacedPoint(Protocol):
    """What a point needs to be compared with others of its group."""

    @property
    def key(self) -> str:
        """What names it."""
        ...

    @property
    def group(self) -> int:
        """Points of other groups are not compared with it."""
        ...

    @property
    def kl(self) -> Estimate:
        """What is paid."""
        ...

    @property
    def quality(self) -> Estimate:
        """What is bought."""
        ...


AnyPoint = TypeVar("AnyPoint", FrontierPoint, RunPoint)


def judged(point: AnyPoint, others: Sequence[AnyPoint], *, higher: bool) -> AnyPoint:
    """Return the point with the one that beats it: no more KL, no less quality, and more of one; the best first.

    Args:
        point: to judge.
        others: all points; those of other groups do not count.
        higher: whether more of the quality is better.
    """
    sign = 1.0 if higher else -1.0

    def gain(other: PlacedPoint) -> tuple[float, float]:
        return sign * (other.quality.value - point.quality.value), point.kl.value - other.kl.value

    beats = [o for o in others if o.group == point.group and min(gain(o)) >= 0 and max(gain(o)) > 0]
    if not beats:
        return point
    best = max(beats, key=lambda other: (gain(other), other.key))
    high, low = (best.quality, point.quality) if higher else (point.quality, best.quality)
    apart = low.has_interval and high.has_interval and low.high < high.low
    cheaper = point.kl.has_interval and best.kl.has_interval and best.kl.high < point.kl.low
    return replace(point, beaten_by=best.key, clearly=apart and cheaper)


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """The results of one beta over its seeds; None and a sentence where there are too few."""

    group: int
    beta: float
    seeds: int
    quality: Estimate | None
    kl: Estimate | None
    missing: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        numbers = {"quality": self.quality, "kl": self.kl}
        return {
            "group": self.group,
            "beta": self.beta,
            "seeds": self.seeds,
            **{name: plain(one) if one is not None else None for name, one in numbers.items()},
            "missing": self.missing,
        }


@dataclass(frozen=True, slots=True)
class BetaFrontier:
    """All points, by group, beta, seed and step.

    Attributes:
        number: what quality is. quality_suite, kl_suite: suites that the numbers are of.
        seeds: what is known of each beta over its seeds.
        left_out: a sentence for each evaluation without a place.
    """

    number: str
    quality_suite: str
    kl_suite: str
    points: tuple[FrontierPoint, ...] = ()
    seeds: tuple[SeedSpread, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    @property
    def best(self) -> tuple[FrontierPoint, ...]:
        """The points that none beats, the least KL first."""
        return tuple(sorted((one for one in self.points if not one.beaten_by), key=lambda one: one.kl.value))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "number": self.number,
            "quality_suite": self.quality_suite,
            "kl_suite": self.kl_suite,
            "points": [one.to_plain() for one in self.points],
            "frontier": [one.evaluation_id for one in self.best],
            "seeds": [one.to_plain() for one in self.seeds],
            "left_out": list(self.left_out),
        }
