"""Losses of the difference between both responses.

Notation: D = log pi - log ref of one response (nats), h = D_chosen - D_rejected, z = beta * h,
s = the logistic function, |y| = response tokens. Each function returns (n,) losses.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from core.domain.run_config import RunConfig
from core.training.losses.inputs import LossInputs
from core.training.losses.registry import preference_loss

EXO_DEFAULT_SMOOTHING = 1e-3


@preference_loss("sigmoid")
def sigmoid(batch: LossInputs, config: RunConfig) -> Tensor:
    """DPO: -log s(z). Rafailov et al. 2023, arXiv 2305.18290, equation 7.

    Label smoothing turns it into cDPO, (1-e) * -log s(z) + e * -log s(-z) (Mitchell 2023, "A note on DPO
    with noisy preferences"); soft targets do the same. Both are mixed in by ``objective.evaluate``.
    """
    return -logsigmoid(config.beta * batch.h)


@preference_loss("robust")
def robust(batch: LossInputs, config: RunConfig) -> Tensor:
    """Robust DPO: [(1-e) * -log s(z) - e * -log s(-z)] / (1 - 2e), e = ``label_smoothing``.

    It is an unbiased estimate of the clean loss when a share e of labels is flipped, and has no lower bound.
    Chowdhury, Kini, Natarajan 2024, arXiv 2403.00409.
    """
    z, noise = config.beta * batch.h, config.label_smoothing
    return (-(1 - noise) * logsigmoid(z) + noise * logsigmoid(-z)) / (1 - 2 * noise)


@preference_loss("ipo")
def ipo(batch: LossInputs, config: RunConfig) -> Tensor:
    """IPO: (D_chosen/|chosen| - D_rejected/|rejected| - 1/(2 beta))^2.

    Azar et al. 2023, arXiv 2310.12036, equation 17; per token, as its authors confirmed they ran it.
    """
    return (batch.h_per_token - 1 / (2 * config.beta)) ** 2


@preference_loss("hinge")
def hinge(batch: LossInputs, config: RunConfig) -> Tensor:
    """Hinge on the normalised likelihood: max(0, 1 - z). Liu et al. 2023 (RSO), arXiv 2309.06657."""
    return torch.relu(1 - config.beta * batch.h)


@preference_loss("sigmoid_norm")
def sigmoid_norm(batch: LossInputs, config: RunConfig) -> Tensor:
    """Length-normalised DPO: -log s(beta * (D_chosen/|chosen| - D_rejected/|rejected|)).

    Lambert et al. 2024 (Tulu 3), arXiv 2411.15124. It needs a larger beta than plain DPO.
    """
    return -logsigmoid(config.beta * batch.h_per_token)


@preference_loss("r_dpo")
def r_dpo(batch: LossInputs, config: RunConfig) -> Tensor:
    """Length-regularised DPO: -log s(z + alpha * (|chosen| - |rejected|)), alpha = ``r_dpo_alpha``.

    A chosen response that is longer gets a part of its margin from its length and is pushed less.
    Park et al. 2024, arXiv 2403.19159, equation 9.
    """
    extra = config.r_dpo_alpha * (batch.tokens[:, 0] - batch.tokens[:, 1])
    return -logsigmoid(config.beta * batch.h + extra)


@preference_loss("dpop")
def dpop(batch: LossInputs, config: RunConfig) -> Tensor:
    """DPO-Positive: -log s(beta * (h - lambda * max(0, -D_chosen))), lambda = ``dpop_lambda``.

    It penalises a chosen response that becomes less likely than under the reference.
    Pal et al. 2024 (Smaug), arXiv 2402.13228.
    """
    return -logsigmoid(config.beta * (batch.h - config.dpop_lambda * torch.relu(-batch.chosen)))


@preference_loss("exo_pair")
def exo_pair(batch: LossInputs, config: RunConfig) -> Tensor:
    """EXO for a pair: KL(q || p), q = (s(z), s(-z)), p = (1-e, e), e = ``label_smoothing`` (0 stands for 1e-3).

    Ji et al. 2024, arXiv 2402.00856, equation 16.
    """
    z, noise = config.beta * batch.h, config.label_smoothing or EXO_DEFAULT_SMOOTHING
    won = torch.sigmoid(z) * (logsigmoid(z) - math.log1p(-noise))
    lost = torch.sigmoid(-z) * (logsigmoid(-z) - math.log(noise))
    return won + lost


@preference_loss("discopop")
def discopop(batch: LossInputs, config: RunConfig) -> Tensor:
    """DiscoPOP: (1-m) * -log s(z) + m * exp(-z), m = s(z / tau), tau = ``discopop_tau``.

    Lu et al. 2024, arXiv 2406.08414, equation 5. m exp(-z) is computed as exp(log m - z): its factors overflow and
    vanish where their product, at most 1 for z <= 0 and tau <= 1, does neither.
    """
    z = config.beta * batch.h
    scaled = z / config.discopop_tau
    return -torch.sigmoid(-scaled) * logsigmoid(z) + torch.exp(logsigmoid(scaled) - z)


def mean_logp_rewards(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n, 2) rewards of SimPO: beta * log pi per token."""
    return config.beta * batch.mean_logp


@preference_loss("simpo", rewards=mean_logp_rewards)
def simpo(batch: LossInputs, config: RunConfig) -> Tensor:
    """SimPO: -log s(beta * (lp_chosen/|chosen| - lp_rejected/|rejected|) - gamma), gamma = ``simpo_gamma``.

    The reference is not used. Meng, Xia, Chen 2024, arXiv 2405.14734, equation 6; the authors use beta 2 to 10.
    """
    mean = batch.mean_logp
    return -logsigmoid(config.beta * (mean[:, 0] - mean[:, 1]) - config.simpo_gamma)


def log_odds(mean_logp: Tensor) -> Tensor:
    """Return log(p / (1-p)) of a mean log-prob, exact where p is close to 0 or to 1.

    A probability that rounds to 1 counts as 1 - 2^-52, so that its odds stay finite (36 nats).
    """
    mean_logp = mean_logp.clamp(max=-torch.finfo(torch.float64).eps)
    near_one = mean_logp > -math.log(2)
    safe_high = torch.where(near_one, mean_logp, torch.full_like(mean_logp, -math.log(2)))
    safe_low = torch.where(near_one, torch.full_like(mean_logp, -math.log(2)), mean_logp)
    log_rest = torch.where(near_one, torch.log(-torch.expm1(safe_high)), torch.log1p(-torch.exp(safe_low)))
    return mean_logp - log_rest


def log_odds_rewards(batch: LossInputs, _config: RunConfig) -> Tensor:
    """(n, 2) rewards of ORPO: the log-odds of the mean token probability; their difference is its margin."""
    return log_odds(batch.mean_logp)


@preference_loss("orpo", rewards=log_odds_rewards)
def orpo(batch: LossInputs, config: RunConfig) -> Tensor:
    """The odds-ratio part of ORPO: lambda * -log s(logodds_chosen - logodds_rejected), lambda = ``orpo_lambda``.

    The odds are those of the mean token probability. ``objective.evaluate`` adds the likelihood part,
    -lp_chosen/|chosen| with factor 1, which is plotted as a curve of its own. Hong, Lee, Thorne 2024, arXiv 2403.07691.
    """
    odds = log_odds(batch.mean_logp)
    return -config.orpo_lambda * logsigmoid(odds[:, 0] - odds[:, 1])
