"""What was measured on the first pairs of a generation before it is started: how they read, and what all will take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.conversation import Prompt
from core.domain.estimate import Estimate
from core.domain.generated_pairs import GeneratedAnswer


@dataclass(frozen=True, slots=True)
class TriedPairs:
    """The first pairs, tried.

    Attributes:
        prompt: of the first pair. a, b: its answers.
        answers: how many were tried, on both sides. of: how many the generation has.
        took_s: seconds that trying took, loading included.
        seconds: expected of the whole generation. tokens: of an answer. cut: share of answers that were cut.
        memory_bytes: most memory that the process had, and machine_bytes: of the machine.
    """

    prompt: Prompt
    a: GeneratedAnswer
    b: GeneratedAnswer
    answers: int
    of: int
    took_s: float
    seconds: Estimate
    tokens: Estimate
    cut: Estimate
    memory_bytes: int = 0
    machine_bytes: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            **{name: getattr(self, name) for name in ("answers", "of", "took_s", "memory_bytes", "machine_bytes")},
            "prompt": self.prompt.to_plain(),
            "a": asdict(self.a),
            "b": asdict(self.b),
            **{name: getattr(self, name).to_plain() for name in ("seconds", "tokens", "cut")},
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> TriedPairs:
        """Return what was written by :meth:`to_plain`."""
        numbers = {name: _estimate(row[name]) for name in ("seconds", "tokens", "cut")}
        a, b = GeneratedAnswer(**row["a"]), GeneratedAnswer(**row["b"])
        return cls(**{**row, **numbers, "prompt": Prompt.from_plain(row["prompt"]), "a": a, "b": b})


def _estimate(row: Mapping[str, Any]) -> Estimate:
    value, low, high = (math.nan if row[key] is None else float(row[key]) for key in ("value", "low", "high"))
    return Estimate(value, low, high, row["n"], row["unit"], row["estimator"], row["se"], row["groups"])
