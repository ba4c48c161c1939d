"""The objective of a step: the loss with soft labels, WPO weights, added likelihood and pair weights; margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.domain.counting import counted, verb
from core.domain.errors import BadInput, UsageError
from core.domain.loss_mix import needs_whole_step, own_likelihood, preference_weights, sft_weight
from core.domain.losses import LOSS_ROWS
from core.domain.run_config import RunConfig
from core.training.losses.inputs import LossInputs
from core.training.losses.registry import LOSS_FUNCTIONS
from core.training.text.encoded_pair import EncodedPair


@dataclass(frozen=True, slots=True)
class Objective:
    """The objective of every pair of a step.

    Attributes:
        losses: (n,) what the step averages over its pairs; carries the gradient. The pair's own weight is in it:
            the step's loss is sum(losses) / n, so a weight of 2 counts as two such pairs but the divisor stays n.
        preference: (n,) the preference loss alone, before any weight; carries the gradient.
        rewards: (n, 2) of chosen and rejected, detached. ``margin`` is their difference.
        terms: (n,) each, detached and before weights: parts that are plotted on their own.
    """

    losses: Tensor
    preference: Tensor
    rewards: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)

    @property
    def margin(self) -> Tensor:
        """(n,) the loss's own margin: z = beta * h where a reference enters."""
        return self.rewards[:, 0] - self.rewards[:, 1]


def label_probability(batch: LossInputs, config: RunConfig, loss: str) -> Tensor:
    """(n,) probability given to "chosen is better" once label smoothing has been mixed into the target."""
    if LOSS_ROWS[loss].own_smoothing:
        return batch.target
    noise = config.label_smoothing
    return batch.target * (1 - noise) + (1 - batch.target) * noise


def preference_terms(batch: LossInputs, config: RunConfig) -> dict[str, Tensor]:
    """Return the (n,) values of each preference loss of the objective, under soft labels and before its weight."""
    seen = batch.under(config.f_divergence, config.f_alpha)
    return {loss: _expected_loss(seen, config, loss) for loss in preference_weights(config)}


def preference_term(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n,) the preference loss under soft labels; of a mix, the weighted sum."""
    return _mixed(preference_terms(batch, config), config)


def _mixed(terms: Mapping[str, Tensor], config: RunConfig) -> Tensor:
    weights = preference_weights(config)
    if len(terms) == 1 and weights[config.loss] == 1:
        return terms[config.loss]
    return torch.stack([weights[loss] * values for loss, values in terms.items()]).sum(dim=0)


def _expected_loss(batch: LossInputs, config: RunConfig, loss: str) -> Tensor:
    """(n,) expectation of a loss over which answer is better.

    p * loss(chosen, rejected) + (1-p) * loss(rejected, chosen). For sigmoid this is cDPO.
    """
    function = LOSS_FUNCTIONS[loss].losses
    losses = function(batch, config)
    share = label_probability(batch, config, loss)
    if bool(torch.all(share == 1)):
        return losses
    return share * losses + (1 - share) * function(batch.swapped(), config)


def evaluate(batch: LossInputs, config: RunConfig, wpo: Tensor | None = None) -> Objective:
    """Return the losses of ``batch``; ``wpo`` are the (n,) detached weights of :func:`wpo_weights`."""
    parts = preference_terms(batch, config)
    preference = _mixed(parts, config)
    losses = preference if wpo is None else preference * wpo.to(preference.dtype)
    terms: dict[str, Tensor] = {}
    if factor := likelihood_factor(config):
        nll = -batch.policy[:, 0] / batch.nll_length
        losses = losses + factor * nll
        terms = {"preference_loss": preference.detach(), "nll": nll.detach()}
    if wpo is not None:
        terms["wpo_weight"] = wpo.detach()
    if len(parts) > 1:
        terms |= {f"loss_{loss}": values.detach() for loss, values in parts.items()}
    seen = batch.under(config.f_divergence, config.f_alpha)
    return Objective(
        losses * batch.weight, preference, LOSS_FUNCTIONS[config.loss].rewards(seen, config).detach(), terms
    )


def gradient_to_logps(losses: Tensor, policy: Tensor) -> Tensor:
    """(n, 2) d sum(losses) / d logp of each response; ``policy`` must be the leaf that they were made from."""
    (gradient,) = torch.autograd.grad(losses.sum(), policy, retain_graph=True)
    return gradient


def gradient_weight(batch: LossInputs, preference: Tensor, config: RunConfig) -> Tensor:
    """(n,) gradient weight of each pair: |d preference / d z|, which for sigmoid is s(-z), one half at the start.

    It is the mean of |d preference / d logp| over both responses, divided by beta (by lambda for ORPO), and
    multiplied by the length where the loss is of means per token. Pair and WPO weights and the likelihood term are
    left out. Of a mix it is the weighted sum over its losses, each by its own rule.
    """
    weights = preference_weights(config)
    if len(weights) == 1 and weights[config.loss] == 1:
        return _pull(batch, preference, config, config.loss)
    terms = preference_terms(batch, config)
    pulls = [weights[loss] * _pull(batch, values, config, loss) for loss, values in terms.items()]
    return torch.stack(pulls).sum(dim=0)


def _pull(batch: LossInputs, losses: Tensor, config: RunConfig, loss: str) -> Tensor:
    pull = gradient_to_logps(losses, batch.policy).abs()
    row = LOSS_ROWS[loss]
    if row.per_token:
        pull = pull * batch.tokens
    return pull.mean(dim=1) / getattr(config, row.margin_scale)


def wpo_weights(aligned: Tensor, tokens: Tensor) -> Tensor:
    """(n,) WPO weights, exp of the mean over tokens of log p - log sum_v p_v^2, multiplied over both responses.

    Args:
        aligned: (n, 2) sums over response tokens, as in ``Scores.wpo``.
        tokens: (n, 2) response tokens.

    Zhou et al. 2024, arXiv 2406.11827, with the alignment to sampled outputs.
    """
    return torch.exp(aligned / tokens.clamp(min=1)).prod(dim=1).detach()


def length_weights(pair: EncodedPair, alpha: float) -> tuple[list[float], list[float]]:
    """Return the token weights of LD-DPO: 1 up to the length of the shorter response, ``alpha`` beyond it.

    Liu et al. 2024, arXiv 2409.06411. Policy and reference are summed with the same weights.
    """
    chosen, rejected = pair.response_tokens()
    shared = min(chosen, rejected)
    return (
        [1.0] * shared + [alpha] * (chosen - shared),
        [1.0] * shared + [alpha] * (rejected - shared),
    )


def likelihood_factor(config: RunConfig) -> float:
    """Return the factor of the chosen response's negative log-likelihood per token; 0 when there is none."""
    return own_likelihood(config) + sft_weight(config) + config.rpo_alpha


