"""The interface of a forward pass: encoded pairs in, per-pair log-probs out.

The engine knows no architecture and a scorer knows no loss. Three scorers implement the interface, and all give the
results of the first, the reference implementation:
``separate`` (:mod:`core.training.forward.padded`: one padded row a response, full logits),
``shared`` (:mod:`core.training.forward.prefix_shared`: prefix-shared rows through any Hugging Face decoder) and
``lean`` (:mod:`core.training.forward.fused_llama`: hand-written Llama-shaped layers).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from core.training.text.encoded_pair import EncodedPair


@dataclass(slots=True)
class Scores:
    """The scores of ``n`` pairs; column 0 is chosen, column 1 rejected.

    Attributes:
        logps: (n, 2) float32 or wider, sum over response tokens of weight * log-prob in nats. Differentiable
            when scored as policy under grad mode. Weights are 1 unless ``token_weights`` was given.
        tokens: (n, 2) int64, response tokens.
        token_logps: per pair (chosen, rejected): 1-D float32 log-probs of the response tokens, detached.
        entropy: (n, 2) sum over response tokens of the policy's entropy in nats, detached.
        correct: (n, 2) response tokens that are the argmax, detached.
        router: (n, 2) loss of the routers of a mixture of experts on each response with its prompt; differentiable.
        wpo: (n, 2) sum over response tokens of logp - log(sum_v p_v^2), detached (WPO, arXiv 2406.11827).
    """

    logps: Tensor
    tokens: Tensor
    token_logps: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    entropy: Tensor | None = None
    correct: Tensor | None = None
    wpo: Tensor | None = None
    router: Tensor | None = None


@dataclass(slots=True)
class ResponseHidden:
    """Final hidden states (after the last norm) of the positions that predict a response token.

    Attributes:
        hidden: (rows, width). targets: (rows,) int64, the token each row predicts.
        owner: (rows,) int64, 2 * pair + (0 chosen, 1 rejected).
    """

    hidden: Tensor
    targets: Tensor
    owner: Tensor


TokenWeights = Callable[[EncodedPair], tuple[Sequence[float], Sequence[float]]]
"""Per-token weights of chosen and rejected response tokens, known before the forward pass (LD-DPO)."""


class Scorer(Protocol):
    """A forward pass over encoded pairs."""

    name: str
    kernel_id: str
    """Identifies the arithmetic (kernel, dtype, version); part of the reference cache's key."""

    def score(
        self,
        pairs: Sequence[EncodedPair],
        *,
        policy: bool = True,
        token_weights: TokenWeights | None = None,
        stats: bool = True,
    ) -> Scores:
        """Score ``pairs`` as the policy (with grad if enabled) or as the reference (never with grad)."""
        ...

    def response_hidden(self, pairs: Sequence[EncodedPair], *, policy: bool = True) -> ResponseHidden:
        """Return hidden states of all response positions, without grad."""
        ...


def sum_logps(token_logps: Tensor, weights: Sequence[float] | None = None) -> float:
    """Sum one response's token log-probs as the scorers do: in token order, in float64, with float32 weights.

    Token log-probs that are bitwise equal give bitwise equal sums, so that h is exactly 0 at the start.
    """
    wide = token_logps.detach().cpu().to(torch.float64)
    if weights is not None:
        wide = wide * torch.tensor(list(weights)[len(weights) - len(wide) :], dtype=torch.float32)
    index = torch.zeros(len(wide), dtype=torch.int64)
    return float(torch.zeros(1, dtype=torch.float64).index_add_(0, index, wide))


def no_grad_if(condition: bool) -> torch.no_grad | torch.enable_grad:
    """Return ``no_grad()`` when ``condition`` holds, else a context that keeps the current grad mode."""
    if condition:
        return torch.no_grad()
    return torch.enable_grad() if torch.is_grad_enabled() else torch.no_grad()
