"""The metrics of a step from the values of its pairs: sums and counts, never a mean of means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.domain.run_events import PairMetrics, StepDone
from core.training.forward.scorer import Scores
from core.training.losses.evaluate_pairs import PairLosses

TIE_NATS = 1e-9
"""Margins closer to 0 than this are ties: rounding of float64 sums, far below what a float32 token can mean."""


@dataclass(slots=True)
class StepTally:
    """Collects the values of the pairs of one optimizer step, in any order.

    Attributes:
        rows: by position in the step; None until computed.
        micro_batches: passes that the step was split into.
    """

    size: int
    rows: list[PairMetrics | None] = field(default_factory=list)
    rewards: list[tuple[float, float]] = field(default_factory=list)
    terms: dict[str, list[float]] = field(default_factory=dict)
    entropy: list[float] = field(default_factory=list)
    correct: list[float] = field(default_factory=list)
    micro_batches: int = 0

    def __post_init__(self) -> None:
        self.rows = [None] * self.size
        self.rewards = [(0.0, 0.0)] * self.size
        self.entropy = [math.nan] * self.size
        self.correct = [math.nan] * self.size

    def add(self, positions: Sequence[int], pair_losses: PairLosses, scores: Scores) -> None:
        """Store the values of the pairs at ``positions`` of the step."""
        entropy = None if scores.entropy is None else scores.entropy.sum(dim=1).tolist()
        correct = None if scores.correct is None else scores.correct.sum(dim=1).tolist()
        for i, position in enumerate(positions):
            self.rows[position] = pair_losses.rows[i]
            self.rewards[position] = pair_losses.rewards[i]
            for name, values in pair_losses.terms.items():
                self.terms.setdefault(name, [0.0] * self.size)[position] = values[i]
            if entropy is not None and correct is not None:
                self.entropy[position], self.correct[position] = entropy[i], correct[i]

    def in_order(self) -> list[PairMetrics]:
        """Return the values of the step's pairs in the order of the batch."""
        return [row for row in self.rows if row is not None]

    def merge(self, other: StepTally) -> None:
        """Store the values of the pairs of the same step that another process computed."""
        for position, row in enumerate(other.rows):
            if row is not None:
                self.rows[position], self.rewards[position] = row, other.rewards[position]
                self.entropy[position], self.correct[position] = other.entropy[position], other.correct[position]
                for name, values in other.terms.items():
                    self.terms.setdefault(name, [0.0] * self.size)[position] = values[position]

    def event(self, *, step: int, epoch: float, grad_norm: float, lr: float, seconds: float) -> StepDone:
        """Return the step's event; means are over its pairs, entropy and token accuracy over its response tokens."""
        rows = [row for row in self.rows if row is not None]
        tokens = sum(row.tokens_chosen + row.tokens_rejected for row in rows)
        entropy = math.fsum(self.entropy) / max(tokens, 1)
        correct = math.fsum(self.correct) / max(tokens, 1)
        return StepDone(
            step=step,
            epoch=epoch,
            loss=mean(row.loss for row in rows),
            margin=mean(row.margin for row in rows),
            h=mean(row.h for row in rows),
            accuracy=accuracy(rows),
            reward_chosen=mean(reward[0] for reward in self.rewards),
            reward_rejected=mean(reward[1] for reward in self.rewards),
            logp_chosen=mean(row.logp_chosen for row in rows),
            logp_rejected=mean(row.logp_rejected for row in rows),
            displacement_chosen=mean(row.logp_chosen - row.ref_chosen for row in rows),
            displacement_rejected=mean(row.logp_rejected - row.ref_rejected for row in rows),
            gradient_weight=mean(row.weight for row in rows),
            grad_norm=grad_norm,
            lr=lr,
            tokens_per_s=tokens / seconds if seconds > 0 else 0.0,
            pairs=len(rows),
            truncated=sum(row.truncated for row in rows),
            seconds=seconds,
            entropy=None if math.isnan(entropy) else entropy,
            token_accuracy=None if math.isnan(correct) else correct,
            micro_batches=self.micro_batches,
            extra={name: mean(values) for name, values in self.terms.items()},
            rows=tuple(rows),
        )

    def not_finite(self) -> list[str]:
        """Return the ids of the pairs whose loss or log-prob is NaN or infinite."""
        return [
            row.pair_id
            for row in self.rows
            if row is not None and not all(map(math.isfinite, (row.loss, row.logp_chosen, row.logp_rejected)))
        ]


def mean(values: Iterable[float]) -> float:
    """Return the mean, summed without rounding error; NaN for no values and for values that are not finite."""
    listed = list(values)
    if not listed or not all(map(math.isfinite, listed)):
        return math.nan
    return math.fsum(listed) / len(listed)


def accuracy(rows: Sequence[PairMetrics]) -> float:
    """Return the share of pairs with a margin above 0, a margin of 0 counting one half."""
    return mean(0.5 if abs(row.margin) <= TIE_NATS else float(row.margin > 0) for row in rows)
