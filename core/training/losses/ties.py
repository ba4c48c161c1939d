"""Losses that learn from ties as well as from wins.

Both models give three outcomes a probability that depends on z = beta * h. ``tie_nu`` is the odds of a tie
between equally good responses: P(tie | z = 0) = nu / (1 + nu), so that the setting means the same in both.
Chen, Yang, Lin, Mei, Byrne 2024, arXiv 2409.17431; at nu = 1 both are that paper's setting.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from core.domain.run_config import RunConfig
from core.training.losses.inputs import LossInputs
from core.training.losses.registry import preference_loss


@preference_loss("davidson")
def davidson(batch: LossInputs, config: RunConfig) -> Tensor:
    """Davidson's model: P(win) = 1 / N, P(tie) = 2 nu exp(-z/2) / N, N = 1 + exp(-z) + 2 nu exp(-z/2).

    Davidson 1970, Journal of the American Statistical Association 65(329).
    """
    z = config.beta * batch.h
    parts = torch.stack([torch.zeros_like(z), -z, math.log(2 * config.tie_nu) - z / 2])
    log_norm = torch.logsumexp(parts, dim=0)
    return torch.where(batch.is_tie, log_norm - parts[2], log_norm)


@preference_loss("rao_kupper")
def rao_kupper(batch: LossInputs, config: RunConfig) -> Tensor:
    """Rao and Kupper's model: P(win) = s(z - a), P(tie) = (k^2 - 1) s(z - a) s(-z - a), a = log k, k = 1 + 2 nu.

    Rao and Kupper 1967, Journal of the American Statistical Association 62(317).
    """
    z = config.beta * batch.h
    shift = math.log1p(2 * config.tie_nu)
    win = softplus(shift - z)
    tie = win - logsigmoid(-z - shift) - math.log(math.expm1(2 * shift))
    return torch.where(batch.is_tie, tie, win)
