"""The objective as a mix of losses: which take part, with which weight, and what follows for the pairs of a step.

``loss`` names the main loss, whose margin and rewards are shown. ``loss_mix`` adds others, and ``sft``, the negative
log-likelihood of the chosen response per token, each with a weight; the main loss has the weight 1 unless it is named.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

from core.domain.errors import UsageError
from core.domain.losses import LOSS_ROWS, LOSSES, Settings, StartCase, start_value
from core.domain.named_numbers import named_numbers

SFT = "sft"
"""Name of the likelihood term in a mix."""


class Mixed(Protocol):
    """The settings that a mix is read from."""

    @property
    def loss(self) -> str:
        """The main loss."""
        ...

    @property
    def loss_mix(self) -> str:
        """What is added to it."""
        ...


@lru_cache(maxsize=64)
def _weights(loss: str, mix: str) -> tuple[tuple[str, float], ...]:
    named = named_numbers(mix, "loss_mix", low=0.0, high=1e3)
    if unknown := [name for name in named if name not in LOSS_ROWS and name != SFT]:
        raise UsageError(f"loss_mix names {unknown[0]!r}, which is no loss.", f"Use {SFT}, {', '.join(LOSSES)}.")
    weights = {loss: 1.0, **named}
    if not any(weights.values()):
        raise UsageError("All weights of loss_mix are 0, so nothing would be trained.", "Raise one of them.")
    return tuple(weights.items())


def preference_weights(config: Mixed) -> dict[str, float]:
    """Return the weight of each preference loss of the objective, the main one first.

    Raises:
        UsageError: when ``loss_mix`` cannot be read.
    """
    return {name: weight for name, weight in _weights(config.loss, config.loss_mix) if name != SFT}


def sft_weight(config: Mixed) -> float:
    """Return the weight of the likelihood term that ``loss_mix`` adds."""
    return dict(_weights(config.loss, config.loss_mix)).get(SFT, 0.0)


def without_effect(config: Any) -> list[str]:
    """Return the settings of losses that a run sets although no loss of its objective reads them.

    Args:
        config: a run's settings, with a default for each (:class:`core.domain.run_config.RunConfig`).
    """
    read = {name for loss in preference_weights(config) for name in LOSS_ROWS[loss].parameters}
    known = dict.fromkeys(name for row in LOSS_ROWS.values() for name in row.parameters)
    defaults = type(config)()
    return [name for name in known if name not in read and getattr(config, name) != getattr(defaults, name)]


def accepts_ties(config: Mixed) -> bool:
    """Return whether pairs called a tie may be trained on: every loss of the mix must accept them."""
    return all(LOSS_ROWS[name].accepts_ties for name in preference_weights(config))


def needs_whole_step(config: Mixed) -> bool:
    """Return whether the losses of a step depend on each other."""
    return any(LOSS_ROWS[name].whole_step for name in preference_weights(config))


def own_likelihood(config: Mixed) -> float:
    """Return the factor of the likelihood term that belongs to the formulas of the losses (ORPO)."""
    return sum(weight * LOSS_ROWS[name].likelihood for name, weight in preference_weights(config).items())


def mixed_start_value(case: StartCase, config: Mixed, settings: Settings) -> float:
    """Return the preference part of one pair's objective at policy = reference, soft labels mixed in.

    WPO weights, the likelihood term and pair weights, which the objective adds around it, are left out.
    """
    weights = preference_weights(config)
    return sum(weight * start_value(case, {**settings, "loss": name}) for name, weight in weights.items())


def check_mix(config: Any) -> None:
    """Refuse a mix that cannot be read, and a divergence that a loss of it does not know.

    Raises:
        UsageError: naming what is wrong.
    """
    weights = preference_weights(config)
    if config.f_divergence == "reverse_kl":
        return
    if wrong := [name for name in weights if not LOSS_ROWS[name].any_divergence]:
        able = ", ".join(key for key, row in LOSS_ROWS.items() if row.any_divergence)
        raise UsageError(
            f"The loss {wrong[0]} is not defined for f_divergence={config.f_divergence}.",
            f"Set f_divergence=reverse_kl, or choose among {able}.",
        )
