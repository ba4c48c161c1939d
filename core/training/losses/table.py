"""The table of losses: each name with its function, what it reads, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.domain.run_config import RunConfig
from core.training.losses import batchwise, pairwise, pointwise, ties
from core.training.losses.inputs import LossInputs

LossFunction = Callable[[LossInputs, RunConfig], Tensor]


def implicit_rewards(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n, 2) rewards of a loss with a reference: r = beta * (log pi - log ref)."""
    return config.beta * (batch.policy - batch.reference)


def mean_logp_rewards(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n, 2) rewards of SimPO: beta * log pi per token."""
    return config.beta * batch.mean_logp


def log_odds_rewards(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n, 2) rewards of ORPO: the log-odds of the mean token probability; their difference is its margin."""
    return pairwise.log_odds(batch.mean_logp)


@dataclass(frozen=True, slots=True)
class LossSpec:
    """One row of the table.

    Attributes:
        function: (n,) losses of hard labels.
        formula: one line, as shown beside the switch.
        source: where it was published.
        rewards: (n, 2) rewards; the margin is their difference.
        uses_reference: the reference's log-probs enter the loss.
        accepts_ties: pairs called a tie may be trained on.
        whole_step: the losses of a step depend on each other, so all its log-probs are needed first.
        per_token: log-probs enter as means per token, so that the pull on a sum is divided by the length.
        own_smoothing: ``label_smoothing`` has a place of its own in the formula and is not mixed in outside.
        likelihood: factor of the chosen answer's negative log-likelihood per token that belongs to the loss.
    """

    function: LossFunction
    formula: str
    source: str
    rewards: LossFunction = implicit_rewards
    uses_reference: bool = True
    accepts_ties: bool = False
    whole_step: bool = False
    per_token: bool = False
    own_smoothing: bool = False
    likelihood: float = 0.0


LOSS_TABLE: dict[str, LossSpec] = {
    "sigmoid": LossSpec(pairwise.sigmoid, "-log s(z)", "arXiv 2305.18290"),
    "robust": LossSpec(
        pairwise.robust, "[(1-e) -log s(z) - e -log s(-z)] / (1-2e)", "arXiv 2403.00409", own_smoothing=True
    ),
    "ipo": LossSpec(pairwise.ipo, "(Dw/|w| - Dl/|l| - 1/(2 beta))^2", "arXiv 2310.12036", per_token=True),
    "hinge": LossSpec(pairwise.hinge, "max(0, 1 - z)", "arXiv 2309.06657"),
    "sigmoid_norm": LossSpec(
        pairwise.sigmoid_norm, "-log s(beta (Dw/|w| - Dl/|l|))", "arXiv 2411.15124", per_token=True
    ),
    "apo_zero": LossSpec(pointwise.apo_zero, "1 - s(rw) + s(rl)", "arXiv 2408.06266"),
    "apo_down": LossSpec(pointwise.apo_down, "s(rw) + 1 - s(z)", "arXiv 2408.06266"),
    "exo_pair": LossSpec(pairwise.exo_pair, "KL((s(z), s(-z)) || (1-e, e))", "arXiv 2402.00856", own_smoothing=True),
    "nca_pair": LossSpec(pointwise.nca_pair, "-log s(rw) - log s(-rw)/2 - log s(-rl)/2", "arXiv 2402.05369"),
    "sppo_hard": LossSpec(pointwise.sppo_hard, "(Dw - 1/(2 beta))^2 + (Dl + 1/(2 beta))^2", "arXiv 2405.00675"),
    "bco_pair": LossSpec(pointwise.bco_pair, "-log s(rw) - log s(-rl)", "arXiv 2404.04656"),
    "aot": LossSpec(
        batchwise.aot,
        "-log s(beta (sort(lw - ll) - sort(ref)))",
        "arXiv 2406.05882",
        whole_step=True,
        own_smoothing=True,
    ),
    "discopop": LossSpec(pairwise.discopop, "(1-m) -log s(z) + m exp(-z), m = s(z/tau)", "arXiv 2406.08414"),
    "dpop": LossSpec(pairwise.dpop, "-log s(z - beta lambda max(0, -Dw))", "arXiv 2402.13228"),
    "r_dpo": LossSpec(pairwise.r_dpo, "-log s(z + alpha (|w| - |l|))", "arXiv 2403.19159"),
    "simpo": LossSpec(
        pairwise.simpo,
        "-log s(beta (lw/|w| - ll/|l|) - gamma)",
        "arXiv 2405.14734",
        rewards=mean_logp_rewards,
        per_token=True,
        uses_reference=False,
    ),
    "orpo": LossSpec(
        pairwise.orpo,
        "-lw/|w| - lambda log s(logodds(w) - logodds(l))",
        "arXiv 2403.07691",
        rewards=log_odds_rewards,
        per_token=True,
        uses_reference=False,
        likelihood=1.0,
    ),
    "davidson": LossSpec(ties.davidson, "-log P(outcome), ties 2 nu exp(-z/2)", "arXiv 2409.17431", accepts_ties=True),
    "rao_kupper": LossSpec(
        ties.rao_kupper, "-log P(outcome), wins s(z - log(1+2nu))", "arXiv 2409.17431", accepts_ties=True
    ),
}


def label_probability(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n,) probability given to "chosen is better" once label smoothing has been mixed into the target."""
    if LOSS_TABLE[config.loss].own_smoothing:
        return batch.target
    noise = config.label_smoothing
    return batch.target * (1 - noise) + (1 - batch.target) * noise


def preference_term(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n,) the loss under soft labels: its expectation over which answer is better.

    p * loss(chosen, rejected) + (1-p) * loss(rejected, chosen). For sigmoid this is cDPO.
    """
    spec = LOSS_TABLE[config.loss]
    losses = spec.function(batch, config)
    share = label_probability(batch, config)
    if bool(torch.all(share == 1)):
        return losses
    return share * losses + (1 - share) * spec.function(batch.swapped(), config)
