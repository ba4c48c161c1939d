"""The oracle: each loss at policy = reference, in closed form and in plain arithmetic, without torch.

The truth gate compares a run's first loss with it; any difference beyond rounding means that the reference
is not what it claims to be. Written apart from the losses, so that a mistake there cannot hide here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from core.domain.run_config import RunConfig


@dataclass(frozen=True, slots=True)
class StartCase:
    """One pair at the start: log-prob sums (nats) of the model itself, token counts and label."""

    logp_chosen: float
    logp_rejected: float
    tokens_chosen: int
    tokens_rejected: int
    target: float = 1.0
    is_tie: bool = False

    def swapped(self) -> StartCase:
        """Return the case with the label the other way round."""
        return StartCase(
            self.logp_rejected, self.logp_chosen, self.tokens_rejected, self.tokens_chosen, 1 - self.target, self.is_tie
        )


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _exo(case: StartCase, config: RunConfig) -> float:
    noise = config.label_smoothing or 1e-3
    return -math.log(2) - (math.log(1 - noise) + math.log(noise)) / 2


def _discopop(case: StartCase, config: RunConfig) -> float:
    return (math.log(2) + 1) / 2


def _r_dpo(case: StartCase, config: RunConfig) -> float:
    return _softplus(-config.r_dpo_alpha * (case.tokens_chosen - case.tokens_rejected))


def _simpo(case: StartCase, config: RunConfig) -> float:
    difference = case.logp_chosen / case.tokens_chosen - case.logp_rejected / case.tokens_rejected
    return _softplus(config.simpo_gamma - config.beta * difference)


def _orpo(case: StartCase, config: RunConfig) -> float:
    def odds(logp: float, tokens: int) -> float:
        mean = logp / tokens
        return mean - math.log(-math.expm1(mean))

    difference = odds(case.logp_chosen, case.tokens_chosen) - odds(case.logp_rejected, case.tokens_rejected)
    return config.orpo_lambda * _softplus(-difference)


def _tie_model(case: StartCase, config: RunConfig) -> float:
    """Both models: a tie has probability nu / (1 + nu), and each side half of the rest."""
    nu = config.tie_nu
    return math.log((1 + nu) / nu) if case.is_tie else math.log(2 * (1 + nu))


def _constant(value: float) -> Callable[[StartCase, RunConfig], float]:
    return lambda case, config: value


START_VALUES: dict[str, Callable[[StartCase, RunConfig], float]] = {
    "sigmoid": _constant(math.log(2)),
    "robust": _constant(math.log(2)),
    "ipo": lambda case, config: 1 / (4 * config.beta**2),
    "hinge": _constant(1.0),
    "sigmoid_norm": _constant(math.log(2)),
    "apo_zero": _constant(1.0),
    "apo_down": _constant(1.0),
    "exo_pair": _exo,
    "nca_pair": _constant(2 * math.log(2)),
    "sppo_hard": lambda case, config: 1 / (2 * config.beta**2),
    "bco_pair": _constant(2 * math.log(2)),
    "aot": _constant(math.log(2)),
    "discopop": _discopop,
    "dpop": _constant(math.log(2)),
    "r_dpo": _r_dpo,
    "simpo": _simpo,
    "orpo": _orpo,
    "davidson": _tie_model,
    "rao_kupper": _tie_model,
}


def start_value(case: StartCase, config: RunConfig) -> float:
    """Return the preference loss of one pair at policy = reference, soft labels mixed in.

    Left out are what ``objective.evaluate`` adds around it: WPO weights, the likelihood term, pair weights.
    """
    value = START_VALUES[config.loss]
    noise = 0.0 if config.loss in ("robust", "exo_pair", "aot") else config.label_smoothing
    share = case.target * (1 - noise) + (1 - case.target) * noise
    return share * value(case, config) + (1 - share) * value(case.swapped(), config)
