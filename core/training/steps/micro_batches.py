"""How the pairs of an optimizer step are cut into forward passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from core.domain.run_config import RunConfig
from core.training.text.encoded_pair import EncodedPair

CPU_TOKENS = 4096
"""Padded tokens of a forward pass over separate rows on the CPU."""
ACCELERATOR_TOKENS = 16384
"""Tokens of a forward pass on an accelerator when no memory plan says otherwise."""


class MicroBatches:
    """How many pairs go through one forward pass; shrinks when memory runs out.

    Args:
        count: most pairs of a forward pass; 0 sets no limit.
        tokens: most tokens of a forward pass; a longer pair gets a pass of its own. 0 sets no limit.

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

        On the CPU one prefix-shared row already runs the matrix kernels at full rate, and further pairs would only
        keep more activations in memory. ``fits`` are the tokens that the memory plan allows, 0 without a plan.
        """
        if config.micro_batch:
            return cls(count=config.micro_batch)
        if device == "cpu":
            if scorer_name != "separate":
                return cls(count=1)
            return cls(tokens=min(CPU_TOKENS, fits or CPU_TOKENS))
        return cls(tokens=min(ACCELERATOR_TOKENS, fits or ACCELERATOR_TOKENS))

    def split(self, pairs: Sequence[EncodedPair]) -> list[list[int]]:
        """Return positions in ``pairs`` by forward pass: pairs of similar length together, passes of even size."""
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
        """Limit the passes from now on, because memory ran out."""
        self.count, self.tokens, self.shrunk = count, tokens, True

    def __repr__(self) -> str:
        return f"at most {self.count or 'any number of'} pairs and {self.tokens or 'any number of'} tokens"
