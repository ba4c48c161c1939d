"""What is known of one pair in one run, and of the same pair in every other run of a workspace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core.domain.lab_steps import LN2, LabFigure, LabStep, softplus
from core.domain.losses import LOSS_ROWS
from core.domain.number_text import MINUS, format_value, signed
from core.domain.run_events import PairMetrics

_SAME = 2e-3
"""How far the loss of the formula may be from the measured one, relative to 1 or more: the ledger has float32."""


@dataclass(frozen=True, slots=True)
class RunLook:
    """The last look of a run at a pair.

    Attributes:
        step, kind: when, and as what ("dev", "probe_train", "train").
        h: nats; margin: beta * h. median_h: of the ``pairs`` pairs of that look, nats.
        same_fingerprint: whether the run has the objective of the run that is inspected.
        is_swapped: the run was trained with the other answer as the chosen one; h and margin are those of the
            inspected run's order all the same.
    """

    run_id: str
    name: str
    beta: float
    step: int
    kind: str
    h: float
    margin: float
    median_h: float
    pairs: int
    same_fingerprint: bool
    is_swapped: bool


@dataclass(frozen=True, slots=True)
class PairDossier:
    """One pair in one run.

    Attributes:
        step, kind: of the measurement; ``metrics`` are its numbers.
        loss: the formula of the run's loss with the numbers of the pair.
        weight_rank: 1 where no pair of the same step pulled more; weights: of all pairs of that step.
        runs: every run of the workspace that measured the pair, the largest h first.
    """

    run_id: str
    pair_id: str
    step: int
    kind: str
    metrics: PairMetrics
    loss: LabStep
    weight_rank: int
    weights: tuple[float, ...]
    runs: tuple[RunLook, ...]

    @property
    def below(self) -> int:
        """In how many runs the margin is below 0."""
        return sum(run.margin < 0 for run in self.runs)

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run_id": self.run_id,
            "pair_id": self.pair_id,
            "step": self.step,
            "kind": self.kind,
            "metrics": asdict(self.metrics),
            "loss": self.loss.to_plain(),
            "weight_rank": self.weight_rank,
            "weights": list(self.weights),
            "runs": [asdict(run) for run in self.runs],
            "below": self.below,
        }


def loss_of_pair(row: PairMetrics, beta: float, loss: str, weights: Sequence[float]) -> LabStep:
    """Return the formula of a run's loss with the numbers of one pair.

    Args:
        row: its measurement.
        beta: of the run.
        loss: its key.
        weights: gradient weights of all pairs of the same step.
    """
    moved = (row.logp_chosen - row.ref_chosen, row.logp_rejected - row.ref_rejected)
    rank = weight_rank(row.weight, weights)
    is_plain = loss == "sigmoid" and abs(softplus(-row.margin) - row.loss) <= _SAME * max(1.0, row.loss)
    figures = [
        LabFigure("h_w, nats", _difference(row.logp_chosen, row.ref_chosen, moved[0]), moved[0]),
        LabFigure("h_l, nats", _difference(row.logp_rejected, row.ref_rejected, moved[1]), moved[1]),
        LabFigure("z = β h", f"{beta:g} · {signed(row.h, 3)} = {signed(row.margin, 3)}", row.margin),
        LabFigure("gradient weight", format_value(row.weight, 3), row.weight),
    ]
    if is_plain:
        figures.append(LabFigure("factor −β σ(−z)", signed(-beta * row.weight, 3), -beta * row.weight))
    figures += [
        LabFigure("weight at this step", _rank_text(rank, weights), float(rank)),
        LabFigure("L", format_value(row.loss), row.loss, main=True),
    ]
    if not is_plain:
        formula = LOSS_ROWS[loss].formula if loss in LOSS_ROWS else loss
        words = f"Measured under the run's loss, {loss}, with its smoothing and weights."
        return LabStep("L", "Loss of this pair", "", formula, tuple(figures), words)
    against = "the same as" if abs(row.loss - LN2) < _SAME else "above" if row.loss > LN2 else "below"
    words = (
        f"−log σ({beta:g} × [{_number(moved[0])} − {_number(moved[1])}]) = {format_value(row.loss)}, {against} "
        f"ln 2 = {format_value(LN2)} of step 0."
    )
    tex, plain = r"L = -\log \sigma(\beta [h_w - h_l])", "L = −log σ(β [h_w − h_l])"
    return LabStep("L", "Loss of this pair", tex, plain, tuple(figures), words)


def weight_rank(weight: float, weights: Sequence[float]) -> int:
    """Return the place of a weight among those of its step, 1 for the largest.

    >>> weight_rank(0.5, [0.5, 0.7, 0.5]), weight_rank(0.7, [0.5, 0.7])
    (2, 1)
    """
    return 1 + sum(other > weight for other in weights)


def _rank_text(rank: int, weights: Sequence[float]) -> str:
    if len(weights) > 1 and max(weights) == min(weights):
        return f"all {len(weights)} alike"
    return f"largest of {len(weights)}" if rank == 1 else f"rank {rank} of {len(weights)}"


def _difference(own: float, reference: float, moved: float) -> str:
    """Return "−52.7 + 50.8 = −1.90": what was subtracted, and what is left."""
    sign = "+" if reference < 0 else MINUS
    return f"{format_value(own)} {sign} {format_value(abs(reference))} = {signed(moved, 3)}"


def _number(value: float) -> str:
    words = signed(value, 3)
    return f"({words})" if value < 0 or math.isnan(value) else words.lstrip("+")
