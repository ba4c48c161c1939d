"""Labels that a run contradicts: suspects of naming the wrong side, judged again blind, never flipped by a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain


@dataclass(frozen=True, slots=True)
class LabelSuspect:
    """A pair whose label a run contradicts with confidence.

    Attributes:
        right: probability that the policy gives to the label, sigma of the margin.
        held_out: whether the run never trained on the pair; a trained one resisted the training.
        contradicted: whether the newest answer given since names the other side; None while there is none.
        judgement_id: the label.
    """

    pair_id: int
    right: float
    held_out: bool
    contradicted: bool | None = None
    judgement_id: int = 0


@dataclass(frozen=True, slots=True)
class SuspectReport:
    """The suspects of a run, the most certain first.

    Attributes:
        pairs: how many pairs with a label were measured.
        flipped: share of labels that the confident joint puts on the other side.
        precision: k -> share of the first k suspects that were judged again and contradicted.
        others: pair -> label, for the measured pairs whose labels the run does not contradict.
    """

    run_id: str
    pairs: int
    flipped: Estimate
    suspects: tuple[LabelSuspect, ...]
    precision: dict[int, Estimate]
    others: Mapping[int, int] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run_id": self.run_id,
            "pairs": self.pairs,
            "flipped": plain(self.flipped),
            "suspects": [
                {
                    "pair": one.pair_id,
                    "right": round(one.right, 6),
                    "held_out": one.held_out,
                    "contradicted": one.contradicted,
                }
                for one in self.suspects
            ],
            "precision": {str(k): plain(found) for k, found in self.precision.items()},
        }


@dataclass(frozen=True, slots=True)
class SuspectMark:
    """One pair of a batch of suspects, as it was when the batch was made.

    Attributes:
        judgement_id: the label that is in doubt.
        rank: 1 for the most suspicious; 0 for a pair of the random share, which the run did not contradict.
        right: probability that the run gave to the label; 1 for a pair of the random share, where it is not kept.
    """

    pair_id: int
    judgement_id: int
    rank: int
    right: float = 1.0

    def to_plain(self) -> list[Any]:
        """Return plain values for JSON, in the order of the arguments."""
        return [self.pair_id, self.judgement_id, self.rank, round(self.right, 6)]


@dataclass(frozen=True, slots=True)
class SuspectPrecision:
    """What judging the suspects of a batch again showed; n of an estimate counts pairs that were judged again.

    Attributes:
        suspects, judged: pairs that were suspects, and how many of them have an answer that was given since.
        precision: k -> share of the first k suspects whose newest answer names the other side; the largest k is all
            of them.
        others: the same share of the pairs that the run did not contradict; what would be contradicted anyway.
    """

    batch: str
    run_id: str
    suspects: int
    judged: int
    precision: dict[int, Estimate]
    others: Estimate | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "batch": self.batch,
            "run_id": self.run_id,
            "suspects": self.suspects,
            "judged": self.judged,
            "precision": [
                {"k": k, "hits": round(found.value * found.n), **plain(found)} for k, found in self.precision.items()
            ],
            "others": plain(self.others) if self.others is not None else None,
        }
