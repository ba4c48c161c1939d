"""Which pairs make up which optimizer step.

The order is a pure function of seed, epoch and number of pairs, and the step number gives the position in it: a
resumed run needs no sampler state, only its step.
"""

from __future__ import annotations

import math
import random

from core.domain.errors import BadInput
from core.domain.run_config import RunConfig


def total_steps(pairs: int, config: RunConfig) -> int:
    """Return the optimizer steps of the whole run; ``steps`` overrides ``epochs``, which may be a fraction.

    Raises:
        BadInput: when there is nothing to train on.
    """
    if pairs == 0:
        raise BadInput("There is no pair left to train on.", "Check the split, the ties and the length limit.")
    if config.steps:
        return config.steps
    return max(1, math.ceil(config.epochs * steps_per_epoch(pairs, config) - 1e-9))


def steps_per_epoch(pairs: int, config: RunConfig) -> int:
    """Return the steps of one epoch; the last one may hold fewer pairs, none is left out."""
    return math.ceil(pairs / config.batch_size)


class DataOrder:
    """The order in which a run visits ``pairs`` training pairs."""

    def __init__(self, pairs: int, config: RunConfig) -> None:
        self._pairs = pairs
        self._config = config
        self._per_epoch = steps_per_epoch(pairs, config)
        self._epoch = -1
        self._order: list[int] = []

    def batch(self, step: int) -> list[int]:
        """Return the indices of the pairs of optimizer step ``step`` (the first is 1)."""
        epoch, place = divmod(step - 1, self._per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.epoch_order(epoch)
        start = place * self._config.batch_size
        return self._order[start : start + self._config.batch_size]

    def epoch_order(self, epoch: int) -> list[int]:
        """Return the order of one epoch (the first is 0): its own permutation, or file order."""
        order = list(range(self._pairs))
        if self._config.shuffle:
            random.Random(f"pairwright order {self._config.seed} {epoch}").shuffle(order)
        return order

    def epochs_done(self, step: int) -> float:
        """Return the passes over the data after ``step`` steps."""
        whole, rest = divmod(step, self._per_epoch)
        return whole + min(rest * self._config.batch_size / self._pairs, 1.0)
