"""Labels that a run contradicts: suspects of naming the wrong side, judged again blind, never flipped by a program."""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    pair_id: int
    right: float
    held_out: bool
    contradicted: bool | None = None


@dataclass(frozen=True, slots=True)
class SuspectReport:
    """The suspects of a run, the most certain first.

    Attributes:
        pairs: how many pairs with a label were measured.
        flipped: share of labels that the confident joint puts on the other side.
        precision: k -> share of the first k suspects that were judged again and contradicted.
    """

    run_id: str
    pairs: int
    flipped: Estimate
    suspects: tuple[LabelSuspect, ...]
    precision: dict[int, Estimate]

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
