"""What beta buys: evaluated runs that differ in beta and seed alone, by KL to the reference and by quality."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
