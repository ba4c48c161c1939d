"""Rewards under other divergences than the reverse KL (f-DPO).

With an f-divergence D_f(policy || reference) as the penalty, the reward of a response is beta f'(u), u = pi / ref
(Wang et al. 2023, arXiv 2309.16240, theorem 1); constants cancel in the margin and are chosen so that f'(1) = 0.
With D = log u:

- ``reverse_kl``: f'(u) = log u = D, which is DPO.
- ``js_divergence``: f'(u) = log(2u / (1 + u)) = log s(D) + log 2.
- ``alpha_divergence``: f'(u) = (1 - u^-alpha) / alpha = (1 - exp(-alpha D)) / alpha; alpha -> 0 is the reverse KL and
  alpha = 1 the forward KL.

exp(-alpha D) has no bound where a response becomes unlikely. Beyond 30 in the exponent (1e13) it goes on in a straight
line, so that loss and gradient stay finite and keep their direction.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

_LINEAR_FROM = 30.0


def score_of(log_ratio: Tensor, divergence: str, alpha: float) -> Tensor:
    """Return f'(u) for log u = ``log_ratio`` (nats), 0 at policy = reference; of any shape, differentiable."""
    if divergence == "reverse_kl":
        return log_ratio
    if divergence == "js_divergence":
        return logsigmoid(log_ratio) + math.log(2)
    exponent = -alpha * log_ratio
    beyond = (exponent - _LINEAR_FROM).clamp(min=0.0)
    return -(torch.expm1(exponent.clamp(max=_LINEAR_FROM)) + math.exp(_LINEAR_FROM) * beyond) / alpha
