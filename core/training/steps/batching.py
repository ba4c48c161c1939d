"""Which pairs make up which optimizer step, and how a step is cut into forward passes.

The order is a pure function of seed, epoch and number of pairs, and the step number says where in it the run
is: a resumed run needs no sampler state, only its step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

from core.domain.errors import BadInput
from core.domain.run_config import RunConfig
from core.training.scoring import EncodedPair

CPU_TOKENS = 4096
"""Padded tokens of a forward pass over separate rows on the CPU."""
ACCELERATOR_TOKENS = 16384
"""Tokens of a forward pass on an accelerator when no memory plan says otherwise."""


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
    """Return the steps of one pass; the last one may hold fewer pairs, none is left out."""
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


class MicroBatches:
    """How many pairs go through one forward pass; shrinks when memory runs out.

    Args:
        count: most pairs of a forward pass; 0 sets no limit.
        tokens: most tokens of a forward pass, a longer pair standing alone; 0 sets no limit.

    Attributes:
        shrunk: memory ran out at least once in this run.
    """

    def __init__(self, count: int = 0, tokens: int = 0) -> None:
        self.count = count
        self.tokens = tokens
        self.shrunk = False

    @classmethod
    def choose(cls, config: RunConfig, scorer_name: str, device: str, fits: int = 0) -> MicroBatches:
        """Return the settings for a scorer on a device ("cpu", "cuda", "mps").

        On the CPU a prefix-shared row already runs the matrix kernels at full rate, and every further pair
        would only keep more activations alive. ``fits`` are the tokens that the memory plan has room for,
        0 where there is no plan.
        """
        if config.micro_batch:
            return cls(count=config.micro_batch)
        if device == "cpu":
            if scorer_name != "separate":
                return cls(count=1)
            return cls(tokens=min(CPU_TOKENS, fits or CPU_TOKENS))
        return cls(tokens=min(ACCELERATOR_TOKENS, fits or ACCELERATOR_TOKENS))

    def split(self, pairs: Sequence[EncodedPair]) -> list[list[int]]:
        """Return positions in ``pairs`` by forward pass: pairs of like length together, passes of even size."""
        order = sorted(range(len(pairs)), key=lambda i: (-pairs[i].length, i))
        if not order:
            return []
        if not self.tokens:
            passes = math.ceil(len(order) / (self.count or len(order)))
            cuts = [round(k * len(order) / passes) for k in range(passes + 1)]
            return [order[start:end] for start, end in pairwise(cuts)]
        groups: list[list[int]] = []
        tokens = 0
        for index in order:
            full = groups and self.count and len(groups[-1]) >= self.count
            if not groups or full or tokens + pairs[index].length > self.tokens:
                groups.append([])
                tokens = 0
            groups[-1].append(index)
            tokens += pairs[index].length
        return groups

    def halve(self, pairs: Sequence[EncodedPair]) -> bool:
        """Allow half of what the largest pass of ``pairs`` held; False when that was one pair already."""
        largest = max((len(group) for group in self.split(pairs)), default=0)
        if largest <= 1:
            return False
        self.limit(largest // 2, self.tokens // 2)
        return True

    def limit(self, count: int, tokens: int) -> None:
        """Allow no more than this from now on, since memory ran out."""
        self.count, self.tokens, self.shrunk = count, tokens, True

    def __repr__(self) -> str:
        return f"at most {self.count or 'any number of'} pairs and {self.tokens or 'any number of'} tokens"
