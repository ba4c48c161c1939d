"""Binds the torch function of each loss to its row in :mod:`core.domain.losses`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from core.domain.losses import LOSS_ROWS
from core.domain.run_config import RunConfig
from core.training.losses.inputs import LossInputs

LossFunction = Callable[[LossInputs, RunConfig], Tensor]


@dataclass(frozen=True, slots=True)
class TorchLoss:
    """What the engine calls for one loss.

    Attributes:
        losses: (n,) losses of hard labels.
        rewards: (n, 2) rewards of chosen and rejected; the margin is their difference.
    """

    losses: LossFunction
    rewards: LossFunction


LOSS_FUNCTIONS: dict[str, TorchLoss] = {}
"""Filled by :func:`preference_loss` while the modules of this package are imported."""


def implicit_rewards(batch: LossInputs, config: RunConfig) -> Tensor:
    """(n, 2) rewards of a loss with a reference: r = beta * (log pi - log ref)."""
    return config.beta * (batch.policy - batch.reference)


def preference_loss(key: str, *, rewards: LossFunction = implicit_rewards) -> Callable[[LossFunction], LossFunction]:
    """Register the decorated function as the loss ``key``.

    Raises:
        LookupError: on import, when ``key`` has no row in ``core/domain/losses.py`` or has a function already.
    """
    if key not in LOSS_ROWS:
        raise LookupError(f"The loss {key!r} has a function but no row in core/domain/losses.py.")
    if key in LOSS_FUNCTIONS:
        raise LookupError(f"The loss {key!r} has two functions.")

    def register(function: LossFunction) -> LossFunction:
        LOSS_FUNCTIONS[key] = TorchLoss(function, rewards)
        return function

    return register


def losses_without_function() -> list[str]:
    """Return the keys of rows that no function is registered for; empty in a sound tree."""
    return [key for key in LOSS_ROWS if key not in LOSS_FUNCTIONS]
