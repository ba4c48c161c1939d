"""What is asked of a decoder: one request for each answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from torch import Tensor

Draw = Callable[[Tensor, Tensor], Tensor]
"""Logits (rows, vocabulary) and numbers (rows,) in [0, 1), float64, to the next token of each row."""
OnStep = Callable[[int], None]
"""Called with the answers that are finished, after every step; may raise to cancel."""

POLICY, REFERENCE = 0, 1
"""The groups of requests: which of two models answers. A single model is group 0."""


@dataclass(slots=True)
class Request:
    """One answer to be written.

    Attributes:
        prompt: token ids, at least one.
        numbers: the answer's own numbers in [0, 1); the t-th decides its t-th token.
        most: tokens that it may have at most.
        group: which model answers.
        written: its tokens so far.
        ended: whether it is finished.
        penalty: for tokens that stand in its row already; 1 is off.
    """

    prompt: tuple[int, ...]
    numbers: Sequence[float]
    most: int
    group: int = POLICY
    written: list[int] = field(default_factory=list)
    ended: bool = False
    penalty: float = 1.0

    def next_number(self) -> float:
        """Return the number that decides the next token."""
        return self.numbers[len(self.written)]

    def take(self, token: int, stops: Collection[int]) -> bool:
        """Append the next token; return whether the answer ends with it."""
        self.written.append(token)
        self.ended = token in stops or len(self.written) >= self.most
        return self.ended


def buckets(requests: Sequence[Request], ratio: float = 2.0) -> Iterator[list[Request]]:
    """Yield the requests in groups whose longest row is at most ``ratio`` times the shortest, short ones first."""
    part: list[Request] = []
    for request in sorted(requests, key=lambda r: len(r.prompt) + r.most):
        if part and len(request.prompt) + request.most > ratio * (len(part[0].prompt) + part[0].most):
            yield part
            part = []
        part.append(request)
    if part:
        yield part


def common_start(prompts: Sequence[Sequence[int]]) -> list[int]:
    """Return the tokens that all prompts begin with, without the last token of any.

    >>> common_start([[1, 2, 3], [1, 2, 4], [1, 2]])
    [1]
    """
    if not prompts:
        return []
    low, high = min(map(list, prompts)), max(map(list, prompts))
    most = min(len(prompt) for prompt in prompts) - 1
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), most)
    return low[: min(same, most)]
