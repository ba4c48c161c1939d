"""Losses of the whole optimizer step: the loss of each pair depends on all the others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from core.domain.run_config import RunConfig
from core.training.losses.inputs import LossInputs
from core.training.losses.registry import preference_loss


@preference_loss("aot")
def aot(batch: LossInputs, config: RunConfig) -> Tensor:
    """AOT, paired: compares the k-th smallest policy log-ratio with the k-th smallest of the reference.

    u = sort(lp_chosen - lp_rejected), v = sort(ref_chosen - ref_rejected), d = u - v:
    (1-e) * -log s(beta d) + e * -log s(-beta d), e = ``label_smoothing``. Each loss is assigned
    to the pair whose policy log-ratio it was computed from. Melnyk et al. 2024, arXiv 2406.05882.
    """
    policy = batch.policy[:, 0] - batch.policy[:, 1]
    reference = batch.reference[:, 0] - batch.reference[:, 1]
    return _by_quantiles(policy, reference, config)


@preference_loss("aot_unpaired")
def aot_unpaired(batch: LossInputs, config: RunConfig) -> Tensor:
    """AOT, unpaired: compares the k-th smallest log-ratio of the chosen answers with the k-th of the rejected ones.

    u = sort(lp_chosen - ref_chosen), v = sort(lp_rejected - ref_rejected), d = u - v: the loss of ``aot`` with this d.
    Which rejected answer belongs to which chosen one plays no part. Each loss is assigned to the pair of the chosen
    answer that it was computed from. Melnyk et al. 2024, arXiv 2406.05882.
    """
    return _by_quantiles(batch.chosen, batch.rejected, config)


def _by_quantiles(one: Tensor, other: Tensor, config: RunConfig) -> Tensor:
    """Return the losses of the differences of equal ranks, in the order of ``one``."""
    ranked, order = torch.sort(one, stable=True)
    z = config.beta * (ranked - torch.sort(other, stable=True).values)
    noise = config.label_smoothing
    losses = -(1 - noise) * logsigmoid(z) - noise * logsigmoid(-z)
    return torch.zeros_like(losses).index_copy(0, order, losses)
