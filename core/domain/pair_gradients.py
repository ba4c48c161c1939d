"""How far single pairs pull the weights of a policy: the norm of the gradient of each one's loss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.domain.number_text import estimate_text, format_value

NORM_WORDS = "mean L2 norm of the loss gradient of a drawn training pair by all trainable weights"


@dataclass(frozen=True, slots=True)
class PairGradient:
    """One pair under a policy.

    Attributes:
        norm: L2 norm of d loss / d trainable weights, nats per unit of weight. loss: nats.
        margin: z = beta * h. weight: of the pair in the gradient, for sigmoid s(-z).
        is_worst: whether it is one of the pairs with the lowest margin; the others were drawn.
    """

    pair_id: str
    norm: float
    loss: float
    margin: float
    weight: float
    is_worst: bool


@dataclass(frozen=True, slots=True)
class PairGradients:
    """The pairs with the lowest margin beside pairs that were drawn.

    Attributes:
        step: of the checkpoint; 0 is the result of the run. mean: of the drawn pairs, with its interval by prompt.
        weights: how many numbers the gradient is by. seconds: that a pair took.
        of: training pairs that the run can use.
    """

    run_id: str
    step: int
    pairs: tuple[PairGradient, ...]
    mean: Estimate
    weights: int
    seconds: float
    of: int

    def sentence(self) -> str:
        """Return what was found in words."""
        worst = [one.norm for one in self.pairs if one.is_worst]
        told = f"A drawn pair pulls with a norm of {estimate_text(self.mean)} of {counted(self.of, 'pair')}"
        if worst and self.mean.value > 0:
            times = sum(worst) / len(worst) / self.mean.value
            told += f"; {counted(len(worst), 'pair')} with the lowest margin with {format_value(times, 2)} times that"
        return f"{told}. By {counted(self.weights, 'weight')}, {format_value(self.seconds, 2)} s a pair."

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run": self.run_id,
            "step": self.step,
            "mean": plain(self.mean),
            "weights": self.weights,
            "seconds_a_pair": self.seconds,
            "of": self.of,
            "pairs": [asdict(one) for one in self.pairs],
        }
