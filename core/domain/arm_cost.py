"""What an arm of an evaluation costs where it was measured: time, speed and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.estimate import Estimate
from core.domain.evidence import plain


@dataclass(frozen=True, slots=True)
class ArmCost:
    """The cost of one arm's answers on the machine that measured it; it holds for no other machine.

    Attributes:
        seconds: of an answer, in batches. speed: tokens a second over all batches.
        memory: largest of the evaluator's process after a batch, GiB; NaN where the arm answered elsewhere.
    """

    seconds: Estimate
    speed: Estimate
    memory: Estimate

    def to_plain(self) -> dict[str, Any]:
        """Return plain values with the names of evidence."""
        return {
            "seconds_per_answer": plain(self.seconds),
            "tokens_per_second": plain(self.speed),
            "memory": plain(self.memory),
        }
