"""Losses that compare each response with the reference on its own, not only with the other response.

Notation as in ``pairwise``: D = log pi - log ref in nats, r = beta * D, s = the logistic function.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from core.domain.run_config import RunConfig
from core.training.losses.inputs import LossInputs
from core.training.losses.registry import preference_loss


@preference_loss("nca_pair")
def nca_pair(batch: LossInputs, config: RunConfig) -> Tensor:
    """NCA for a pair: -log s(r_chosen) - log s(-r_chosen)/2 - log s(-r_rejected)/2.

    Chen et al. 2024, arXiv 2402.05369.
    """
    good, bad = config.beta * batch.chosen, config.beta * batch.rejected
    return -logsigmoid(good) - 0.5 * logsigmoid(-good) - 0.5 * logsigmoid(-bad)


@preference_loss("bco_pair")
def bco_pair(batch: LossInputs, config: RunConfig) -> Tensor:
    """BCO for a pair: -log s(r_chosen) - log s(-r_rejected), without the moving reward shift.

    Jung et al. 2024, arXiv 2404.04656.
    """
    return -logsigmoid(config.beta * batch.chosen) - logsigmoid(-config.beta * batch.rejected)


@preference_loss("sppo_hard")
def sppo_hard(batch: LossInputs, config: RunConfig) -> Tensor:
    """SPPO with win probabilities 1 and 0: (D_chosen - 1/(2 beta))^2 + (D_rejected + 1/(2 beta))^2.

    Wu et al. 2024, arXiv 2405.00675, algorithm 1.
    """
    goal = 0.5 / config.beta
    return (batch.chosen - goal) ** 2 + (batch.rejected + goal) ** 2


@preference_loss("apo_zero")
def apo_zero(batch: LossInputs, config: RunConfig) -> Tensor:
    """APO-zero: 1 - s(r_chosen) + s(r_rejected); for chosen responses better than the model's own.

    D'Oosterlinck et al. 2024, arXiv 2408.06266, equation 7.
    """
    return torch.sigmoid(-config.beta * batch.chosen) + torch.sigmoid(config.beta * batch.rejected)


@preference_loss("apo_down")
def apo_down(batch: LossInputs, config: RunConfig) -> Tensor:
    """APO-down: s(r_chosen) + 1 - s(z); for chosen responses worse than the model's own.

    It lowers both responses, the rejected one more. D'Oosterlinck et al. 2024, arXiv 2408.06266, equation 8.
    """
    return torch.sigmoid(config.beta * batch.chosen) + torch.sigmoid(-config.beta * batch.h)