def likelihood_lengths(chosen_tokens: Sequence[int], config: RunConfig) -> list[float]:
    """Return what each pair's chosen log-prob is divided by in the likelihood term.

    "pairs" (and ORPO): its own length, so the step's mean is over pairs. "tokens": the step's mean length, so
    that the mean over pairs is the mean over all chosen tokens of the step.
    """
    if config.rpo_average == "tokens" and own_likelihood(config) == 0:
        mean = max(sum(chosen_tokens) / max(len(chosen_tokens), 1), 1.0)
        return [mean] * len(chosen_tokens)
    return [float(max(count, 1)) for count in chosen_tokens]


def check_combination(config: RunConfig) -> None:
    """Refuse settings that the loss ignores or that contradict each other.

    Raises:
        UsageError: naming both settings.
    """
    if config.wpo and needs_whole_step(config):
        raise UsageError(
            f"wpo cannot be used with {_whole_step_loss(config)}: its losses depend on the whole step, not on single "
            "pairs.",
            "Set wpo=false.",
        )
    if config.router_aux_loss and needs_whole_step(config):
        raise UsageError(
            f"router_aux_loss cannot be used with {_whole_step_loss(config)}, which scores a step twice.",
            "Set router_aux_loss=0.",
        )
    if config.ld_alpha < 1 and likelihood_factor(config):
        raise UsageError(
            "ld_alpha below 1 cannot be combined with a likelihood term, which it would cut as well.",
            f"Set ld_alpha=1, or rpo_alpha=0 without sft in loss_mix and with another loss than {_with_likelihood()}.",
        )


def _whole_step_loss(config: RunConfig) -> str:
    return next(loss for loss in preference_weights(config) if LOSS_ROWS[loss].whole_step)


def _with_likelihood() -> str:
    return " or ".join(row.key for row in LOSS_ROWS.values() if row.likelihood)


def check_labels(pairs: Sequence[EncodedPair], config: RunConfig) -> None:
    """Refuse labels that the loss cannot read.

    Raises:
        UsageError: for soft labels with a loss over the whole step.
    """
    soft = sum(pair.target != 1.0 for pair in pairs)
    if soft and needs_whole_step(config):
        raise UsageError(
            f"{_whole_step_loss(config)} cannot use soft labels, and {counted(soft, 'pair')} "
            f"{verb(soft, 'has', 'have')} a target below 1.",
            "Freeze the dataset without soft targets, or choose another loss.",
        )


def check_pair_weights(pairs: Sequence[EncodedPair]) -> None:
    """Refuse pairs that all have the weight 0, with which every loss and every gradient is 0.

    Raises:
        BadInput: when no pair has a weight above 0.
    """
    if pairs and not any(pair.weight > 0 for pair in pairs):
        raise BadInput(
            f"The weight of {counted(len(pairs), 'pair')} is 0, so that nothing would be learnt.",
            "Freeze the dataset version again under a policy that gives pairs a weight above 0.",
        )
