"""The first loss of a run beside its closed form at policy = reference, and how far rounding may move either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.domain.errors import GateFailed
from core.domain.loss_mix import mixed_start_value
from core.domain.losses import StartCase
from core.domain.run_config import RunConfig
from core.training.losses import LossInputs, evaluate
from core.training.text.encoded_pair import EncodedPair


@dataclass(frozen=True, slots=True)
class GateTolerance:
    """Allowed rounding error in one dtype: of h in nats, of a loss relative to its size, of a log-prob per nat."""

    h: float
    loss: float
    logp: float


TOLERANCES: dict[torch.dtype, GateTolerance] = {
    torch.float64: GateTolerance(1e-8, 1e-9, 1e-10),
    torch.float32: GateTolerance(1e-3, 1e-5, 1e-5),
    torch.bfloat16: GateTolerance(0.5, 5e-2, 1e-2),
}


def first_loss(
    pairs: Sequence[EncodedPair], policy: Tensor, reference: Tensor, config: RunConfig
) -> tuple[float, float]:
    """Return (measured, closed form) mean preference loss, before pair weights and added terms."""
    tokens = torch.tensor([p.response_tokens() for p in pairs], dtype=torch.float64)
    batch = LossInputs.of(
        policy.double().cpu().requires_grad_(),
        reference.double().cpu(),
        tokens,
        target=torch.tensor([p.target for p in pairs], dtype=torch.float64),
        is_tie=torch.tensor([p.is_tie for p in pairs]),
    )
    measured = float(evaluate(batch, config).preference.detach().mean())
    cases = (
        StartCase(float(c), float(r), *pair.response_tokens(), pair.target, pair.is_tie)
        for pair, (c, r) in zip(pairs, reference.tolist(), strict=True)
    )
    settings = config.to_plain()
    values = [mixed_start_value(case, config, settings) for case in cases]
    return measured, sum(values) / len(values)


def check_loss(loss: float, expected: float, dtype: torch.dtype) -> str:
    """Require the closed form."""
    if not abs(loss - expected) <= TOLERANCES[dtype].loss * max(1.0, abs(expected)):
        raise GateFailed(
            f"The first loss is {loss:.7g}, but at policy = reference it must be {expected:.7g}.",
            "The loss or the reference is not what the settings say. Train with loss=sigmoid to find out which.",
            cause="loss_closed_form",
        )
    return f"{loss:.9f}, closed form {expected:.9f}"
